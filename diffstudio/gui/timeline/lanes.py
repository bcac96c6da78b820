"""Painting of the curve lanes under the film strip."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF

from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.axis import Band
from diffstudio.gui.timeline.compared_painting import paint_lines
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.lane_lines import height_of, pieces
from diffstudio.gui.timeline.scene import Scene, colour, paint_box

LABEL_PAD = 4
HAT = "\u0302"  # combining circumflex
FILL = 0.16  # opacity below a curve
SAMPLES = 24  # of a name's width, where the curve is looked at


def paint_lane(painter: QPainter, scene: Scene, number: int) -> None:
    """One of the lanes that have a row."""
    curve, row = scene.curves[number], scene.rows.lanes[number]
    for band, part in zip(scene.axis.bands, curve.parts, strict=True):
        left, right = scene.axis.extent(band)
        if right >= 0 and left <= scene.axis.width:
            paint_box(painter, scene, band, row)
            if scene.comparison is None:
                _paint_curve(painter, scene, curve, part, band, row)
    if scene.comparison is not None:
        paint_lines(painter, scene, scene.comparison, number)
    _paint_title(painter, scene, curve, row)


def _paint_curve(painter: QPainter, scene: Scene, curve: Curve, part: np.ndarray, band: Band, row: QRect) -> None:
    xs = band.xs[: len(part)] - scene.axis.offset
    painter.save()
    painter.setClipRect(QRect(0, row.top(), round(scene.axis.width), row.height()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    token = getattr(scene.tokens, curve.lane.token)
    pen = QPen(colour(token), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.BevelJoin)
    for x, y in pieces(xs, np.asarray(height_of(curve, row, part))):
        if len(x) == 1:  # a single record has no line
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(token))
            painter.drawEllipse(QPointF(x[0], y[0]), 1.5, 1.5)
            continue
        line = QPainterPath()
        line.addPolygon(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
        below = QPainterPath(line)
        below.lineTo(x[-1], row.bottom() + 1.0)
        below.lineTo(x[0], row.bottom() + 1.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # its edge is under the line: 40 times faster
        painter.fillPath(below, colour(token, FILL))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(line, pen)
    painter.restore()


def title_place(scene: Scene, curve: Curve, row: QRect, wide: float, high: float) -> QRectF:
    """Where a lane's name stands: at the left of a chain, above or below, where the curve leaves most room."""
    lefts = [left for left, right in map(scene.axis.extent, scene.axis.bands) if right - left > wide + 2 * LABEL_PAD]
    lefts = [max(0, left) for left in lefts if left < scene.axis.width - wide] or [0]
    tops = row.top() + 2, row.bottom() - high
    places = [QRectF(left + LABEL_PAD, top, wide, high) for left in lefts for top in tops]
    return min(places, key=lambda place: _crossed(scene, curve, row, place))  # the first of the best


def _crossed(scene: Scene, curve: Curve, row: QRect, place: QRectF) -> int:
    """How much of a place the curve runs through."""
    at, found = np.linspace(place.left(), place.right(), SAMPLES), 0
    for band, part in zip(scene.axis.bands, curve.parts, strict=True):
        xs, known = band.xs[: len(part)] - scene.axis.offset, np.isfinite(part)
        if known.any():
            ys = np.interp(at, xs[known], np.asarray(height_of(curve, row, part[known])), left=np.nan, right=np.nan)
            found += int(((ys >= place.top() - 1) & (ys <= place.bottom() + 1)).sum())
    return found


def _paint_title(painter: QPainter, scene: Scene, curve: Curve, row: QRect) -> None:
    metrics = QFontMetrics(scene.small)
    text = tr(curve.lane.title)
    plain = text.replace(HAT, "")
    place = title_place(scene, curve, row, metrics.horizontalAdvance(plain) + 6, metrics.height())
    painter.fillRect(place, colour(scene.tokens.bg, 0.7))
    painter.setFont(scene.small)
    painter.setPen(colour(scene.tokens.text_dim))
    at = QPointF(place.left() + 3, place.top() + metrics.ascent())
    painter.drawText(at, plain)
    for i in (i for i, letter in enumerate(text) if letter == HAT):  # fonts set it high above an x, out of sight
        before = text[:i].replace(HAT, "")
        middle = metrics.horizontalAdvance(before) - metrics.horizontalAdvance(before[-1:]) / 2
        painter.drawText(at + QPointF(middle - metrics.horizontalAdvance("ˆ") / 2, 0), "ˆ")
