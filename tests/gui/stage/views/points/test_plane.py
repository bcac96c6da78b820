"""Coordinates and pixels of the plane, and round numbers along its axes."""

import numpy as np
import pytest

from diffstudio.gui.stage.views.points import axes
from diffstudio.gui.stage.views.points.plane import LARGEST, SMALLEST, Plane, decimals, fitted, step_for, ticks

PLANE = Plane(100.0, 250.0, 200.0)


def test_y_points_upwards():
    assert PLANE.to_screen(np.array([[0.0, 0.0], [1.0, 0.5]])).tolist() == [[250, 200], [350, 150]]


def test_there_and_back():
    at = np.random.default_rng(0).normal(size=(20, 2))
    back = [PLANE.to_world(x, y) for x, y in PLANE.to_screen(at)]
    assert np.allclose(back, at)


def test_what_is_not_finite_has_no_place():
    found = PLANE.to_screen(np.array([[np.nan, 0.0], [np.inf, 0.0]], np.float32))
    assert not np.isfinite(found[:, 0]).any()


@pytest.mark.parametrize("factor", [1.25, 0.8, 10.0, 1e9, 1e-9])
def test_zoom_keeps_the_place_under_the_cursor(factor):
    before, zoomed = PLANE.to_world(70, 33), PLANE.zoomed(factor, 70, 33)
    assert zoomed.to_world(70, 33) == pytest.approx(before)
    assert zoomed.scale == pytest.approx(min(LARGEST, max(SMALLEST, 100 * factor)))


@pytest.mark.parametrize("scale", [SMALLEST / 1000, LARGEST * 1000])
def test_a_plane_that_was_fitted_beyond_the_limits_does_not_jump(scale):
    plane = Plane(scale, 0, 0)
    assert plane.zoomed(1.25, 5, 5).scale in (scale, pytest.approx(scale * 1.25))
    assert plane.zoomed(0.8, 5, 5).scale in (scale, pytest.approx(scale * 0.8))


@pytest.mark.parametrize("room", [(500, 300), (200, 800)])
def test_bounds_are_fitted_whole_and_in_the_middle(room):
    plane = fitted((-2, -1, 3, 2), *room)
    (left, bottom), (right, top) = plane.to_screen(np.array([[-2.0, -1.0], [3.0, 2.0]]))
    assert left >= -1e-9 and right <= room[0] + 1e-9 and top >= -1e-9 and bottom <= room[1] + 1e-9
    assert left + right == pytest.approx(room[0])
    assert top + bottom == pytest.approx(room[1])
    assert min(left, top) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("units", [1e-7, 0.0049, 0.02, 0.3, 0.5, 1, 1.001, 7, 1234, 3e6])
def test_a_step_is_the_smallest_round_number_that_is_large_enough(units):
    every = [m * 10.0**p for p in range(-9, 9) for m in (1, 2, 5)]
    assert step_for(units) == pytest.approx(min(s for s in every if s >= units * 0.999))


def test_ticks_are_the_multiples_between_the_ends():
    assert ticks(-0.25, 0.51, 0.25) == [-0.25, 0, 0.25, 0.5]
    assert ticks(3.1, 3.4, 0.5) == []


@pytest.mark.parametrize(("step", "places"), [(0.001, 3), (0.05, 2), (0.2, 1), (1, 0), (50, 0)])
def test_labels_have_the_decimals_that_they_need(step, places):
    assert decimals(step) == places


def test_the_plot_leaves_room_for_labels():
    plot = axes.plot_box(500, 400)
    assert (plot.left(), plot.right(), plot.top(), plot.bottom()) == (46, 486, 4, 374)
    assert axes.plot_box(1, 1).width() == 1


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("scale", [3.0, 80.0, 9000.0])
def test_grid_lines_stand_at_their_values(scale, ratio):
    plot, plane = axes.plot_box(500, 400), Plane(scale * ratio, 220 * ratio, 190 * ratio)
    found = axes._ticks(plot, plane, ratio)
    for vertical, value, at in found:
        place = plane.to_screen(np.array([[value, value]]))[0] / ratio + (plot.left(), plot.top())
        assert at == pytest.approx(place[0] if vertical else place[1])
    for upright in (True, False):
        places = sorted(at for vertical, _, at in found if vertical == upright)
        assert np.diff(places).min() >= axes.APART * 0.99
        assert np.diff(places).max() <= axes.APART * 2.6
        low, high = (plot.left(), plot.right()) if upright else (plot.top(), plot.bottom())
        assert places[0] >= low - 0.01 and places[-1] <= high + 0.01
