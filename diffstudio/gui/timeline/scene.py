"""What the painters of the timeline look at."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from diffstudio.gui.theme import Tokens
from diffstudio.gui.timeline.axis import Axis, Band
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.rows import Rows
from diffstudio.traces.reader import Trace

ROUND = 4.0


@dataclass(frozen=True, eq=False)
class Scene:
    """A trace laid out. curves: of the lanes that have a row; font: of labels; small: of the ruler and the lanes."""

    trace: Trace
    axis: Axis
    rows: Rows
    curves: tuple[Curve, ...]
    tokens: Tokens
    clock: str
    font: QFont
    small: QFont


def colour(text: str, alpha: float = 1.0) -> QColor:
    """A token's colour, more or less transparent."""
    out = QColor(text)
    out.setAlphaF(alpha)
    return out


def paint_box(painter: QPainter, scene: Scene, band: Band, row: QRect) -> None:
    """A band's part of a row, as a field in the colour of plots; outlined where the theme is light."""
    left, right = scene.axis.extent(band)
    dark = scene.tokens.dark
    edge = 0.0 if dark else 0.5
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen if dark else QPen(colour(scene.tokens.border), 1))
    painter.setBrush(colour(scene.tokens.bg))
    field = QRectF(left + edge, row.top() + edge, right - left - 2 * edge, row.height() - 2 * edge)
    painter.drawRoundedRect(field, ROUND, ROUND)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
