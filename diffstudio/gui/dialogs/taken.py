"""Something is there already where a file is to be written: nothing is replaced, or mixed with it, unasked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from diffstudio.gui.kit.widgets import label
from diffstudio.gui.kit.words import count, tr
from diffstudio.studio.export.naming import free, others_in


class TakenQuestion(QDialog):
    """`chosen` carries the path that is written to: another one, or the same. Enter keeps both."""

    chosen = Signal(object)

    def __init__(self, path: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Already there"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._path, self._other = path, free(path)
        text = label(_sentence(path))
        text.setWordWrap(True)
        role = QDialogButtonBox.ButtonRole
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.keep = self.buttons.addButton(tr("Write “{}”").format(self._other.name), role.AcceptRole)
        self.replace = self.buttons.addButton(
            tr("Write into it") if path.is_dir() else tr("Replace it"), role.DestructiveRole
        )
        self.keep.setDefault(True)
        self.keep.clicked.connect(self._on_keep)
        self.replace.clicked.connect(self._on_replace)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 12)
        layout.setSpacing(12)
        layout.addWidget(text)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(460)

    @Slot()
    def _on_keep(self) -> None:
        self.accept()
        self.chosen.emit(self._other)

    @Slot()
    def _on_replace(self) -> None:
        self.accept()
        self.chosen.emit(self._path)


def is_taken(path: Path) -> bool:
    """Whether writing there would replace a file, or mix with what an earlier export left in a folder."""
    return bool(others_in(path)) if path.is_dir() else path.exists()


def _sentence(path: Path) -> str:
    if not path.is_dir():
        return tr("{} is there already.").format(path.name)
    found = others_in(path)
    return tr("The folder {} holds {} files of an earlier export ({} …): new ones would mix with them.").format(
        path.name, count(len(found)), found[0]
    )
