"""The word in the corner of a view that is zoomed: how much, and a click shows everything again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from diffstudio.gui.kit.actions import shortcut_text, tooltip
from diffstudio.gui.kit.words import SHY, number, tr

MARGIN = 8


class ZoomChip(QPushButton):
    """Hidden while nothing is zoomed. A view calls `say` when the zoom has changed, and `place` when its size has."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("small", True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setToolTip(tooltip("fit_view"))
        self.hide()

    def say(self, times: float | None) -> None:
        """How many times as large as fitted; None: it is fitted."""
        if times is None:
            self.hide()
            return
        key = shortcut_text("fit_view")
        self.setText(f"{number(times, 1 if times < 10 else 0)} × {SHY} {tr('Fit')}  {key}")
        self.setAccessibleName(tr("Zoomed {} times: show everything").format(number(times, 1)))
        self.adjustSize()
        self.place()
        self.show()

    def place(self) -> None:
        """In the upper right corner of the view."""
        parent = self.parentWidget()
        if parent is not None:
            self.move(parent.width() - self.width() - MARGIN - 10, MARGIN)
