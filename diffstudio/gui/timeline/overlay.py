"""Painting of what moves over the still layer: playhead, values at it, in-out range, markers."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen, QPolygonF

from diffstudio.gui.timeline.lane_lines import height_of
from diffstudio.gui.timeline.rows import HEAD, TICKS
from diffstudio.gui.timeline.scene import Scene, colour

HEAD_HALF = 6.0
FLAG_WIDTH, FLAG_HEIGHT = 8, 8
GRIP = 6  # px, the reach of a range handle
DIM = 0.62  # opacity outside the range
VALUE_WIDTH = 64
DOT = 3.0
TROUBLE = 6.0  # px, the head of the mark of what is not finite
NOT_FINITE = "#ff00ff"  # as in every picture
FAINT = 0.3  # opacity of the playhead over words


def playhead_rect(scene: Scene, x: float) -> QRect:
    """What a playhead at x covers."""
    return QRect(round(x) - 8, 0, 17, scene.rows.bottom + 6)


def value_rects(scene: Scene) -> list[QRect]:
    """Where the lanes' values at the playhead stand."""
    right = round(scene.axis.width)
    return [QRect(right - VALUE_WIDTH - 4, row.top(), VALUE_WIDTH + 4, row.height()) for row in scene.rows.lanes]


def flag_rect(scene: Scene, record: int) -> QRect:
    """Where a marker's flag is; its pole stands at the record."""
    row = scene.rows.ruler
    return QRect(round(scene.axis.x_of(record)), row.bottom() - FLAG_HEIGHT, FLAG_WIDTH, FLAG_HEIGHT)


def handle_rect(scene: Scene, record: int, last: bool) -> QRect:
    """Where the handle of the range's first or last record can be taken."""
    row, x = scene.rows.ruler, round(scene.axis.x_of(record))
    return QRect(x if last else x - GRIP - 2, row.top(), GRIP + 3, row.height())


def paint_range(painter: QPainter, scene: Scene, first: int, last: int, is_set: bool) -> None:
    """Dim what is outside, and draw the two handles: quiet ones while there is no range."""
    rows, axis = scene.rows, scene.axis
    x0, x1 = axis.x_of(first), axis.x_of(last)
    if is_set:
        shade = colour(scene.tokens.surface, DIM)
        top, height = rows.body_top, rows.bottom + 1 - rows.body_top
        painter.fillRect(QRectF(0, top, max(0.0, x0 - 1), height), shade)
        painter.fillRect(QRectF(x1 + 1, top, max(0.0, axis.width - x1 - 1), height), shade)
        between = QRectF(x0, rows.ruler.bottom() - 1, x1 - x0, 2)
        painter.fillRect(between, colour(scene.tokens.accent))
    ink = colour(scene.tokens.accent if is_set else scene.tokens.border)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    top, bottom = rows.ruler.bottom() + 1.0 - TICKS, rows.ruler.bottom() + 1.0
    for x, way in ((x0, -1.0), (x1, 1.0)):
        shape = QPainterPath(QPointF(x, top))
        shape.lineTo(x + way * GRIP, top)
        shape.lineTo(x + way * GRIP, bottom - 4)
        shape.lineTo(x, bottom)
        shape.closeSubpath()
        painter.drawPath(shape)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_markers(painter: QPainter, scene: Scene, markers: list[int], inside: QRect) -> None:
    """Flags on the ruler, with a pole down through the film strip."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for record in markers:
        flag = QRectF(flag_rect(scene, record))
        if flag.right() < inside.left() - 2 or flag.left() > inside.right() + 2:
            continue
        x = flag.left() + 0.5
        painter.setPen(QPen(colour(scene.tokens.lane_b, 0.9), 1))
        painter.drawLine(QPointF(x, flag.top()), QPointF(x, scene.rows.strip.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(scene.tokens.lane_b))
        notch = QPointF(flag.right() - 2, flag.center().y())
        painter.drawPolygon(QPolygonF([flag.topLeft(), flag.topRight(), notch, flag.bottomRight(), flag.bottomLeft()]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_trouble(painter: QPainter, scene: Scene) -> None:
    """Where the run became not finite: a line through film strip and lanes in the colour of such values."""
    if scene.trouble is None:
        return
    x, rows = scene.axis.x_of(scene.trouble), scene.rows
    ink = colour(NOT_FINITE)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.5))
    painter.drawLine(QPointF(x, rows.ruler.bottom() - TROUBLE), QPointF(x, rows.bottom))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    top = rows.ruler.bottom() - 2 * TROUBLE
    painter.drawEllipse(QPointF(x, top + TROUBLE / 2), TROUBLE / 2, TROUBLE / 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_playhead(painter: QPainter, scene: Scene, x: float) -> None:
    """The line and its head; over the words of header and ruler it is faint, so that they can be read."""
    ink, below = colour(scene.tokens.playhead), float(scene.rows.ruler.bottom() + 1 - TICKS)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour(scene.tokens.playhead, FAINT), 1.5))
    painter.drawLine(QPointF(x, HEAD), QPointF(x, below))
    painter.setPen(QPen(ink, 1.5))
    painter.drawLine(QPointF(x, below), QPointF(x, scene.rows.bottom + 4))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(x - HEAD_HALF, 1), QPointF(x + HEAD_HALF, 1), QPointF(x, HEAD - 1)]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_values(painter: QPainter, scene: Scene, record: int, x: float) -> None:
    """Each lane's number at the playhead at the lane's right, and a dot on its curve."""
    metrics = QFontMetrics(scene.small)
    painter.setFont(scene.small)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for curve, row in zip(scene.curves, scene.rows.lanes, strict=True):
        value = curve.at(scene.trace, scene.axis.spans, record)
        if math.isnan(value):
            continue
        if math.isfinite(value):
            painter.setPen(QPen(colour(scene.tokens.bg), 1))
            painter.setBrush(colour(getattr(scene.tokens, curve.lane.token)))
            painter.drawEllipse(QPointF(x, float(height_of(curve, row, value))), DOT, DOT)
        text = curve.text(value)
        width = metrics.horizontalAdvance(text) + 6
        place = QRectF(scene.axis.width - width - 3, row.top() + 2, width, metrics.height())
        painter.fillRect(place, colour(scene.tokens.bg, 0.8))
        painter.setPen(colour(scene.tokens.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
