"""The lattice of a density map: every point once, from coarse to fine, and what is between them."""

import math

import numpy as np
import pytest

from diffstudio.gui.stage.views.points import lattice
from diffstudio.gui.stage.views.points.lattice import PART, over


@pytest.mark.parametrize("region", [(-3, -3, 3, 3), (-4.4, -2.3, 4.4, 2.3), (0.1, -0.3, 0.104, 0.31), (5, 5, 900, 20)])
def test_it_holds_the_region_and_not_much_more(region):
    on = over(*region)
    assert on.columns % 4 == on.rows % 4 == 1
    right, top = on.left + (on.columns - 1) * on.cell, on.bottom + (on.rows - 1) * on.cell
    assert on.left <= region[0] and on.bottom <= region[1]
    assert right >= region[2] - 1e-9 and top >= region[3] - 1e-9
    side = max(region[2] - region[0], region[3] - region[1])
    assert max(right - on.left, top - on.bottom) < 1.5 * side
    assert max(on.columns, on.rows) == 97


def test_nearby_regions_share_one():
    assert over(-2.93, -2.93, 2.93, 2.93) == over(-2.98, -2.98, 2.98, 2.98)


def test_every_point_comes_once_the_coarse_ones_first():
    on = over(-3, -2, 3, 2)
    values, strides, together = np.full((on.rows, on.columns), np.nan), [], []
    assert lattice.known(values) is None
    while (found := lattice.missing(values))[0]:
        strides.append(found[0])
        assert max(map(len, found[1])) <= PART
        for part in found[1]:
            together.append(part)
            values.flat[part] = 1.0
        assert lattice.known(values) == strides[-1]
    assert strides == [4, 2, 1]
    assert np.array_equal(np.sort(np.concatenate(together)), np.arange(on.columns * on.rows))


def narrow(on, modes, sigma=0.02):
    """log p of Gaussians."""
    at = on.points(np.arange(on.columns * on.rows)).astype(float)
    away = np.square(at[:, None] - np.asarray(modes)).sum(2) / 2 / sigma**2
    return np.logaddexp.reduce(-away, axis=1).reshape(on.rows, on.columns)


@pytest.mark.parametrize("stride", [4, 2])
@pytest.mark.parametrize("side", [0.5, 1.2, 12.0])
@pytest.mark.parametrize("modes", [1, 3, 30])
def test_what_is_left_out_holds_nothing_that_is_seen(side, stride, modes):
    """Narrow modes that lie anywhere between the points of the stride, however far these are apart."""
    on, rng = over(-side, -side, side, side), np.random.default_rng(modes)
    for _ in range(10):
        values = narrow(on, rng.uniform(-side, side, (modes, 2)))
        skipped = lattice.far_below(values, stride, 10.0)
        assert not skipped[::stride, ::stride].any()
        assert not (skipped & (values > values[::stride, ::stride].max() - 10)).any()


def test_most_of_the_plane_about_a_ring_is_left_out():
    angles = np.arange(8) * np.pi / 4
    on = over(-1.5, -1.5, 1.5, 1.5)
    values = narrow(on, np.stack([np.cos(angles), np.sin(angles)], 1))
    assert lattice.far_below(values, 4, 10.0).mean() > 0.5
    assert lattice.far_below(values, 2, 10.0).mean() > 0.6


def test_points_lie_where_their_index_says():
    on = over(-3, -2, 3, 2)
    assert on.points(np.array([0, 1, on.columns])) == pytest.approx(
        np.array([[on.left, on.bottom], [on.left + on.cell, on.bottom], [on.left, on.bottom + on.cell]])
    )


@pytest.mark.parametrize("stride", [2, 4])
def test_a_bilinear_function_is_filled_in_exactly(stride):
    on = over(-3, -2, 3, 2)
    x, y = on.points(np.arange(on.columns * on.rows)).astype(float).T
    values = (2 + x - 3 * y + 0.5 * x * y).reshape(on.rows, on.columns)
    some = np.full_like(values, np.nan)
    some[::stride, ::stride] = values[::stride, ::stride]
    np.testing.assert_allclose(lattice.filled(some, stride), values, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_bilinear_function_is_found_exactly(stride):
    on = over(-3, -2, 3, 2)
    x, y = on.points(np.arange(on.columns * on.rows)).astype(float).T
    values = (2 + x - 3 * y + 0.5 * x * y).reshape(on.rows, on.columns)
    some = np.full_like(values, np.nan)
    some[::stride, ::stride] = values[::stride, ::stride]
    for u, v in ((0.3, -1.21), (-2.99, 1.99), (on.left, on.bottom)):
        assert lattice.at(on, some, u, v) == pytest.approx(2 + u - 3 * v + 0.5 * u * v, abs=1e-5)
    assert math.isnan(lattice.at(on, some, 9, 0))
    assert math.isnan(lattice.at(on, np.full_like(values, np.nan), 0, 0))
