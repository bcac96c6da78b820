"""Two small plots, painted directly: a histogram, and curves with the playhead."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from diffstudio.analysis.summary import Summary
from diffstudio.gui.theme import Tokens
from diffstudio.gui.words import number

MARGIN = 6


class Histogram(QWidget):
    """Counts of the values at the playhead."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._summary: Summary | None = None
        self.setMinimumHeight(48)

    def show_summary(self, summary: Summary | None) -> None:
        """Draw other counts."""
        self._summary = summary
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.tokens.bg))
        found = self._summary
        if found is None or not found.counts.any():
            return
        area = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -16)
        # The square root keeps a single full bin (the paper of a digit) from hiding all others.
        heights = np.sqrt(found.counts / found.counts.max()) * area.height()
        wide = area.width() / len(heights)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.tokens.lane_a))
        painter.drawRects(
            [
                QRectF(area.left() + i * wide, area.bottom() - h, max(1.0, wide - 1), h)
                for i, h in enumerate(heights)
                if h
            ]
        )
        painter.setPen(QColor(self.tokens.text_dim))
        line = QRectF(area.left(), area.bottom() + 1, area.width(), 14)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, number(found.low))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, number(found.high))


class Curves(QWidget):
    """A few curves over the records on one scale; a click moves the playhead."""

    clicked = Signal(int)

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self._curves: list[tuple[str, np.ndarray]] = []
        self._planned, self._k = 1, 0
        self._static: QPixmap | None = None
        self.setMinimumHeight(48)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_curves(self, curves: list[tuple[str, np.ndarray]], planned: int) -> None:
        """curves: (name, values of the records so far); planned: records of the whole run."""
        self._curves, self._planned, self._static = curves, max(1, planned), None
        self.update()

    def show_step(self, k: int) -> None:
        """Move the line."""
        self._k = k
        self.update()

    def redraw(self) -> None:
        """The colours changed."""
        self._static = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._static is None or self._static.deviceIndependentSize().toSize() != self.size():
            self._static = QPixmap(self.size() * ratio)
            self._static.setDevicePixelRatio(ratio)
            self._draw_static(self._static)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._static)
        x = self._x(self._k)
        painter.setPen(QPen(QColor(self.tokens.playhead), 1))
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            share = (event.position().x() - MARGIN) / max(1, self.width() - 2 * MARGIN)
            self.clicked.emit(round(max(0.0, min(1.0, share)) * (self._planned - 1)))

    def _x(self, k: float) -> float:
        return MARGIN + k / max(1, self._planned - 1) * (self.width() - 2 * MARGIN)

    def _draw_static(self, pixmap: QPixmap) -> None:
        t = self.tokens
        pixmap.fill(QColor(t.bg))
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = (t.lane_a, t.lane_b, t.lane_c)
        top, bottom = 20.0, self.height() - MARGIN
        left = float(MARGIN)
        for (name, values), colour in zip(self._curves, colours, strict=False):
            painter.setPen(QColor(colour))
            painter.drawText(QPointF(left, 14), name)
            left += painter.fontMetrics().horizontalAdvance(name) + 12
            finite = np.flatnonzero(np.isfinite(values))
            if len(finite) < 2:
                continue
            high = float(values[finite].max()) or 1.0
            line = [QPointF(self._x(k), bottom - values[k] / high * (bottom - top)) for k in finite]  # pyright: ignore
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawPolyline(QPolygonF(line))
        painter.end()
