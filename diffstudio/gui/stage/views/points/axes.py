"""The frame of the plane: grid lines at round numbers, quiet labels, the names of the axes."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.points.plane import Plane, decimals, step_for, ticks

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 4, 26  # logical pixels around the plot
APART = 64  # logical pixels between labels at least


def plot_box(width: float, height: float) -> QRectF:
    """The plot inside a widget: logical pixels."""
    return QRectF(LEFT, TOP, max(1.0, width - LEFT - RIGHT), max(1.0, height - TOP - BOTTOM))


def paint_grid(painter: QPainter, plot: QRectF, plane: Plane, ratio: float, tokens: Tokens) -> None:
    """Lines at the ticks, the two axes through zero stronger, and the frame."""
    line, axis = QColor(tokens.surface), QColor(tokens.border)
    for vertical, value, at in _ticks(plot, plane, ratio):
        painter.setPen(QPen(axis if value == 0 else line, 1))
        if vertical:
            painter.drawLine(round(at), round(plot.top()), round(at), round(plot.bottom()))
        else:
            painter.drawLine(round(plot.left()), round(at), round(plot.right()), round(at))
    painter.setPen(QPen(axis, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(plot.adjusted(0.5, 0.5, -0.5, -0.5))


def paint_labels(
    painter: QPainter, plot: QRectF, plane: Plane, ratio: float, tokens: Tokens, font: QFont, unit: str
) -> None:
    """Numbers below and at the left of the plot, and what they count."""
    painter.setFont(legend.small(font))
    painter.setPen(QColor(tokens.text_dim))
    places = decimals(_step(plane, ratio))
    names = tr("x₁"), tr("x₂")
    across = f"{names[0]} ({unit})" if unit else names[0]
    name_width = painter.fontMetrics().horizontalAdvance(across) + 8
    right, centre = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignVCenter
    for vertical, value, at in _ticks(plot, plane, ratio):
        text = number(value, places)
        if vertical and at < plot.right() - name_width - 16:
            painter.drawText(QRectF(at - 40, plot.bottom() + 4, 80, 16), Qt.AlignmentFlag.AlignCenter, text)
        elif not vertical and at > plot.top() + 24:
            painter.drawText(QRectF(0, at - 8, plot.left() - 6, 16), right | centre, text)
    painter.drawText(QRectF(plot.right() - name_width, plot.bottom() + 4, name_width, 16), right | centre, across)
    painter.drawText(QRectF(0, plot.top(), plot.left() - 6, 16), right | centre, names[1])


def _step(plane: Plane, ratio: float) -> float:
    return step_for(APART * ratio / plane.scale)


def _ticks(plot: QRectF, plane: Plane, ratio: float) -> list[tuple[bool, float, float]]:
    """Whether it is a vertical line, its value, and where it lies in logical pixels of the widget."""
    step = _step(plane, ratio)
    left, top = plane.to_world(0, 0)
    right, bottom = plane.to_world(plot.width() * ratio, plot.height() * ratio)
    upright = [(True, v, plot.left() + (plane.x + v * plane.scale) / ratio) for v in ticks(left, right, step)]
    return upright + [(False, v, plot.top() + (plane.y - v * plane.scale) / ratio) for v in ticks(bottom, top, step)]
