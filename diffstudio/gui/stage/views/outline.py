"""The border of a region of pixels as a path in the unit square, drawn so that it is seen on dark and on light."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

DASH = [4.0, 3.0]  # in widths of the line


def border(inside: np.ndarray) -> QPainterPath:
    """Along the edges between pixels (H, W) bool that are inside and that are not; the picture's own edge counts."""
    height, width = inside.shape
    path, padded = QPainterPath(), np.pad(inside, 1)
    for y, start, end in _runs(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        path.moveTo(start / width, y / height)
        path.lineTo(end / width, y / height)
    for x, start, end in _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T):
        path.moveTo(x / width, start / height)
        path.lineTo(x / width, end / height)
    return path


def paint_border(painter: QPainter, box: QRectF, path: QPainterPath) -> None:
    """The path of the unit square in a box: light dashes on a dark line."""
    placed = QTransform.fromTranslate(box.left(), box.top()).scale(box.width(), box.height()).map(path)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor("#000000"), 3))
    painter.drawPath(placed)
    pen = QPen(QColor("#ffffff"), 1.5)
    pen.setDashPattern(DASH)
    painter.setPen(pen)
    painter.drawPath(placed)


def _runs(edges: np.ndarray) -> list[tuple[int, int, int]]:
    """Row, first column and one past the last of each run of True in (rows, columns)."""
    change = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    return list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))
