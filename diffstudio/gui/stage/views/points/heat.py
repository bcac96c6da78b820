"""The colours of a density map: even steps to the eye from the paper up, and their legend."""

from __future__ import annotations

import functools

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from diffstudio.gui.kit.theme import DARK, LIGHT, Tokens
from diffstudio.gui.kit.words import number, tr

NATS = 10.0  # below the highest density: there the map ends in the paper
LEVELS = 256
BAR = 120.0, 8.0  # logical pixels
# From the paper up; darker than the dots on a dark paper, lighter than them on a light one.
_STOPS = {
    True: (DARK.bg, "#2b1d40", "#5c2a63", "#93395f", "#bf5a4a"),
    False: (LIGHT.bg, "#fbe8d8", "#f8c9a8", "#f0a084", "#dd7f7f"),
}
# Björn Ottosson's OKLab (2020): linear sRGB → cones → lightness and two opponents.
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@functools.cache
def colours(dark: bool) -> np.ndarray:
    """(LEVELS, 3) uint8, neighbours equally far apart in OKLab: row 0 is the paper."""
    named = [QColor(stop) for stop in _STOPS[dark]]
    stops = np.array([(c.redF(), c.greenF(), c.blueF()) for c in named])
    lab = to_oklab(stops)
    fine = np.linspace(0, len(lab) - 1, 4096)
    path = np.stack([np.interp(fine, range(len(lab)), channel) for channel in lab.T], 1)
    length = np.concatenate([[0], np.hypot.reduce(np.diff(path, axis=0), axis=1).cumsum()])
    even = np.stack([np.interp(np.linspace(0, length[-1], LEVELS), length, channel) for channel in path.T], 1)
    return (_from_oklab(even) * 255).round().clip(0, 255).astype(np.uint8)


def to_oklab(srgb: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB in [0, 1] → (N, 3) OKLab."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _CONES.T) @ _LAB.T


def _from_oklab(lab: np.ndarray) -> np.ndarray:
    linear = ((lab @ np.linalg.inv(_LAB).T) ** 3 @ np.linalg.inv(_CONES).T).clip(0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def picture(values: np.ndarray, highest: float, dark: bool) -> QImage:
    """log p (rows, columns), the lowest row first, as a picture that is transparent where it would be paper."""
    share = np.nan_to_num((values - (highest - NATS)) / NATS, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    level = (share[::-1] * (LEVELS - 1)).astype(np.intp)
    rgb = colours(dark)[level]
    # The paper's own grid lines show through where there is little.
    alpha = (level * 8).clip(0, 255)[..., None].astype(np.uint8)
    pixels = np.ascontiguousarray(np.concatenate([rgb, alpha], 2))
    rows, columns = level.shape
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def paint_legend(painter: QPainter, box: QRectF, highest: float, tokens: Tokens) -> None:
    """The colours with their values in nats, in the lower right corner of a box of the painter."""
    metrics = QFontMetricsF(painter.font())
    low, high = f"≤ {number(highest - NATS, 1)}", number(highest, 1)
    title, gap = tr("log p (nats)"), 6.0
    texts = [metrics.horizontalAdvance(text) for text in (title, low, high)]
    width = sum(texts) + BAR[0] + 5 * gap + gap
    place = QRectF(box.right() - width - 6, box.bottom() - 26, width, 20)
    ground = QColor(tokens.bg)
    ground.setAlphaF(0.85)
    painter.setPen(QPen(QColor(tokens.border), 1))
    painter.setBrush(ground)
    painter.drawRoundedRect(place, 4, 4)
    painter.setPen(QColor(tokens.text_dim))
    upright, x = Qt.AlignmentFlag.AlignVCenter, place.left() + gap
    for text, wide in zip((title, low), texts, strict=False):
        painter.drawText(QRectF(x, place.top(), wide + 1, place.height()), upright, text)
        x += wide + gap + (gap if text == title else 0)
    rows = np.ascontiguousarray(colours(tokens.dark)[None])
    bar = QImage(rows.data, LEVELS, 1, 3 * LEVELS, QImage.Format.Format_RGB888)
    corner = QPointF(x, place.center().y() - BAR[1] / 2)
    painter.drawImage(QRectF(corner.x(), corner.y(), *BAR), bar)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(tokens.border), 1))
    painter.drawRect(QRectF(corner.x(), corner.y(), *BAR))
    painter.setPen(QColor(tokens.text_dim))
    painter.drawText(QRectF(x + BAR[0] + gap, place.top(), texts[2] + 1, place.height()), upright, high)
