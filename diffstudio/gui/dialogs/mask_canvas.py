"""The picture that a mask is painted over, with a brush: by mouse or by keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.words import tr
from diffstudio.studio.app.painting import Painting

SIDE = 448  # screen pixels of the larger side
GROW = 1.25  # of the brush, a notch of the wheel
VEIL = (242, 150, 40, 160)  # red, green, blue, opacity of the region that is made anew


class MaskCanvas(QWidget):
    """The picture, nearest neighbour, under a veil where it is made anew; the brush at the pointer."""

    changed = Signal()

    def __init__(self, pictures: np.ndarray, painting: Painting) -> None:
        """pictures: (T, H, W, 3) uint8, of which the one of the painting's frame is seen."""
        super().__init__()
        height, width = pictures.shape[1:3]
        self._painting = painting
        self._pictures = [
            QImage(one.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy() for one in pictures
        ]
        self._at = (width / 2, height / 2)  # the brush, in pixels of the picture
        self._stroke: bool | None = None  # painting, erasing, or neither
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Mask"))
        self.setMinimumSize(min(width, 160), min(height, 160))

    @property
    def _picture(self) -> QImage:
        return self._pictures[self._painting.frame]

    def sizeHint(self) -> QSize:
        scale = max(1, SIDE // max(self._picture.width(), self._picture.height()))
        return QSize(self._picture.width() * scale, self._picture.height() * scale)

    def place(self, x: float, y: float) -> QPointF:
        """Where a point of the picture, in its pixels, is on the widget."""
        target = self._target()
        scale = target.width() / self._picture.width()
        return QPointF(target.x() + x * scale, target.y() + y * scale)

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        target = self._target()
        painter.drawImage(target, self._picture)
        painter.drawImage(target, self._veil())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = self._painting.radius * target.width() / self._picture.width()
        for colour, width in (("#000000", 3.0), ("#ffffff", 1.2)):  # seen on any picture
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(self.place(*self._at), radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().accent().color(), 1))
            painter.drawRect(target.adjusted(0.5, 0.5, -0.5, -0.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self._stroke = event.button() == Qt.MouseButton.LeftButton
            self._at = self._picture_at(event.position())
            self._painting.begin()
            self._draw(self._at, self._at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self._at = self._at, self._picture_at(event.position())
        if self._stroke is None:
            self.update()
        else:
            self._draw(before, self._at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._stroke = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._painting.grow(GROW ** (event.angleDelta().y() / 120))
        event.accept()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, moves = event.key(), {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0),
                                   Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}  # fmt: skip
        if event.text() in ("[", "]"):
            self._painting.grow(GROW if event.text() == "]" else 1 / GROW)
        elif key in moves:
            (x, y), (dx, dy) = self._at, moves[Qt.Key(key)]
            self._at = (min(max(x + dx, 0), self._picture.width()), min(max(y + dy, 0), self._picture.height()))
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Backspace):
            self._stroke = key == Qt.Key.Key_Space
            self._painting.begin()
            self._draw(self._at, self._at)
            self._stroke = None
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def _draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._painting.line(start, end, bool(self._stroke))
        self.changed.emit()

    def _target(self) -> QRectF:
        """The picture's place: the middle, as large as it fits."""
        width, height = self._picture.width(), self._picture.height()
        scale = min(self.width() / width, self.height() / height)
        w, h = width * scale, height * scale
        return QRectF((self.width() - w) / 2, (self.height() - h) / 2, w, h)

    def _picture_at(self, point: QPointF) -> tuple[float, float]:
        target = self._target()
        scale = self._picture.width() / target.width()
        return (point.x() - target.x()) * scale, (point.y() - target.y()) * scale

    def _veil(self) -> QImage:
        """The region that is made anew."""
        pixels = self._painting.seen
        height, width = pixels.shape
        veil = np.zeros((height, width, 4), np.uint8)
        veil[pixels] = VEIL
        return QImage(veil.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
