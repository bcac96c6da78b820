"""The lattice of a density map: every point once, from coarse to fine, and what is between them."""

import math

import numpy as np
import pytest

from diffstudio.gui.views import lattice
from diffstudio.gui.views.lattice import PART, over


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
    parts = on.parts()
    together = np.concatenate(parts)
    assert np.array_equal(np.sort(together), np.arange(on.columns * on.rows))
    assert max(map(len, parts)) <= PART
    values = np.full((on.rows, on.columns), np.nan)
    assert lattice.known(values) is None
    strides = []
    for part in parts:
        values.flat[part] = 1.0
        strides.append(lattice.known(values))
    assert strides[0] == 4 and strides[-1] == 1
    assert strides == sorted(strides, reverse=True) and set(strides) == {4, 2, 1}


def test_points_lie_where_their_index_says():
    on = over(-3, -2, 3, 2)
    assert on.points(np.array([0, 1, on.columns])) == pytest.approx(
        np.array([[on.left, on.bottom], [on.left + on.cell, on.bottom], [on.left, on.bottom + on.cell]])
    )


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
