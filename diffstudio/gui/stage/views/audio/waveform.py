"""A waveform as pixels: for each column the lowest and the highest sample."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

REACH = 0.6  # the amplitude at the edge of the strip; speech at its loudest is about there


def columns(sound: np.ndarray, width: int) -> np.ndarray:
    """(samples,) → (width, 2): lowest and highest of each column."""
    edges = np.linspace(0, len(sound), max(1, width) + 1).astype(int)[:-1]
    return np.stack([np.minimum.reduceat(sound, edges), np.maximum.reduceat(sound, edges)], 1)


def paint_waveform(painter: QPainter, box: QRectF, sound: np.ndarray, colour: str, ratio: float) -> None:
    """The waveform in a box; amplitudes beyond REACH touch its edge."""
    width, middle = max(1, round(box.width() * ratio)), box.center().y()
    half = box.height() / 2
    reach = columns(np.nan_to_num(sound), width).clip(-REACH, REACH) * (half / REACH)
    least = 0.5 / ratio  # a silent column is still a line
    x = box.left() + (np.arange(width) + 0.5) / ratio
    lines = [
        QLineF(at, middle - max(float(high), least), at, middle - min(float(low), -least))
        for at, (low, high) in zip(x.tolist(), reach, strict=True)
    ]
    painter.setPen(QPen(QColor(colour), 1 / ratio))
    painter.drawLines(lines)
