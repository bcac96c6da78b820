"""The application's fonts: one such that x̂ has its hat, and one with letters of one width."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics, QImage

from diffstudio.gui.kit.painted import painter_on

HATTED = "x̂"


def with_hats(font: QFont) -> QFont:
    """The font; where its own table sets the hat of x̂ out of sight, Qt's rule for marks is taken instead.

    Qt 6.11 misreads the table of DejaVu Sans, the usual font of Linux: the hat stands a whole line above the x, and
    every widget cuts it off. Without the feature "mark" it stands on the x.
    """
    if hat_is_seen(font):
        return font
    out = QFont(font)
    out.setFeature(QFont.Tag("mark"), 0)
    return out


def monospace(size: int) -> QFont:
    """The system's font with letters of one width. size: in pixels."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(size)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    return font


def hat_is_seen(font: QFont) -> bool:
    """Whether the hat lies within a line of text: above the x, below the line's top."""
    plain, hatted = (_ink(font, text) for text in (HATTED[0], HATTED))
    return bool(hatted.sum() > plain.sum())


def _ink(font: QFont, text: str) -> np.ndarray:
    """What a line of that text shows: (height, width) bool."""
    metrics = QFontMetrics(font)
    image = QImage(4 * metrics.height(), metrics.height(), QImage.Format.Format_Grayscale8)
    image.fill(0)
    with painter_on(image) as painter:
        painter.setFont(font)
        painter.setPen("white")
        painter.drawText(QPointF(metrics.height(), metrics.ascent()), text)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : image.width()] > 64
