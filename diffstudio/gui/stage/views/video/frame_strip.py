"""The frames of one clip side by side, and its x-t slice: one row of pixels through all frames, time downwards."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.raster import to_image

LABEL = 16.0  # logical pixels below the pictures
GAP, MARGIN = 4.0, 12.0
HIGHEST, LOWEST = 64.0, 8.0  # of a frame


class FrameStrip(QWidget):
    """A click into a frame goes there and takes its row for the slice; a click into the slice goes to that frame."""

    frameWanted = Signal(int)
    rowChanged = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tokens = tokens
        self.row = 0
        self._frame = 0
        self._pixels: np.ndarray | None = None
        self.setAccessibleName(tr("Frames of the selected clip, and their x-t slice"))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(round(HIGHEST + LABEL + GAP))
        self.setToolTip(tr("Click a frame to go there and to choose its row for the x-t slice."))

    def set_clip(self, pixels: np.ndarray | None) -> None:
        """(T, H, W) uint32 0xffRRGGBB; None shows nothing."""
        if pixels is not None and (self._pixels is None or pixels.shape != self._pixels.shape):
            self.row = pixels.shape[1] // 2
        self._pixels = pixels
        self.update()

    def set_frame(self, frame: int) -> None:
        """Mark the frame that is shown."""
        self._frame = frame
        self.update()

    @property
    def slice(self) -> np.ndarray | None:
        """(T, W): the row of all frames."""
        return None if self._pixels is None else self._pixels[:, self.row]

    def cell(self, frame: int) -> QRectF:
        """Where a frame lies."""
        side, width = self._side()
        return QRectF(MARGIN + frame * (width + GAP), 2, width, side)

    def slice_box(self) -> QRectF:
        """Where the slice lies: right of the frames, as wide as one of them at twice its size."""
        side, width = self._side()
        length = 0 if self._pixels is None else len(self._pixels)
        return QRectF(MARGIN + length * (width + GAP) + 2 * GAP, 2, 1.5 * width, side)

    def sizeHint(self) -> QSize:
        return QSize(320, self.height())

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        painter.fillRect(self.rect(), QColor(self.tokens.bg))
        if self._pixels is None:
            return
        painter.setFont(legend.small(self.font(), 10))
        for frame, pixels in enumerate(self._pixels):
            box = self.cell(frame)
            painter.drawImage(box, to_image(pixels))
            shown = frame == self._frame
            painter.setPen(QColor(self.tokens.text if shown else self.tokens.text_dim))
            below = QRectF(box.left() - GAP, box.bottom() + 1, box.width() + 2 * GAP, LABEL)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, count(frame + 1))
            if shown:
                _frame(painter, box, QPen(QColor(self.tokens.lane_a), 2))
                y = box.top() + (self.row + 0.5) * box.height() / pixels.shape[0]
                painter.setPen(QPen(QColor(self.tokens.lane_b), 1, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        self._paint_slice(painter)

    def _paint_slice(self, painter: QPainter) -> None:
        assert self._pixels is not None
        box, length = self.slice_box(), len(self._pixels)
        painter.drawImage(box, to_image(np.ascontiguousarray(self._pixels[:, self.row])))
        _frame(painter, box, QPen(QColor(self.tokens.border), 1))
        y = box.top() + (self._frame + 0.5) * box.height() / length
        painter.setPen(QPen(QColor(self.tokens.lane_a), 1))
        painter.drawLine(QPointF(box.left() - 4, y), QPointF(box.left(), y))
        painter.drawLine(QPointF(box.right(), y), QPointF(box.right() + 4, y))
        painter.setPen(QColor(self.tokens.text_dim))
        below = QRectF(box.left() - 20, box.bottom() + 1, box.width() + 40, LABEL)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, tr("x-t, row {}").format(self.row))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._take(event.position(), choose_row=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._take(event.position(), choose_row=False)  # dragging along the strip plays by hand

    def _take(self, at: QPointF, choose_row: bool) -> None:
        if self._pixels is None:
            return
        length, height, _ = self._pixels.shape
        box = self.slice_box()
        if box.contains(at):
            self.frameWanted.emit(min(length - 1, int((at.y() - box.top()) / box.height() * length)))
            return
        for frame in range(length):
            box = self.cell(frame)
            if box.left() <= at.x() <= box.right():
                if choose_row and box.contains(at):
                    self.row = min(height - 1, int((at.y() - box.top()) / box.height() * height))
                    self.rowChanged.emit()
                    self.update()
                self.frameWanted.emit(frame)
                return

    def _side(self) -> tuple[float, float]:
        """Height and width of a frame: whole multiples of its pixels where there is room."""
        if self._pixels is None:
            return LOWEST, LOWEST
        length, height, width = self._pixels.shape
        room = (self.width() - 2 * MARGIN - 2 * GAP) / (length + 1.5) - GAP
        scale = max(LOWEST / height, min(HIGHEST / height, room / width))
        scale = float(int(scale)) if scale >= 1 else scale
        return height * scale, width * scale


def _frame(painter: QPainter, box: QRectF, pen: QPen) -> None:
    out = pen.widthF() / 2
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(-out, -out, out, out))
