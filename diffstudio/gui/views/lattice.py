"""A lattice of points over a part of the plane, from coarse to fine, and what is known of a function on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.gui.views.plane import step_for

CELLS = 96  # along the longer side
STRIDES = (4, 2, 1)  # every fourth point first, then every second, then all
PART = 1024  # points of one call: some seconds on a slow machine, and others get their turn


@dataclass(frozen=True)
class Lattice:
    """columns × rows points `cell` apart, the first at (left, bottom); both counts are 1 more than a multiple of 4."""

    left: float
    bottom: float
    cell: float
    columns: int
    rows: int

    def points(self, indices: np.ndarray) -> np.ndarray:
        """Coordinates (N, 2) float32 of points (N,), counted row by row from the lowest."""
        row, column = np.divmod(indices, self.columns)
        return np.stack([self.left + column * self.cell, self.bottom + row * self.cell], 1).astype(np.float32)

    def parts(self) -> list[np.ndarray]:
        """The indices of all points, each once, from coarse to fine, in parts of PART at most."""
        index = np.arange(self.columns * self.rows).reshape(self.rows, self.columns)
        fresh, out = np.ones(index.shape, bool), []
        for stride in STRIDES:
            some = np.zeros(index.shape, bool)
            some[::stride, ::stride] = True
            level = index[some & fresh]
            out += np.array_split(level, math.ceil(len(level) / PART))
            fresh &= ~some
        return out


def over(left: float, bottom: float, right: float, top: float) -> Lattice:
    """A lattice over a region, a little larger: its corner and cell are round, so that nearby regions share one."""
    side = max(right - left, top - bottom)
    unit = step_for(side / 16)
    left, bottom = math.floor(left / unit) * unit, math.floor(bottom / unit) * unit
    wide, high = math.ceil((right - left) / unit) * unit, math.ceil((top - bottom) / unit) * unit
    cell = max(wide, high) / CELLS
    coarse = STRIDES[0] * cell
    columns, rows = (4 * math.ceil(length / coarse - 1e-9) + 1 for length in (wide, high))
    return Lattice(left, bottom, cell, columns, rows)


def known(values: np.ndarray) -> int | None:
    """The finest stride at which a lattice's values (rows, columns) are all there; None at none. NaN: not there."""
    for stride in reversed(STRIDES):
        if not np.isnan(values[::stride, ::stride]).any():
            return stride
    return None


def at(lattice: Lattice, values: np.ndarray, x: float, y: float) -> float:
    """The value at a place between the points that are known, bilinear; NaN outside and where nothing is known."""
    stride = known(values)
    if stride is None:
        return math.nan
    grid, cell = values[::stride, ::stride], lattice.cell * stride
    u, v = (x - lattice.left) / cell, (y - lattice.bottom) / cell
    rows, columns = grid.shape
    if not (0 <= u <= columns - 1 and 0 <= v <= rows - 1):
        return math.nan
    i, j = min(int(u), columns - 2), min(int(v), rows - 2)
    u, v = u - i, v - j
    lower, upper = (grid[r, i] * (1 - u) + grid[r, i + 1] * u for r in (j, j + 1))
    return float(lower * (1 - v) + upper * v)
