"""Lines of equal density of a cloud: histogram, Gaussian blur, marching squares. numpy alone."""

from __future__ import annotations

import functools

import numpy as np

from diffstudio.modalities.points import Bounds

CELLS = 112
PADDED = 128  # a blur by Fourier transform wraps around: room for three widths
WIDEST = 5.0
SHARES = (0.9, 0.7, 0.5, 0.3, 0.1)  # of the points, that lie within each line


def contours(points: np.ndarray, bounds: Bounds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments (M, 2) → (M, 2) around the regions of highest density that hold each of SHARES, and which share (M,).

    points: (N, 2), those that are not finite or out of the bounds are left out.
    """
    grid, cell = density(points, bounds)
    if grid is None:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64)
    some = cell[:: max(1, len(cell) // 4096)]
    at = np.sort(grid[some[:, 1], some[:, 0]])
    levels = [float(at[int((1 - share) * (len(at) - 1))]) for share in SHARES]
    parts = [marching_squares(grid, level) for level in levels]
    left, bottom, right, top = bounds
    size = np.array([right - left, top - bottom]) / CELLS
    starts, ends = ((np.concatenate(edges) + 0.5) * size + (left, bottom) for edges in zip(*parts, strict=True))
    return starts, ends, np.repeat(np.arange(len(SHARES)), [len(part[0]) for part in parts])


def density(points: np.ndarray, bounds: Bounds) -> tuple[np.ndarray | None, np.ndarray]:
    """A smooth histogram (CELLS, CELLS) with y upwards, and the cell (column, row) of each point; None of too few."""
    left, bottom, right, top = bounds
    with np.errstate(invalid="ignore"):
        x, y = (points[:, 0] - left) * (CELLS / (right - left)), (points[:, 1] - bottom) * (CELLS / (top - bottom))
        inside = np.flatnonzero((x >= 0) & (x < CELLS) & (y >= 0) & (y < CELLS))
        cell = np.stack([x[inside], y[inside]], 1).astype(np.int64)
    if len(cell) < 8:
        return None, cell
    counts = np.bincount(cell[:, 1] * CELLS + cell[:, 0], minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    # Half of Scott's rule n^(-1/6)·σ: it is made for one hill, and would fill the holes and arms of these clouds.
    width = float(np.clip(0.5 * len(cell) ** (-1 / 6) * cell.std(0).mean(), 1.0, WIDEST))
    # Not by a product of matrices: BLAS would wake its threads for it, and wait for them on a busy machine.
    blurred = np.fft.irfft2(np.fft.rfft2(counts, (PADDED, PADDED)) * _gaussian(round(width, 1)), (PADDED, PADDED))
    return blurred[:CELLS, :CELLS], cell


def marching_squares(grid: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Segments where a grid (rows, columns) crosses a level: starts and ends (M, 2) as (column, row)."""
    above = grid > level
    corners = np.stack([above[:-1, :-1], above[:-1, 1:], above[1:, 1:], above[1:, :-1]])
    row, column = np.nonzero(corners.any(0) & ~corners.all(0))
    around = corners[:, row, column]  # (4, M), anticlockwise from the lower left in a grid with y upwards
    crossed = around != np.roll(around, -1, 0)  # the edge from each corner to the next
    x, y = column + np.array([[0], [1], [1], [0]]), row + np.array([[0], [0], [1], [1]])
    value = grid[y, x]
    after = np.roll(value, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(crossed, (level - value) / (after - value), 0.0)
    px = x + share * (np.roll(x, -1, 0) - x)
    py = y + share * (np.roll(y, -1, 0) - y)
    starts, ends = [], []
    # Two edges crossed: one segment. All four (a saddle): two, each about a corner.
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
        pair = crossed[first] & crossed[second]
        saddle = crossed.all(0)
        here = (pair & ~saddle) | (saddle & ((first, second) in ((0, 1), (2, 3))))
        starts.append(np.stack([px[first, here], py[first, here]], 1))
        ends.append(np.stack([px[second, here], py[second, here]], 1))
    return np.concatenate(starts), np.concatenate(ends)


@functools.lru_cache(maxsize=64)
def _gaussian(width: float) -> np.ndarray:
    """The transform of a Gaussian of that width in cells, as rfft2 lays it out."""
    rows, columns = np.fft.fftfreq(PADDED)[:, None], np.fft.rfftfreq(PADDED)[None, :]
    return np.exp(-2 * (np.pi * width) ** 2 * (rows**2 + columns**2))
