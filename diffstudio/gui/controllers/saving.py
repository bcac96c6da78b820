"""Asking where a file shall be written: one that is there is replaced only on the user's word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from diffstudio.gui.dialogs.taken import TakenQuestion, is_taken
from diffstudio.studio.export.naming import free, with_suffix


def ask_where(parent: QWidget, title: str, start: Path, kinds: str, then: Callable[[Path], object]) -> None:
    """Ask for a file of the suffix that `start` has; `then` is called with it, where one is chosen.

    start: the proposed file; one that is taken gets a number. kinds: what such files are called.
    """
    suffix = start.suffix
    name, _ = QFileDialog.getSaveFileName(parent, title, str(free(start)), f"{kinds} (*{suffix})")
    if not name:
        return
    path = with_suffix(Path(name), suffix)
    if str(path) == name or not is_taken(path):  # of the very name that was chosen the dialog itself has asked
        then(path)
        return
    question = TakenQuestion(path, parent)
    question.chosen.connect(then)
    question.open()
