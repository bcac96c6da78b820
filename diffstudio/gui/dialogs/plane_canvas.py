"""Points of a plane, and a rectangle or a lasso over them: by mouse or by keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.modalities.points import Bounds, bounds_of

SIDE = 420
CLOSE = 4  # screen pixels between two corners of a lasso
MOST_CORNERS = 150
STEP = 0.02  # of the plane, a press of an arrow
VEIL = QColor(242, 150, 40, 90)


class PlaneCanvas(QWidget):
    """Points of a plane, and the rectangle or lasso over them: `corners` in the plane's own numbers."""

    changed = Signal()

    def __init__(self, points: np.ndarray, tokens: Tokens) -> None:
        super().__init__()
        self.bounds: Bounds = bounds_of(points)
        self.lasso = False
        self.corners: list[tuple[float, float]] = []
        self._points, self._tokens = points, tokens
        self._dragging = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Region"))
        self.setMinimumSize(160, 160)

    def sizeHint(self) -> QSize:
        return QSize(SIDE, SIDE)

    def words(self) -> str:
        """The rectangle or the lasso in words; "" where there is none."""
        if self.lasso:
            if len(self.corners) < 3:
                return ""
            return "inside " + " ".join(f"({x:.4g} {y:.4g})" for x, y in self.corners)
        if len(self.corners) < 2:
            return ""
        (x0, y0), (x1, y1) = self.corners[0], self.corners[-1]
        low, high = (min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))
        return f"x {low[0]:.4g}..{high[0]:.4g}, y {low[1]:.4g}..{high[1]:.4g}"

    def place(self, x: float, y: float) -> QPointF:
        """Where a point of the plane is on the widget."""
        target, (left, _, right, top) = self._target(), self.bounds
        scale = target.width() / (right - left)
        return QPointF(target.x() + (x - left) * scale, target.y() + (top - y) * scale)

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        target = self._target()
        painter.fillRect(target, QColor(self._tokens.bg))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._tokens.lane_a))
        for x, y in self._points:
            painter.drawEllipse(self.place(float(x), float(y)), 1.6, 1.6)
        painter.setPen(QPen(QColor(VEIL.red(), VEIL.green(), VEIL.blue()), 1.5))
        painter.setBrush(VEIL)
        if self.lasso and len(self.corners) > 1:
            painter.drawPolygon(QPolygonF([self.place(*corner) for corner in self.corners]))
        elif len(self.corners) > 1:
            painter.drawRect(QRectF(self.place(*self.corners[0]), self.place(*self.corners[-1])).normalized())
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().accent().color(), 1))
            painter.drawRect(target.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging, self.corners = True, [self._plane_at(event.position())]
            self.changed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._dragging:
            return
        at = self._plane_at(event.position())
        if not self.lasso:
            self.corners = [self.corners[0], at]
        elif _distance(self.place(*self.corners[-1]), event.position()) >= CLOSE and len(self.corners) < MOST_CORNERS:
            self.corners.append(at)
        self.changed.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragging = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        if event.key() not in ways or self.lasso:
            super().keyPressEvent(event)
            return
        left, bottom, right, top = self.bounds
        if len(self.corners) < 2:
            self.corners = [(left / 2, bottom / 2), (right / 2, top / 2)]
        dx, dy = ((right - left) * STEP * way for way in ways[Qt.Key(event.key())])
        (x0, y0), (x1, y1) = self.corners[0], self.corners[-1]
        still = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.corners = [(x0, y0) if still else (x0 + dx, y0 + dy), (x1 + dx, y1 + dy)]
        self.changed.emit()

    def _plane_at(self, at: QPointF) -> tuple[float, float]:
        target, (left, _, right, top) = self._target(), self.bounds
        scale = (right - left) / target.width()
        return left + (at.x() - target.x()) * scale, top - (at.y() - target.y()) * scale

    def _target(self) -> QRectF:
        """A square in the middle."""
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)


def _distance(a: QPointF, b: QPointF) -> float:
    return float(np.hypot(a.x() - b.x(), a.y() - b.y()))
