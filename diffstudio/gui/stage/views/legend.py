"""Small print on the canvas: notes, the legends of colour maps, the focus frame, centred messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.stage.views.raster import blended, diverging, greys, to_image

FOOTER = 26  # logical pixels below the samples, always kept free so that flipping tensors moves nothing
BAR_WIDTH, LEAST_BAR, BAR_HEIGHT = 120.0, 40.0, 8.0
SPACE = 6.0  # between a bar and its numbers
GROUND = 0.85  # opacity of the paper below a note in a plot


def small(font: QFont, pixels: int = 11) -> QFont:
    """The widget's font for small print, figures of equal width."""
    out = hatted(font)
    out.setPixelSize(pixels)
    out.setFeature(QFont.Tag("tnum"), 1)
    return out


def hatted(font: QFont) -> QFont:
    """The font so that x̂ gets its hat: Qt 6.11 misplaces the mark by the table of DejaVu, not by its own rule."""
    out = QFont(font)
    out.setFeature(QFont.Tag("mark"), 0)
    return out


@dataclass(frozen=True)
class Scale:
    """A colour map as a legend shows it. pixels: (H, W) uint32 0xffRRGGBB.  low, high: what its ends stand for."""

    pixels: np.ndarray
    low: str
    high: str
    title: str = ""


def signed_scale(limit: float, tokens: Tokens) -> Scale:
    """The diverging map with its limits."""
    digits = 2 if limit >= 0.1 else 4
    return Scale(diverging(tokens.dark)[None], number(-limit, digits), number(limit, digits))


def grey_scale(low: str, high: str, title: str = "") -> Scale:
    """From black to white."""
    return Scale(greys()[None], low, high, title)


def ramp_scale(colour: str, most: float, low: str, high: str, title: str, tokens: Tokens) -> Scale:
    """From the paper to a colour of some opacity."""
    return Scale(blended(colour, np.linspace(0, most, 256), tokens)[None], low, high, title)


def paint_footer(painter: QPainter, box: QRectF, note: str, scales: Sequence[Scale], tokens: Tokens) -> None:
    """A note at the left, the legends of the colours at the right; where they would meet the bars become shorter, and
    at last the note is cut."""
    room = box.width() - QFontMetricsF(painter.font()).horizontalAdvance(note) - 3 * SPACE
    paint_note(painter, paint_scales(painter, box, scales, tokens, room), note, tokens)


def paint_note(painter: QPainter, box: QRectF, text: str, tokens: Tokens) -> None:
    """Quiet text at the left of the footer."""
    painter.setPen(QColor(tokens.text_dim))
    text = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)


def paint_grounded(painter: QPainter, box: QRectF, text: str, tokens: Tokens) -> None:
    """A note at the left of a box, on paper of its own: it is read also where arrows and dots are drawn."""
    if not text:
        return
    wide = min(box.width(), QFontMetricsF(painter.font()).horizontalAdvance(text))
    ground = QColor(tokens.bg)
    ground.setAlphaF(GROUND)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(box.left() - 5, box.top() - 2, wide + 10, box.height() + 4), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    paint_note(painter, box, text, tokens)


def paint_scales(
    painter: QPainter, box: QRectF, scales: Sequence[Scale], tokens: Tokens, room: float = math.inf
) -> QRectF:
    """Colour maps with their ends, at the right of the footer, if it goes in so much room; what is left of it."""
    metrics, rest = QFontMetricsF(painter.font()), QRectF(box)
    texts = sum(metrics.horizontalAdvance(f"{scale.title}{scale.low}{scale.high}") + 5 * SPACE for scale in scales)
    wide = max(LEAST_BAR, min(BAR_WIDTH, (min(room, box.width()) - texts) / max(1, len(scales))))
    for scale in reversed(scales):
        rest.setRight(_paint_scale(painter, rest, scale, wide, tokens) - 2 * SPACE)
    return rest


def _paint_scale(painter: QPainter, box: QRectF, scale: Scale, wide: float, tokens: Tokens) -> float:
    """One at the right of a box; where it begins."""
    metrics, upright = QFontMetricsF(painter.font()), Qt.AlignmentFlag.AlignVCenter
    right = box.right() - metrics.horizontalAdvance(scale.high)
    bar = QRectF(right - SPACE - wide, box.center().y() - BAR_HEIGHT / 2, wide, BAR_HEIGHT)
    painter.drawImage(bar, to_image(scale.pixels))
    painter.setPen(QPen(QColor(tokens.border), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
    painter.setPen(QColor(tokens.text_dim))
    painter.drawText(QRectF(right, box.top(), box.right() - right, box.height()), int(upright), scale.high)
    before = f"{scale.title}  {scale.low}" if scale.title else scale.low
    left = bar.left() - SPACE - metrics.horizontalAdvance(before)
    beside = QRectF(left, box.top(), bar.left() - SPACE - left, box.height())
    painter.drawText(beside, int(upright | Qt.AlignmentFlag.AlignRight), before)
    return left


def paint_message(painter: QPainter, box: QRectF, text: str, tokens: Tokens) -> None:
    """A sentence in the middle, in place of what can't be shown."""
    painter.setPen(QColor(tokens.text_dim))
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def paint_focus(painter: QPainter, box: QRectF, tokens: Tokens) -> None:
    """The frame of a view that the keyboard has reached."""
    painter.setPen(QPen(QColor(tokens.lane_a), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))


def gain_note(gain: float) -> str:
    """What is done to make x_t visible where the path lets it grow: "shown ÷ 3.20", or ""."""
    return tr("shown ÷ {}").format(number(1 / gain, 2)) if 0 < gain < 1 else ""
