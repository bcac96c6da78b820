"""F1: all keys on one page, made from the table of actions."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from diffstudio.gui.kit.actions import ACTIONS, MENUS, key_texts
from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import tr

CANVAS = (
    ("Page Up  Page Down", "sample before, sample after"),
    ("Tab, then arrows", "from sample to sample"),
    ("Enter", "grid or single"),
)
MOUSE = (
    ("drag on the timeline", "every step of both chains"),
    ("wheel on the timeline", "one step; with Ctrl zoom"),
    ("wheel on the canvas", "zoom; a long grid scrolls, Ctrl zooms it"),
    ("drag on the canvas", "move what is zoomed"),
    ("double click a sample", "grid or single, and back"),
    ("right click, Menu key", "what can be done with it"),
    ("drop a file", "open it, or start from it"),
)
COLUMN = 290  # logical pixels, about
SHARE = 0.92  # of the screen, at most
Line = tuple[str, str]  # what to press and what it does; a heading has no second


class KeysDialog(QDialog):
    """As many columns of equal length as the screen is wide; where it is low, they scroll."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        room = parent.screen().availableSize() * SHARE
        page = QWidget()
        wide = QHBoxLayout(page)
        wide.setContentsMargins(20, 12, 20, 0)
        wide.setSpacing(28)
        for lines in columns(_lines(), max(1, min(4, (room.width() - 20) // COLUMN))):
            wide.addLayout(_table(lines))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(page)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 12)
        layout.addWidget(scroll, 1)
        layout.addWidget(close)
        close.setContentsMargins(20, 0, 20, 0)
        self.resize(page.sizeHint().grownBy(self.contentsMargins()).boundedTo(room))
        self.resize(self.width() + 4, min(room.height(), self.height() + close.sizeHint().height() + 34))


def columns(lines: list[Line], many: int) -> list[list[Line]]:
    """The lines in so many columns of about equal length; no heading stands alone at the foot of one."""
    length = math.ceil(len(lines) / many)
    out: list[list[Line]] = []
    while lines:
        cut = len(lines) if len(out) == many - 1 else min(length, len(lines))
        while cut > 1 and cut < len(lines) and not lines[cut - 1][1]:
            cut -= 1
        out.append(lines[:cut])
        lines = lines[cut:]
    return out


def _lines() -> list[Line]:
    out: list[Line] = []
    for menu in MENUS:
        rows = [
            ("  ".join(key_texts(a.id)), tr(a.title)) for a in ACTIONS.values() if a.menu == menu and key_texts(a.id)
        ]
        out += [(tr(menu), ""), *rows]
    out += [(tr("On the canvas"), ""), *((tr(a), tr(b)) for a, b in CANVAS)]
    return [*out, (tr("Mouse"), ""), *((tr(a), tr(b)) for a, b in MOUSE)]


def _table(lines: list[Line]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(1, 1)
    for i, (keys, title) in enumerate(lines):
        if title:
            grid.addWidget(label(keys), i, 0)
            grid.addWidget(label(title, "dim"), i, 1)
            continue
        heading = label(keys.upper(), "heading")
        heading.setContentsMargins(0, 10 if i else 0, 0, 0)
        grid.addWidget(heading, i, 0, 1, 2)
    grid.setRowStretch(len(lines), 1)
    return grid
