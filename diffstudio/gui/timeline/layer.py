"""The still layer: everything that stays while the playhead moves, painted once into a pixmap."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap, QRegion

from diffstudio.gui.kit.painted import painter_on
from diffstudio.gui.timeline.axis import Band, Cell
from diffstudio.gui.timeline.lanes import paint_lane
from diffstudio.gui.timeline.scene import Scene
from diffstudio.gui.timeline.strip import FRAME, paint_cell, paint_strip
from diffstudio.gui.timeline.thumbnails import Thumbnails


class Layer:
    """A pixmap of a scene. New thumbnails are painted into it one by one.

    Of a run that begins, or has only grown (more records, nothing moved), one part is painted at a time: to paint all
    at once would hold the window up at every growth. `unfinished`: parts are still as they were before, or empty.
    """

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        self._pixmap: QPixmap | None = None
        self._scene: Scene | None = None
        self._cells: list[tuple[Band, Cell]] = []
        self._due: deque[int] = deque()  # parts: the strip (-1) and the lanes by number

    @property
    def unfinished(self) -> bool:
        """Whether another paint has something to add."""
        return bool(self._due)

    def pixmap(self, scene: Scene, size: QSize, ratio: float) -> QPixmap:
        """The scene without what moves; also says which thumbnails it wants."""
        kept, before = self._pixmap, self._scene
        same = kept is not None and kept.devicePixelRatio() == ratio
        same = same and kept.deviceIndependentSize().toSize() == size  # pyright: ignore[reportOptionalMemberAccess]
        many = 1
        if same and before is not None and scene is not before and _has_grown(before, scene):
            self._scene = scene
            # What is painted already goes to the end: a run that grows fast must not starve the others.
            self._due = deque(dict.fromkeys((*self._due, *self._parts(scene))))
        elif not same or scene is not before:
            if not same:
                self._pixmap = QPixmap(math.ceil(size.width() * ratio), math.ceil(size.height() * ratio))
                self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(QColor(scene.tokens.surface))  # pyright: ignore[reportOptionalMemberAccess]
            self._scene, self._due = scene, deque(self._parts(scene))
            self._thumbnails.set_side(scene.rows.side - 2 * FRAME, ratio)
            begins = before is not None and scene.trace is not before.trace and not scene.trace.complete
            many = 1 if begins else len(self._due)
        self._paint(scene, many)
        assert self._pixmap is not None
        return self._pixmap

    def _parts(self, scene: Scene) -> range:
        return range(-1, len(scene.curves))

    def _paint(self, scene: Scene, many: int) -> None:
        """Some of the parts that are due."""
        if not self._due or self._pixmap is None:
            return
        with painter_on(self._pixmap) as painter:
            for _ in range(many):
                part = self._due.popleft()
                if part < 0:
                    self._paint_strip(painter, scene)
                else:
                    _clear(painter, scene, scene.rows.lanes[part])
                    paint_lane(painter, scene, part)

    def _paint_strip(self, painter: QPainter, scene: Scene) -> None:
        axis, rows = scene.axis, scene.rows
        _clear(painter, scene, rows.box)
        _clear(painter, scene, QRect(0, rows.bottom + 1, rows.box.width(), math.ceil(axis.width)))
        paint_strip(painter, scene, self._thumbnails.get)
        self._cells = [(band, cell) for band in axis.bands for cell in axis.cells(band, 0, axis.width)]
        beside = [c.record for band in axis.bands for c in axis.cells(band, -axis.width / 2, axis.width * 1.5)]
        self._thumbnails.want([cell.record for _, cell in self._cells] + beside)

    def update_record(self, record: int) -> QRegion:
        """Paint a record's cells again, now that its picture is there; returns where."""
        region = QRegion()
        if self._pixmap is None or self._scene is None:
            return region
        changed = [(band, cell) for band, cell in self._cells if cell.record == record]
        if changed:
            with painter_on(self._pixmap) as painter:
                for band, cell in changed:
                    paint_cell(painter, self._scene, band, cell, self._thumbnails.get)
                    row = self._scene.rows.strip
                    region += QRect(cell.left - 1, row.top(), self._scene.axis.cell_side(band) + 2, row.height())
        return region


def _clear(painter: QPainter, scene: Scene, place: QRect) -> None:
    painter.fillRect(place, QColor(scene.tokens.surface))


def _has_grown(before: Scene, after: Scene) -> bool:
    """Whether a scene is another with more records and everything at its place."""
    return (
        (before.trace, before.rows, before.tokens, before.clock) == (after.trace, after.rows, after.tokens, after.clock)
        and (before.font, before.small) == (after.font, after.small)
        and _runs(before) == _runs(after)
        and len(before.curves) == len(after.curves)
        and np.array_equal(before.axis.xs - before.axis.offset, after.axis.xs - after.axis.offset)
    )


def _runs(scene: Scene) -> tuple[object, ...]:
    return () if scene.comparison is None else (scene.comparison.lead, *scene.comparison.runs)
