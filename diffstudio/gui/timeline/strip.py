"""Painting of what stands still while the playhead moves: bands, their labels, the ruler, the film strip."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen, QPixmap

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.axis import Band, Cell
from diffstudio.gui.timeline.reading import chain_title, end_labels
from diffstudio.gui.timeline.rows import TICKS, rows_for
from diffstudio.gui.timeline.ruler import ticks
from diffstudio.gui.timeline.scene import ROUND, Scene, colour, fonts, mixed, paint_box

FRAME = 1  # px around each picture
PAD = 6  # between a band's edge and its labels
RECORD_TICKS_FROM = 3.5  # px between records from which on each has its own tick
LIVE_LINE = 2  # px, how much of an unfinished run is there
Pictures = Callable[[int], QPixmap | None]


def paint_strip(painter: QPainter, scene: Scene, pictures: Pictures) -> None:
    """Box, header, ruler and film strip of every band."""
    for band in scene.axis.bands:
        left, right = scene.axis.extent(band)
        if right < 0 or left > scene.axis.width:
            continue
        paint_box(painter, scene, band, scene.rows.box)
        _paint_header(painter, scene, band)
        _paint_ruler(painter, scene, band)
        for cell in visible_cells(scene, band):
            paint_cell(painter, scene, band, cell, pictures)
    if scene.axis.zoom > 1:
        _paint_overview(painter, scene)


def visible_cells(scene: Scene, band: Band) -> list[Cell]:
    """The cells of a band that are in view."""
    return scene.axis.cells(band, 0, scene.axis.width)


def paint_cell(painter: QPainter, scene: Scene, band: Band, cell: Cell, pictures: Pictures) -> None:
    """One picture of the film strip; a frame where there is none (yet)."""
    side, tokens = scene.axis.cell_side(band), scene.tokens
    place = QRect(cell.left, scene.rows.strip.top() + (scene.rows.side - side) // 2, side, side)
    inside = place.adjusted(FRAME, FRAME, -FRAME, -FRAME)
    picture = pictures(cell.record)
    if picture is not None:
        painter.fillRect(place, mixed(tokens.border, tokens.bg, 0.5))  # a picture in the paper's colour is still one
        painter.drawPixmap(inside, picture)
    else:
        recorded = cell.record < len(scene.trace)
        painter.fillRect(place, mixed(tokens.border, tokens.bg, 0.8 if recorded else 0.5))
        painter.fillRect(inside, mixed(tokens.raised, tokens.bg, 0.5 if recorded else 0.0))


def _paint_header(painter: QPainter, scene: Scene, band: Band) -> None:
    """Names of the chain's two ends, and between them where it goes."""
    start, end = scene.axis.extent(band)
    left, right = max(0, start) + PAD, min(round(scene.axis.width), end) - PAD
    row, metrics = scene.rows.header, QFontMetrics(scene.font)
    painter.setFont(scene.font)
    painter.setPen(colour(scene.tokens.text_dim))
    title = chain_title(scene.trace, band.span.chain)
    third = (right - left) // 3
    first, last = end_labels(scene.trace, band.span)
    ends = [(first, Qt.AlignmentFlag.AlignLeft)] if start >= 0 else []
    ends += [(last, Qt.AlignmentFlag.AlignRight)] if end <= scene.axis.width else []  # out of view: no label
    middle = metrics.elidedText(f"{title} →", Qt.TextElideMode.ElideRight, right - left - 2 * PAD)
    half = (right - left - metrics.horizontalAdvance(middle)) // 2 - PAD
    for text, align in ends:
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, min(half, third))
        if len(shown) > 1:  # a lone … says nothing
            painter.drawText(_line(row, left, right), align | Qt.AlignmentFlag.AlignVCenter, shown)
    painter.drawText(_line(row, left, right), Qt.AlignmentFlag.AlignCenter, middle)


def _line(row: QRect, left: int, right: int) -> QRect:
    return QRect(left, row.top() + 1, max(0, right - left), row.height())


def _paint_ruler(painter: QPainter, scene: Scene, band: Band) -> None:
    """Round values of the clock, and where there is room a tick for every record."""
    axis, row = scene.axis, scene.rows.ruler
    bottom = row.bottom() - 1
    xs = band.xs - axis.offset
    seen = xs[(xs >= 0) & (xs <= axis.width)]
    painter.setPen(colour(scene.tokens.border))
    if len(seen) and (seen[-1] - seen[0]) / len(seen) >= RECORD_TICKS_FROM:
        for x in seen.tolist():
            painter.drawLine(round(x), bottom - 1, round(x), bottom)
    metrics = QFontMetrics(scene.small)
    painter.setFont(scene.small)
    left, right = axis.extent(band)
    for tick in ticks(axis, band, scene.clock):
        x, half = round(tick.x), metrics.horizontalAdvance(tick.text) // 2
        painter.setPen(colour(scene.tokens.disabled))
        painter.drawLine(x, bottom - 3, x, bottom)
        at = min(max(x - half, left + 2, 2), right - 2 * half - 3, round(axis.width) - 2 * half - 3)
        painter.setPen(colour(scene.tokens.text_dim))
        painter.drawText(at, row.bottom() + 1 - TICKS - metrics.descent() + 1, tick.text)
    if not scene.trace.complete and band.span.known > 0:
        end = xs[band.span.known - 1]
        painter.fillRect(QRectF(xs[0], row.bottom() - 1, end - xs[0], LIVE_LINE), colour(scene.tokens.lane_a))


def _paint_overview(painter: QPainter, scene: Scene) -> None:
    """Zoomed: a thin bar at the foot says which part is in view."""
    axis, y = scene.axis, scene.rows.bottom + 4.0
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour(scene.tokens.border), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(1, y), QPointF(axis.width - 1, y))
    painter.setPen(QPen(colour(scene.tokens.text_dim), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    scale = axis.width / axis.content
    start = axis.offset * scale
    painter.drawLine(QPointF(start + 1, y), QPointF(start + axis.width * scale - 1, y))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_empty(painter: QPainter, tokens: Tokens, size: QSize, font: QFont) -> None:
    """The frame that a trace will fill, and what to do for it."""
    painter.fillRect(QRect(QPoint(0, 0), size), colour(tokens.surface))
    rows = rows_for(size.width(), size.height(), QFontMetrics(fonts(font)[0]).height(), 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(colour(tokens.border))
    painter.setBrush(colour(tokens.bg))
    for row in (rows.box, *rows.lanes):
        painter.drawRoundedRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5), ROUND, ROUND)
    painter.setPen(colour(tokens.text_dim))
    painter.setFont(font)
    painter.drawText(rows.box, Qt.AlignmentFlag.AlignCenter, tr("Generate to see both chains here."))
