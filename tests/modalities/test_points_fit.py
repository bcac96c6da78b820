"""Points outside of the plane that a model knows: told, and brought into it."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.modalities.points_fit import Plane, far_outside, into_plane, is_outside

PLANE = Plane(np.array([-1.0, -1.0]), np.array([1.0, 1.0]))
DINO = np.float32([[22, 3], [98, 3], [22, 99], [60, 50]])


def test_centred_and_scaled_alike_or_each_axis_by_itself():
    alike, said = into_plane(DINO, PLANE, "pad")
    np.testing.assert_allclose(alike[0], [-76 / 96, -1], rtol=1e-6)
    np.testing.assert_allclose(alike[2], [-76 / 96, 1], rtol=1e-6)
    assert said == "centred at (60, 51) and divided by 48; what comes out stays in the model's plane"
    np.testing.assert_allclose(alike * 48 + [60, 51], DINO, rtol=1e-6)  # and can be undone by these numbers
    each, said = into_plane(DINO, PLANE, "stretch")
    np.testing.assert_allclose((each.min(0), each.max(0)), ([-1, -1], [1, 1]), rtol=1e-6)
    assert "divided by (38, 48)" in said
    assert into_plane(DINO, PLANE, "keep")[0] is DINO


def test_points_that_are_all_the_same_are_put_in_the_middle():
    same = np.full((3, 2), 7, np.float32)
    for fit in ("pad", "stretch"):
        np.testing.assert_array_equal(into_plane(same, PLANE, fit)[0], np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("scale", "outside", "far", "far_from_a_guess"),
    [(1, False, False, False), (1.9, False, False, False), (3, True, False, False), (6, True, True, False),
     (50, True, True, True)],
)  # fmt: skip
def test_how_far_is_far(scale, outside, far, far_from_a_guess):
    rows = scale * np.float32([[1, 1], [-1, 1], [1, -1]])
    assert (is_outside(rows, PLANE), far_outside(rows, PLANE)) == (outside, far)
    assert far_outside(rows, PLANE._replace(known=False)) == far_from_a_guess


def test_some_outliers_are_nothing_to_say():
    rows = np.zeros((100, 2), np.float32)
    rows[:5] = 90
    assert not is_outside(rows, PLANE) and not far_outside(rows, PLANE)
