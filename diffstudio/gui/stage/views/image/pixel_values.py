"""The recorded numbers, written into the pixels of a sample that is zoomed in far enough."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from diffstudio.gui.kit.words import number
from diffstudio.gui.stage.views.close_up import CloseUp

ROOM = 40  # logical pixels that a pixel of the sample must cover
LINE = 12


def fits(scale: float, ratio: float, channels: int) -> bool:
    """Whether a pixel is large enough for the numbers of all its channels."""
    return scale / ratio >= max(ROOM, channels * LINE + 6)


def paint_values(
    painter: QPainter,
    values: np.ndarray,
    pixels: np.ndarray,
    view: CloseUp,
    window: tuple[int, int, int, int],
    ratio: float,
) -> None:
    """Write (C, H, W) into the pixels (H, W) 0xffRRGGBB of the window: columns and rows, as `CloseUp.window`."""
    left, right, top, bottom = window
    side = view.scale / ratio
    words = pixels[top:bottom, left:right].astype(np.int64)
    luma = 0.3 * (words >> 16 & 255) + 0.59 * (words >> 8 & 255) + 0.11 * (words & 255)
    pens = QColor("#101114"), QColor("#f2f3f5")
    for y in range(top, bottom):
        for x in range(left, right):
            box = QRectF(view.x / ratio + x * side, view.y / ratio + y * side, side, side)
            painter.setPen(pens[0] if luma[y - top, x - left] > 110 else pens[1])
            text = "\n".join(number(float(v)) for v in values[:, y, x])
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
