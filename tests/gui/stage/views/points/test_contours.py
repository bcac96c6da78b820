"""Lines of equal density: closed forms of circles and Gaussians, and every crossing of a grid one by one."""

from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffstudio.gui.stage.views.points import contours as module
from diffstudio.gui.stage.views.points.contours import CELLS, SHARES, contours, density, marching_squares

BOUNDS = (-4.0, -4.0, 4.0, 4.0)


def crossings(grid, level):
    """Every place where an edge of the grid crosses the level, and how many cells it belongs to."""
    found = {}
    rows, columns = grid.shape
    for r in range(rows):
        for c in range(columns):
            for dr, dc in ((0, 1), (1, 0)):
                if r + dr < rows and c + dc < columns:
                    a, b = grid[r, c], grid[r + dr, c + dc]
                    if (a > level) != (b > level):
                        share = (level - a) / (b - a)
                        across = (r, rows) if dc else (c, columns)
                        border = across[0] in (0, across[1] - 1)
                        found[round(c + share * dc, 9), round(r + share * dr, 9)] = 1 if border else 2
    return found


@pytest.mark.parametrize("seed", range(5))
def test_segments_join_every_crossing_of_a_random_grid_and_nothing_else(seed):
    grid = np.random.default_rng(seed).normal(size=(9, 12))
    starts, ends = marching_squares(grid, 0.1)
    met = Counter((round(x, 9), round(y, 9)) for x, y in np.concatenate([starts, ends]).tolist())
    assert met == crossings(grid, 0.1)
    for (x, y), (u, v) in zip(starts, ends, strict=True):
        assert max(abs(x - u), abs(y - v)) <= 1 + 1e-9  # both on the rim of one cell
        assert int(min(x, u)) == int(np.ceil(max(x, u)) - 1) or x == u


def test_a_cone_gives_circles():
    y, x = np.mgrid[-20:21, -20:21]
    starts, ends = marching_squares(-np.hypot(x, y), -12.3)
    for at in (starts, ends):
        assert np.abs(np.hypot(*(at - 20).T) - 12.3).max() < 0.05
    length = np.hypot(*(ends - starts).T).sum()
    assert length == pytest.approx(2 * np.pi * 12.3, rel=0.01)


def test_a_saddle_is_two_segments():
    starts, ends = marching_squares(np.array([[1.0, 0.0], [0.0, 1.0]]), 0.5)
    assert len(starts) == 2
    assert {*map(tuple, starts.tolist()), *map(tuple, ends.tolist())} == {(0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)}


def test_a_flat_grid_has_no_lines():
    assert len(marching_squares(np.ones((5, 5)), 0.5)[0]) == 0
    assert len(marching_squares(np.ones((5, 5)), 1.0)[0]) == 0


def test_density_is_a_blurred_histogram():
    points = np.random.default_rng(0).normal(0, 0.9, (5000, 2)) + np.array([0.5, -1])
    grid, cell = density(points, BOUNDS)
    inside = points[(np.abs(points) < 4).all(1)]
    counts, _, _ = np.histogram2d(inside[:, 1], inside[:, 0], CELLS, [[-4, 4], [-4, 4]])
    assert len(cell) == len(inside)
    width = round(float(np.clip(0.5 * len(cell) ** (-1 / 6) * cell.std(0).mean(), 1, module.WIDEST)), 1)
    expected = gaussian_filter(counts, width, mode="constant", truncate=8)
    assert width > 1
    assert np.abs(grid - expected).max() < 0.01 * expected.max()


def test_lines_of_a_gaussian_are_circles_that_hold_their_share():
    points = np.random.default_rng(1).normal(size=(200_000, 2))
    starts, ends, which = contours(points, BOUNDS)
    assert set(which.tolist()) == set(range(len(SHARES)))
    for i, share in enumerate(SHARES):
        radius = np.sqrt(-2 * np.log(1 - share))  # of the disc that holds a share of a Gaussian
        here = np.hypot(*starts[which == i].T)
        assert here.mean() == pytest.approx(radius, rel=0.05)
        assert here.std() < 0.06
        assert (np.hypot(*points.T) < here.mean()).mean() == pytest.approx(share, abs=0.02)
    length = np.hypot(*(ends - starts).T)
    middle = np.average((starts + ends) / 2, axis=0, weights=length * (which < 3))
    assert np.abs(middle).max() < 0.015  # half a cell is 0.036
    assert length.max() <= 8 / CELLS * np.sqrt(2) + 1e-9


def test_two_clouds_have_lines_of_their_own():
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(c, 0.3, (5000, 2)) for c in (-2, 2)])
    starts, _, _ = contours(points, BOUNDS)
    assert (np.abs(np.abs(starts).mean(1) - 2) < 1.2).all()
    assert 0.4 < (starts[:, 0] < 0).mean() < 0.6


def test_y_points_upwards():
    points = np.random.default_rng(3).normal((0, 3), 0.2, (1000, 2))
    starts, _, _ = contours(points, BOUNDS)
    assert starts[:, 1].min() > 1.5


@pytest.mark.parametrize(("many", "value"), [(0, 0.0), (7, 0.0), (50, np.nan), (50, 9.0)])
def test_too_few_points_have_no_lines(many, value):
    points = np.full((many, 2), value)
    starts, ends, which = contours(points, BOUNDS)
    assert len(starts) == len(ends) == len(which) == 0


def test_points_that_have_no_place_are_left_out():
    good = np.random.default_rng(4).normal(size=(500, 2))
    bad = np.array([[np.nan, 0], [np.inf, 0], [0, -np.inf], [40, 0]])
    for mine, theirs in zip(contours(np.concatenate([good, bad]), BOUNDS), contours(good, BOUNDS), strict=True):
        assert np.array_equal(mine, theirs)


def test_points_in_two_places_are_two_small_rings():
    points = np.repeat([[0.1, 0.1], [2.0, -1.0]], [100, 50], axis=0)
    starts, _, _ = contours(points, BOUNDS)
    near = [np.hypot(*(starts - at).T) < 1 for at in ((0.1, 0.1), (2.0, -1.0))]
    assert near[0].any()
    assert (near[0] | near[1]).all()
