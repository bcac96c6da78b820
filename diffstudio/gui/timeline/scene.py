"""What the painters of the timeline look at."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QPainter, QPen

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.timeline.axis import Axis, Band
from diffstudio.gui.timeline.compared import Comparison
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.rows import Rows
from diffstudio.traces.reader import Trace

ROUND = 4.0


@dataclass(frozen=True, eq=False)
class Scene:
    """A trace laid out. curves: of the lanes that have a row; font: of labels; small: of the ruler and the lanes.

    trouble: the first record that is not finite.  comparison: the runs beside this one, None where it is alone.
    """

    trace: Trace
    axis: Axis
    rows: Rows
    curves: tuple[Curve, ...]
    tokens: Tokens
    clock: str
    font: QFont
    small: QFont
    trouble: int | None = None
    comparison: Comparison | None = None


@functools.lru_cache(maxsize=256)
def colour(text: str, alpha: float = 1.0) -> QColor:
    """A token's colour, more or less transparent; kept, and not to be changed."""
    out = QColor(text)
    out.setAlphaF(alpha)
    return out


@functools.lru_cache(maxsize=256)
def mixed(over: str, under: str, share: float) -> QColor:
    """Two tokens mixed, `share` of the first. Opaque: Qt draws transparent frames ten times slower."""
    a, b = QColor(over), QColor(under)
    parts = zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)  # pyright: ignore[reportIndexIssue]
    return QColor(*(round(share * x + (1 - share) * y) for x, y in parts))


def fonts(font: QFont) -> tuple[QFont, QFont]:
    """For labels, and for the ruler and the lanes: one and two pixels smaller than the window's."""
    label, small = tabular(font), tabular(font)
    pixels = QFontInfo(font).pixelSize()
    label.setPixelSize(max(9, pixels - 1))
    small.setPixelSize(max(9, pixels - 2))
    return label, small


def tabular(font: QFont) -> QFont:
    """The font with digits of one width, so that changing numbers don't shake."""
    out = QFont(font)
    out.setFeature(QFont.Tag("tnum"), 1)
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
