"""Painting of the curve lanes under the film strip."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF

from diffstudio.gui.timeline.axis import Band
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.scene import Scene, colour, paint_box
from diffstudio.gui.words import tr

INSET = 5.0  # px between a curve and its lane's edge
LABEL_PAD = 4
FILL = 0.16  # opacity below a curve
POINTS_PER_PIXEL = 2  # where there are more, their extremes are drawn


def paint_lanes(painter: QPainter, scene: Scene) -> None:
    """Every lane that has a row."""
    for curve, row in zip(scene.curves, scene.rows.lanes, strict=True):
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
    pen = QPen(colour(token), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    for x, y in _pieces(xs, np.asarray(height_of(curve, row, part))):
        if len(x) == 1:  # a single record has no line
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(token))
            painter.drawEllipse(QPointF(x[0], y[0]), 1.5, 1.5)
            continue
        line = QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
        below = QPainterPath()
        below.addPolygon(line)
        below.lineTo(x[-1], row.bottom() + 1.0)
        below.lineTo(x[0], row.bottom() + 1.0)
        painter.fillPath(below, colour(token, FILL))
        painter.setPen(pen)
        painter.drawPolyline(line)
    painter.restore()


def _pieces(xs: np.ndarray, ys: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The runs of finite values; where points outnumber pixels, the lowest and highest of each pixel."""
    good = np.isfinite(ys)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    out = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        x, y = xs[first:last], ys[first:last]
        if len(x) > POINTS_PER_PIXEL * max(2.0, x[-1] - x[0]):
            starts = np.flatnonzero(np.diff(np.floor(x), prepend=-np.inf))
            extremes = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], 1)
            x, y = np.repeat(np.floor(x[starts]), 2), extremes.ravel()
        out.append((x, y))
    return out


def _paint_title(painter: QPainter, scene: Scene, curve: Curve, row: QRect) -> None:
    metrics = QFontMetrics(scene.small)
    text = tr(curve.lane.title)
    place = QRectF(LABEL_PAD, row.top() + 2, metrics.horizontalAdvance(text) + 6, metrics.height())
    painter.fillRect(place, colour(scene.tokens.bg, 0.7))
    painter.setFont(scene.small)
    painter.setPen(colour(scene.tokens.text_dim))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
