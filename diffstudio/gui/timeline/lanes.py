"""Painting of the curve lanes under the film strip."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF

from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.axis import Band
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.scene import Scene, colour, paint_box

INSET = 4.0  # px between a curve and its lane's edge
LABEL_PAD = 4
HAT = "\u0302"  # combining circumflex
FILL = 0.16  # opacity below a curve
STRIDES = (16, 8, 4, 2)  # every so many points are enough where the rest lies on the line between them
TOLERANCE = 0.25  # px


def paint_lane(painter: QPainter, scene: Scene, number: int) -> None:
    """One of the lanes that have a row."""
    curve, row = scene.curves[number], scene.rows.lanes[number]
    for band, part in zip(scene.axis.bands, curve.parts, strict=True):
        left, right = scene.axis.extent(band)
        if right >= 0 and left <= scene.axis.width:
            paint_box(painter, scene, band, row)
            _paint_curve(painter, scene, curve, part, band, row)
    _paint_title(painter, scene, curve, row)


def height_of(curve: Curve, row: QRect, values: np.ndarray | float) -> np.ndarray | float:
    """Where values stand in a lane's row, in pixels of the view."""
    return row.bottom() - INSET - curve.share(values) * (row.height() - 1 - 2 * INSET)


def _paint_curve(painter: QPainter, scene: Scene, curve: Curve, part: np.ndarray, band: Band, row: QRect) -> None:
    xs = band.xs[: len(part)] - scene.axis.offset
    painter.save()
    painter.setClipRect(QRect(0, row.top(), round(scene.axis.width), row.height()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    token = getattr(scene.tokens, curve.lane.token)
    pen = QPen(colour(token), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.BevelJoin)
    for x, y in _pieces(xs, np.asarray(height_of(curve, row, part))):
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


def _pieces(xs: np.ndarray, ys: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The runs of finite values."""
    good = np.isfinite(ys)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    out = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        out.append(_thinned(xs[first:last], ys[first:last]))
    return out


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fewer points with the same look: stroking costs a microsecond each, at every record that a run appends."""
    for stride in STRIDES:
        if len(x) > 2 * stride:
            kept = np.append(np.arange(0, len(x) - 1, stride), len(x) - 1)
            if np.abs(np.interp(x, x[kept], y[kept]) - y).max() <= TOLERANCE:
                return x[kept], y[kept]
    if len(x) <= max(2.0, x[-1] - x[0]):
        return x, y
    starts = np.flatnonzero(np.diff(np.floor(x / 2), prepend=-np.inf))
    extremes = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], 1)
    return np.repeat(x[starts], 2), extremes.ravel()


def _paint_title(painter: QPainter, scene: Scene, curve: Curve, row: QRect) -> None:
    metrics = QFontMetrics(scene.small)
    text = tr(curve.lane.title)
    plain = text.replace(HAT, "")
    place = QRectF(LABEL_PAD, row.top() + 2, metrics.horizontalAdvance(plain) + 6, metrics.height())
    painter.fillRect(place, colour(scene.tokens.bg, 0.7))
    painter.setFont(scene.small)
    painter.setPen(colour(scene.tokens.text_dim))
    at = QPointF(place.left() + 3, place.top() + metrics.ascent())
    painter.drawText(at, plain)
    for i in (i for i, letter in enumerate(text) if letter == HAT):  # fonts set it high above an x, out of sight
        before = text[:i].replace(HAT, "")
        middle = metrics.horizontalAdvance(before) - metrics.horizontalAdvance(before[-1:]) / 2
        painter.drawText(at + QPointF(middle - metrics.horizontalAdvance("ˆ") / 2, 0), "ˆ")
