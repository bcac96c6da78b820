"""Painting of several runs in the lanes: a line each, their numbers at the playhead, and where they part."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen, QPolygonF

from diffstudio.gui.kit.run_marks import run_colour, run_letter, run_pen
from diffstudio.gui.timeline.compared import Comparison
from diffstudio.gui.timeline.curves import Curve
from diffstudio.gui.timeline.lane_lines import height_of, pieces
from diffstudio.gui.timeline.scene import Scene, colour

DOT = 3.0
FEW = 3  # numbers beside each other at the right of a lane
PAD = 6


def paint_lines(painter: QPainter, scene: Scene, comparison: Comparison, number: int) -> None:
    """The curves of all runs in a lane; the leading one is painted last, over the others."""
    curve, row = scene.curves[number], scene.rows.lanes[number]
    painter.save()
    painter.setClipRect(QRect(0, row.top(), round(scene.axis.width), row.height()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for line in comparison.lines[number]:
        for xs, part in zip(line.xs, line.parts, strict=True):
            good = np.isfinite(xs) & np.isfinite(part)  # a distance has numbers at some records alone: they are joined
            _stroke(painter, scene, curve, row, line.mark, xs[good], part[good])
    for band, part in zip(scene.axis.bands, curve.parts, strict=True):
        _stroke(painter, scene, curve, row, comparison.lead, band.xs[: len(part)], part)
    painter.restore()


def _stroke(
    painter: QPainter, scene: Scene, curve: Curve, row: QRect, mark: int, xs: np.ndarray, part: np.ndarray
) -> None:
    for x, y in pieces(xs - scene.axis.offset, np.asarray(height_of(curve, row, part))):
        if len(x) == 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(run_colour(scene.tokens, mark))
            painter.drawEllipse(QPointF(x[0], y[0]), 1.5, 1.5)
            continue
        painter.setPen(run_pen(scene.tokens, mark))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))


def paint_partings(painter: QPainter, scene: Scene, comparison: Comparison) -> None:
    """Where each run leaves the leading one for the first time in a chain: a line through the lanes with its letter."""
    rows, metrics = scene.rows, QFontMetrics(scene.small)
    if not rows.lanes:
        return
    top, bottom = rows.lanes[0].top(), rows.lanes[-1].bottom()
    painter.setFont(scene.small)
    taken: list[QRectF] = []
    for run in comparison.runs:
        for chain in (0, 1):
            found = run.divergence.first(scene.trace, chain) if run.divergence is not None else None
            if found is None:
                continue
            x = scene.axis.x_of(found.first)
            painter.setPen(QPen(run_colour(scene.tokens, run.mark), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
            text = f"≠ {run_letter(run.mark)}"
            place = QRectF(x + 2, top + 1, metrics.horizontalAdvance(text) + PAD, metrics.height())
            while any(place.intersects(other) for other in taken):
                place.translate(0, metrics.height())
            taken.append(place)
            painter.fillRect(place, colour(scene.tokens.bg, 0.8))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def paint_numbers(
    painter: QPainter, scene: Scene, comparison: Comparison, record: int, others: dict[int, int | None]
) -> None:
    """Each run's number at the moment of the playhead, at a lane's right, and dots on the curves.

    others: the record of each run at that moment, by its mark; None where it has none.
    """
    painter.setFont(scene.small)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for number, (curve, row) in enumerate(zip(scene.curves, scene.rows.lanes, strict=True)):
        found = _numbers(scene, comparison, number, record, others)
        for mark, x, value in found:
            if math.isfinite(value) and math.isfinite(x):
                painter.setPen(QPen(colour(scene.tokens.bg), 1))
                painter.setBrush(run_colour(scene.tokens, mark))
                painter.drawEllipse(QPointF(x, float(height_of(curve, row, value))), DOT, DOT)
        _write(painter, scene, curve, row, [(mark, value) for mark, _, value in found])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _numbers(
    scene: Scene, comparison: Comparison, number: int, record: int, others: dict[int, int | None]
) -> list[tuple[int, float, float]]:
    """Mark, place in the view and number of each run that has one."""
    curve, found = scene.curves[number], []
    if curve.parts and len(curve.parts[0]):
        value = curve.at(scene.trace, scene.axis.spans, record)
        found.append((comparison.lead, scene.axis.x_of(record), value))
    for line in comparison.lines[number]:
        at = record if line.of_leading else others.get(line.mark)
        if at is not None:
            x, value = line.at(at)
            found.append((line.mark, x - scene.axis.offset, value))
    return [(mark, x, value) for mark, x, value in found if not math.isnan(value)]


def _write(painter: QPainter, scene: Scene, curve: Curve, row: QRect, found: list[tuple[int, float]]) -> None:
    metrics, right = QFontMetrics(scene.small), scene.axis.width - 3
    for mark, value in reversed(found[:FEW]):
        text = f"{run_letter(mark)} {curve.text(value)}"
        width = metrics.horizontalAdvance(text) + PAD
        place = QRectF(right - width, row.top() + 2, width, metrics.height())
        painter.fillRect(place, colour(scene.tokens.bg, 0.8))
        painter.setPen(run_colour(scene.tokens, mark))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        right -= width
