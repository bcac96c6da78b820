"""Small print on the canvas: notes, the colour bar of signed tensors, the focus frame, centred messages."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.stage.views.raster import diverging, to_image

FOOTER = 26  # logical pixels below the samples, always kept free so that flipping tensors moves nothing
BAR_WIDTH, BAR_HEIGHT = 120.0, 8.0


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


def paint_note(painter: QPainter, box: QRectF, text: str, tokens: Tokens) -> None:
    """Quiet text at the left of the footer."""
    painter.setPen(QColor(tokens.text_dim))
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def paint_bar(painter: QPainter, box: QRectF, limit: float, tokens: Tokens) -> None:
    """The diverging map with its limits, at the right of the footer."""
    digits = 2 if limit >= 0.1 else 4
    low, high = number(-limit, digits), number(limit, digits)
    metrics = QFontMetricsF(painter.font())
    middle = box.center().y()
    right = box.right() - metrics.horizontalAdvance(high)
    bar = QRectF(right - 6 - BAR_WIDTH, middle - BAR_HEIGHT / 2, BAR_WIDTH, BAR_HEIGHT)
    painter.drawImage(bar, to_image(np.ascontiguousarray(diverging(tokens.dark)[None])))
    painter.setPen(QPen(QColor(tokens.border), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
    painter.setPen(QColor(tokens.text_dim))
    upright = Qt.AlignmentFlag.AlignVCenter
    painter.drawText(QRectF(right, box.top(), box.right() - right, box.height()), upright, high)
    left = QRectF(box.left(), box.top(), bar.left() - 6 - box.left(), box.height())
    painter.drawText(left, upright | Qt.AlignmentFlag.AlignRight, low)


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
