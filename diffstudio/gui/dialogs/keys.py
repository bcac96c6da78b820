"""F1: all keys on one page, made from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from diffstudio.gui.kit.actions import ACTIONS, MENUS, key_texts
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr

MOUSE = (
    ("drag on the timeline", "every step of both chains"),
    ("wheel on the timeline", "one step; with Ctrl zoom"),
    ("double click a sample", "grid or single"),
    ("wheel on the canvas", "zoom in a single sample or the plane"),
    ("drop a file", "open it, or start from it"),
)


class KeysDialog(QDialog):
    """A page of three columns."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        columns = [QVBoxLayout(), QVBoxLayout(), QVBoxLayout()]
        wide = QHBoxLayout()
        wide.setSpacing(32)
        for column in columns:
            wide.addLayout(column)
        for menu, at in zip(MENUS, (0, 0, 1, 0, 2, 1), strict=True):
            rows = [("  ".join(key_texts(a.id)), tr(a.title)) for a in ACTIONS.values() if a.menu == menu and a.keys]
            columns[at].addLayout(_table(tr(menu), rows))
        columns[1].addLayout(_table(tr("Mouse"), [(tr(a), tr(b)) for a, b in MOUSE]))
        for column in columns:
            column.addStretch(1)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 12)
        layout.addLayout(wide)
        layout.addWidget(close)


def _table(heading: str, rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(3)
    grid.setContentsMargins(0, 0, 0, 12)
    grid.setColumnStretch(1, 1)
    grid.addWidget(label(heading.upper(), "heading"), 0, 0, 1, 2)
    for i, (keys, title) in enumerate(rows, 1):
        grid.addWidget(label(keys), i, 0)
        grid.addWidget(label(title, "dim"), i, 1)
    return grid
