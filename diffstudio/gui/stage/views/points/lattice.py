"""A lattice of points over a part of the plane, from coarse to fine, and what is known of a function on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.gui.stage.views.points.plane import step_for

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
        with np.errstate(over="ignore"):  # around a cloud that diverged
            return np.stack([self.left + column * self.cell, self.bottom + row * self.cell], 1).astype(np.float32)


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


def missing(values: np.ndarray) -> tuple[int, list[np.ndarray]]:
    """The coarsest stride at which values are not there, and the indices of those, in parts of PART; (0, []) at none.

    What a coarser stride has is not asked for again.
    """
    for stride in STRIDES:
        some = np.zeros(values.shape, bool)
        some[::stride, ::stride] = np.isnan(values[::stride, ::stride])
        found = np.flatnonzero(some)
        if len(found):
            return stride, np.array_split(found, math.ceil(len(found) / PART))
    return 0, []


def far_below(values: np.ndarray, stride: int, nats: float) -> np.ndarray:
    """The points (rows, columns) between those of a stride that don't come within `nats` of the highest log p.

    From the corners of its cell to a point within log p rises by no more than it changes from these corners to their
    neighbours: so it is for a Gaussian however narrow, and wherever log p is no rougher than the stride shows.
    """
    coarse = np.maximum(values[::stride, ::stride], -1e6)
    change = np.zeros_like(coarse)
    for axis in (0, 1):
        step = np.moveaxis(np.abs(np.diff(coarse, axis=axis)), axis, 0)
        own = np.moveaxis(change, axis, 0)
        own[1:] = np.maximum(own[1:], step)
        own[:-1] = np.maximum(own[:-1], step)
    low = coarse + change < np.max(coarse) - nats
    for axis, count in enumerate(values.shape):
        index = np.arange(count)
        low = low.take(index // stride, axis) & low.take(-(-index // stride), axis)
    low[::stride, ::stride] = False
    return low


def filled(values: np.ndarray, stride: int) -> np.ndarray:
    """All values between those of a stride, bilinear; −∞ as −1e6, so that it does not spread."""
    grid = np.maximum(values[::stride, ::stride], -1e6)
    for axis in (0, 1):
        grid = np.moveaxis(grid, axis, 0)
        share = (np.arange(stride) / stride)[None, :, None]
        between = grid[:-1, None] * (1 - share) + grid[1:, None] * share
        grid = np.moveaxis(np.concatenate([between.reshape(-1, grid.shape[1]), grid[-1:]]), 0, axis)
    return grid


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
