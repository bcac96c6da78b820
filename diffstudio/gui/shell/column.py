"""Two panels one above the other: the upper is as tall as what it holds, the lower has the rest, or its share."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

from diffstudio.gui.kit.painted import painted

HANDLE = 7


class Column(QSplitter):
    """Fits the upper panel by itself until the user drags the line between them; `reset` fits it again."""

    def __init__(self, upper: QWidget, lower: QWidget, share: float = 0.0) -> None:
        """share: of the height, what the lower panel has at least."""
        super().__init__(Qt.Orientation.Vertical)
        self._upper, self._lower, self._share = upper, lower, share
        self._dragged = False
        self.setChildrenCollapsible(False)
        self.setHandleWidth(HANDLE)
        self.addWidget(upper)
        self.addWidget(lower)
        self.splitterMoved.connect(self._on_dragged)

    def reset(self) -> None:
        """Fit again."""
        self._dragged = False
        self.fit()

    def state(self) -> list[int] | None:
        """The heights that the user gave them; None: they fit by themselves."""
        return self.sizes() if self._dragged else None

    def restore(self, state: object) -> None:
        """Take a `state` back; what makes no sense is left as it is."""
        if isinstance(state, list) and len(state) == 2 and all(isinstance(n, int) and n >= 0 for n in state):
            self._dragged = True
            self.setSizes(state)

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:  # a panel holds more or less than before
            self.fit()
        return done

    def fit(self) -> None:
        """The upper panel as tall as what it holds, unless the user has dragged the line, or sees one of the two."""
        both = all(panel.parentWidget() is self and panel.isVisibleTo(self) for panel in (self._upper, self._lower))
        if self._dragged or not both:
            return
        room = self.height() - self.handleWidth()
        least = max(self._lower.minimumSizeHint().height(), round(self._share * room))
        upper = min(_wanted(self._upper, self.width()), room - least)
        if self.sizes() != [upper, room - upper]:
            self.setSizes([upper, room - upper])

    @Slot()
    def _on_dragged(self) -> None:
        self._dragged = True


class _Handle(QSplitterHandle):
    """A line of one pixel in a handle that is easier to grab."""

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        colour = self.palette().accent() if self.underMouse() else self.palette().mid()
        painter.fillRect(0, self.height() // 2, self.width(), 1, colour)


def _wanted(widget: QWidget, width: int) -> int:
    layout = widget.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return widget.sizeHint().height()
