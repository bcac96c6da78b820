"""The still layer: everything that stays while the playhead moves, painted once into a pixmap."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap, QRegion

from diffstudio.gui.timeline.axis import Band, Cell
from diffstudio.gui.timeline.lanes import paint_lanes
from diffstudio.gui.timeline.scene import Scene
from diffstudio.gui.timeline.strip import FRAME, paint_cell, paint_strip
from diffstudio.gui.timeline.thumbnails import Thumbnails


class Layer:
    """A pixmap of a scene. New thumbnails are painted into it one by one."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        self._pixmap: QPixmap | None = None
        self._scene: Scene | None = None
        self._cells: list[tuple[Band, Cell]] = []

    def pixmap(self, scene: Scene, size: QSize, ratio: float) -> QPixmap:
        """The scene without what moves; also says which thumbnails it wants."""
        kept = self._pixmap
        if kept is not None and scene is self._scene and kept.devicePixelRatio() == ratio:
            return kept
        if kept is None or kept.devicePixelRatio() != ratio or kept.deviceIndependentSize().toSize() != size:
            kept = QPixmap(math.ceil(size.width() * ratio), math.ceil(size.height() * ratio))
            kept.setDevicePixelRatio(ratio)
        self._pixmap, self._scene = kept, scene
        self._thumbnails.set_side(scene.rows.side - 2 * FRAME, ratio)
        kept.fill(QColor(scene.tokens.surface))
        painter = QPainter(kept)
        paint_strip(painter, scene, self._thumbnails.get)
        paint_lanes(painter, scene)
        painter.end()
        axis = scene.axis
        self._cells = [(band, cell) for band in axis.bands for cell in axis.cells(band, 0, axis.width)]
        beside = [c.record for band in axis.bands for c in axis.cells(band, -axis.width / 2, axis.width * 1.5)]
        self._thumbnails.want([cell.record for _, cell in self._cells] + beside)
        return kept

    def update_record(self, record: int) -> QRegion:
        """Paint a record's cells again, now that its picture is there; returns where."""
        region = QRegion()
        if self._pixmap is None or self._scene is None:
            return region
        changed = [(band, cell) for band, cell in self._cells if cell.record == record]
        if changed:
            painter = QPainter(self._pixmap)
            for band, cell in changed:
                paint_cell(painter, self._scene, band, cell, self._thumbnails.get)
                row = self._scene.rows.strip
                region += QRect(cell.left - 1, row.top(), self._scene.axis.cell_side(band) + 2, row.height())
            painter.end()
        return region
