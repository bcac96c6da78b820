"""Where the texts of a batch lie: as large as they can be read all at once, wrapped or scrolled where they can't."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from diffstudio.gui.stage.views.grid import Grid

GAP, MARGIN, PAD = 10, 8, 4  # logical pixels between samples, around all, around a sample's cells
SIZES = (32, 28, 24, 21, 18, 16, 14)  # of the letters, the largest first
ALONE = (72, 60, 50, 42, 36, *SIZES)  # of a single sample
WIDE, HIGH = 0.68, 1.5  # of a cell, for letters of size 1
LEAST = 8  # cells of a line that is wrapped to use larger letters


@dataclass(frozen=True)
class TextLayout:
    """Samples in a grid, in lines of `across` cells of wide × high, with letters of that size. Logical pixels."""

    grid: Grid
    length: int
    size: int
    across: int
    wide: int
    high: int

    @functools.cached_property
    def places(self) -> list[tuple[int, int]]:
        """Left and top of each cell, from its sample's first."""
        return [(i % self.across * self.wide, i // self.across * self.high) for i in range(self.length)]

    def cell(self, sample: int, index: int, scroll: int = 0) -> tuple[int, int, int, int]:
        """Left, top, width, height of one cell of a sample."""
        x, y, _, _ = self.grid.cell(sample, scroll)
        dx, dy = self.places[index]
        return x + PAD + dx, y + PAD + dy, self.wide, self.high

    def at(self, x: float, y: float, scroll: int = 0) -> tuple[int, int] | None:
        """Sample and cell at a position; None between samples, and beside the last cell of the last line."""
        found = self.grid.at(x, y, scroll)
        if found is None:
            return None
        left, top, _, _ = self.grid.cell(found[0], scroll)
        column = min(self.across - 1, max(0, int((x - left - PAD) // self.wide)))
        row = max(0, int((y - top - PAD) // self.high))
        index = row * self.across + column
        return (found[0], min(index, self.length - 1)) if index < self.length + PAD else None


def arrange(count: int, length: int, room: tuple[int, int], sizes: tuple[int, ...] = SIZES) -> TextLayout:
    """`count` texts of so many cells in the room: the largest letters with which all fit, else the smallest."""
    for size in sizes:
        for lines in range(1, max(1, length // LEAST) + 1):
            found = _fitted(count, length, room, size, lines)
            if found is not None and found.grid.content + 2 * MARGIN <= room[1]:
                return found
    for lines in range(1, length + 1):
        found = _fitted(count, length, room, sizes[-1], lines)
        if found is not None or lines == length:
            return found or _made(count, length, room, sizes[-1], 1, 1)
    raise AssertionError("a text has a cell")


def _fitted(count: int, length: int, room: tuple[int, int], size: int, lines: int) -> TextLayout | None:
    """With as many columns as the room is wide; None where not even one is."""
    across = -(-length // lines)
    width = across * round(WIDE * size) + 2 * PAD
    most = (room[0] - 2 * MARGIN + GAP) // (width + GAP)
    if most < 1:
        return None
    rows = -(-count // min(most, count))
    return _made(count, length, room, size, across, -(-count // rows))


def _made(count: int, length: int, room: tuple[int, int], size: int, across: int, columns: int) -> TextLayout:
    wide, high = round(WIDE * size), round(HIGH * size)
    width, height = across * wide + 2 * PAD, -(-length // across) * high + 2 * PAD
    grid = Grid(count, columns, 1, width, height, GAP, 0, 0, room[1])
    left, top = max(MARGIN, (room[0] - grid.span) // 2), max(MARGIN, (room[1] - grid.content) // 2)
    return TextLayout(Grid(count, columns, 1, width, height, GAP, left, top, room[1]), length, size, across, wide, high)
