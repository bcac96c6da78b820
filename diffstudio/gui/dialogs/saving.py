"""Where a file is to be saved: asked of the user, with the ending that it must have."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from diffstudio.gui.kit.words import tr
from diffstudio.user_files import exists, with_ending


def ask_where(parent: QWidget | None, title: str, start: Path, kinds: str, suffix: str) -> Path | None:
    """The file that the user names, with the suffix at its end; None where nothing is to be written.

    The dialog asks before a file is replaced, but not for the name that a suffix makes of it: that is asked here.
    """
    named, _ = QFileDialog.getSaveFileName(parent, title, str(start), kinds)
    if not named:
        return None
    path = with_ending(Path(named), suffix)
    if path != Path(named) and exists(path):
        question = tr("{} is there already. Replace it?").format(path.name)
        box = QMessageBox(QMessageBox.Icon.Question, title, question, parent=parent)
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
        if box.exec() != QMessageBox.StandardButton.Yes:
            return None
    return path
