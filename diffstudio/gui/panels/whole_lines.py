"""A page of text that ends with a whole line, however tall it is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from diffstudio.gui.kit.widgets import ContentScroll


class WholeLines(ContentScroll):
    """Scrolls where it must, line by line; the last line is never cut through while the page stands at its top."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        # Not at once: Qt loses what a page is resized to while it is told of another size before it is first shown,
        # and its lines would stay as wide as they were without a scroll bar.
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        done = super().eventFilter(watched, event)
        if watched is self._content and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._turn.start()
        return done

    @Slot()
    def _fit(self) -> None:
        room = self.contentsRect().height()
        margin = room - max((end for end in self._ends() if end <= room), default=room)
        if self._content.height() <= room:
            margin = 0
        if margin != self.viewportMargins().bottom():
            self.setViewportMargins(0, 0, 0, margin)

    def _ends(self) -> list[int]:
        """Where lines end, in pixels from the top of the page."""
        ends = []
        for line in self._content.findChildren(QLabel):
            step = line.fontMetrics().lineSpacing()
            self.verticalScrollBar().setSingleStep(step)
            ends += [line.y() + step * (i + 1) for i in range(max(1, line.height() // step))]
        return ends
