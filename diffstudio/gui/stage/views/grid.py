"""Where the samples of a batch lie: a grid at whole-number scale, shrunk or scrolled where that does not fit.

All lengths are device pixels: a pixel of a sample covers scale × scale of them exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Gap between cells, and the smallest longer side of a cell that it goes with (logical pixels).
GAPS = ((8, 44), (6, 32), (4, 24), (2, 0))
SMALLEST = 16  # cells smaller than this (logical pixels) are scrolled instead
RAGGED = 0.8  # what a grid with an incomplete last row is worth beside a full one of the same scale


@dataclass(frozen=True)
class Grid:
    """count cells of width × height, `gap` apart; scale is 0 where the samples are shrunk.

    left, top: of the first cell, unscrolled.  content: height of all rows.  view: height that is visible.
    """

    count: int
    columns: int
    scale: int
    width: int
    height: int
    gap: int
    left: int
    top: int
    view: int

    @property
    def rows(self) -> int:
        """Rows, the last perhaps incomplete."""
        return -(-self.count // self.columns)

    @property
    def content(self) -> int:
        """Height of all rows and the gaps between them."""
        return self.rows * (self.height + self.gap) - self.gap

    @property
    def span(self) -> int:
        """Width of all columns and the gaps between them."""
        return self.columns * (self.width + self.gap) - self.gap

    @property
    def scroll_limit(self) -> int:
        """How far the grid can be scrolled down: 0 where everything is visible."""
        return max(0, self.content + 2 * self.top - self.view) if self.content + self.top > self.view else 0

    def cell(self, index: int, scroll: int = 0) -> tuple[int, int, int, int]:
        """Left, top, width, height of a sample's cell."""
        row, column = divmod(index, self.columns)
        x = self.left + column * (self.width + self.gap)
        y = self.top + row * (self.height + self.gap) - scroll
        return x, y, self.width, self.height

    def at(self, x: float, y: float, scroll: int = 0) -> tuple[int, float, float] | None:
        """The sample under a position, and where in its cell as fractions 0..1; None between cells."""
        column, dx = divmod(x - self.left, self.width + self.gap)
        row, dy = divmod(y + scroll - self.top, self.height + self.gap)
        index = int(row) * self.columns + int(column)
        inside = 0 <= column < self.columns and row >= 0 and dx < self.width and dy < self.height
        return (index, dx / self.width, dy / self.height) if inside and index < self.count else None

    def visible(self, scroll: int = 0) -> tuple[int, int]:
        """First visible sample (it begins a row), and one past the last."""
        pitch = self.height + self.gap
        first = max(0, (scroll - self.top) // pitch)
        last = min(self.rows, max(first, -(-(scroll + self.view - self.top) // pitch)))
        return first * self.columns, min(self.count, last * self.columns)

    def scroll_to(self, index: int, scroll: int) -> int:
        """The nearest scroll position at which a sample is wholly visible."""
        _, y, _, height = self.cell(index, 0)
        lowest, highest = y + height + self.top - self.view, y - self.top
        return max(0, min(self.scroll_limit, max(lowest, min(scroll, highest))))


def layout(count: int, width: int, height: int, room_width: int, room_height: int, ratio: float = 1.0) -> Grid:
    """The grid that shows `count` samples of width × height pixels largest in the room, with a margin.

    ratio: device pixels for a logical one.  Whole-number scales first; where not even 1 fits, cells are shrunk down
    to SMALLEST; below that the grid is as wide as the room and scrolls.
    """
    margin = round(6 * ratio)
    wide, high = max(1, room_width - 2 * margin), max(1, room_height - 2 * margin)
    columns = np.arange(1, count + 1)
    rows = -(-count // columns)
    gap, scales = 0, np.zeros(count)
    for logical, least in GAPS:
        gap = round(logical * ratio)
        scales = np.minimum(
            (wide - (columns - 1) * gap) / (columns * width), (high - (rows - 1) * gap) / (rows * height)
        )
        whole = np.floor(scales)
        best = _best(whole, rows * columns != count)
        cell = int(whole[best]) * max(width, height)
        if whole[best] >= 1 and cell >= max(least, SMALLEST) * ratio:
            scale = int(whole[best])
            return _centred(
                count, int(columns[best]), scale, (width * scale, height * scale), gap, room_width, room_height
            )
    smallest = round(SMALLEST * ratio)
    best = int(np.argmax(scales))
    fraction = min(1.0, float(scales[best]))
    if fraction * max(width, height) >= smallest:
        size = max(1, int(width * fraction)), max(1, int(height * fraction))
        return _centred(count, int(columns[best]), int(fraction == 1), size, gap, room_width, room_height)
    return _scrolled(count, width, height, smallest, gap, room_width, room_height, margin)


def _best(scales: np.ndarray, ragged: np.ndarray) -> int:
    """The largest scale; a full last row counts, then the earlier (narrower) grid."""
    return int(np.argmax(scales * np.where(ragged, RAGGED, 1.0)))


def _centred(count: int, columns: int, scale: int, size: tuple[int, int], gap: int, wide: int, high: int) -> Grid:
    grid = Grid(count, columns, scale, *size, gap, 0, 0, high)
    left, top = max(0, (wide - grid.span) // 2), max(0, (high - grid.content) // 2)
    return Grid(count, columns, scale, *size, gap, left, top, high)


def _scrolled(count: int, width: int, height: int, smallest: int, gap: int, wide: int, high: int, margin: int) -> Grid:
    """Cells of about the smallest size, as many columns as fit."""
    longer = max(width, height)
    scale = math.ceil(smallest / longer) if longer <= smallest else 0
    shrink = scale or smallest / longer
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    columns = max(1, min(count, (wide - 2 * margin + gap) // (size[0] + gap)))
    grid = Grid(count, columns, scale, *size, gap, 0, margin, high)
    return Grid(count, columns, scale, *size, gap, max(0, (wide - grid.span) // 2), margin, high)
