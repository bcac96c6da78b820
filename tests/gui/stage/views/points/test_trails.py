"""Trails of the last steps and the whole path of a point, against what is recorded."""

import numpy as np
import pytest

from diffstudio.gui.stage.views.points.plane import Plane
from diffstudio.gui.stage.views.points.splat import Box
from diffstudio.gui.stage.views.points.trails import INK, LENGTH, MANY, MOST, MOST_OF_MANY, Paths, Trails

PLANE, BOX = Plane(50.0, 300.0, 300.0), Box(0, 0, 600, 600)


def walk(batch):
    """Points that take steps of a known length: 0.1·(sample + 1) to the right."""
    rows = np.linspace(-3, 3, batch)

    def values(k, t):
        at = np.stack([-4 + 0.1 * k * (1 + np.arange(batch) / batch), rows], 1)
        return at, at + 1

    return values


@pytest.fixture
def run(make_run):
    return make_run(forward=6, reverse=30, modality="points", batch=4, values=walk(4))


def test_a_trail_goes_back_over_the_last_steps_and_fades(run):
    taps = Trails().taps(run.trace, 30, "xt", PLANE, BOX)
    assert len(taps) == LENGTH
    lengths = 0.1 * (1 + np.arange(4) / 4) * PLANE.scale
    for age, (at, ink) in enumerate(taps):
        assert ink.sum() == pytest.approx(INK * (1 - age / LENGTH) * lengths.sum(), rel=1e-4)
        columns = at % BOX.width
        newest = run.trace.array(30 - age, "xt")[:, 0].max() * PLANE.scale + PLANE.x
        assert columns.max() <= newest + 1


@pytest.mark.parametrize(("k", "steps"), [(0, 0), (1, 1), (5, 5), (6, 0), (7, 1), (9, 3), (35, LENGTH)])
def test_a_trail_never_reaches_into_the_other_chain(run, k, steps):
    assert len(Trails().taps(run.trace, k, "xt", PLANE, BOX)) == steps


def test_steps_are_kept_while_the_view_stands_still(run):
    trails = Trails()
    first = trails.taps(run.trace, 20, "xt", PLANE, BOX)
    again = trails.taps(run.trace, 21, "xt", PLANE, BOX)
    assert again[1][0] is first[0][0]
    moved = trails.taps(run.trace, 21, "xt", PLANE.panned(5, 0), BOX)
    assert moved[0][0].min() % BOX.width == again[0][0].min() % BOX.width + 5
    other = trails.taps(run.trace, 21, "x0_hat", PLANE, BOX)
    assert not np.array_equal(other[0][0], again[0][0])


@pytest.mark.parametrize(("batch", "most"), [(MOST + 5, MOST), (MANY + 1, MOST_OF_MANY)])
def test_many_points_have_trails_of_some(make_run, batch, most):
    run = make_run(forward=2, reverse=3, modality="points", batch=batch, values=walk(batch))
    _, ink = Trails().taps(run.trace, 4, "xt", PLANE, BOX)[0]
    lengths = 0.1 * (1 + np.arange(batch) / batch) * PLANE.scale
    assert ink.sum() == pytest.approx(INK * lengths[:most].sum(), rel=1e-3)


def test_the_path_of_a_point_is_its_whole_chain(run):
    paths = Paths()
    for k, first, last in ((3, 0, 6), (20, 6, 36)):
        at, here = paths.of(run.trace, k, "xt", 2)
        expected = [run.trace.array(j, "xt", 2) for j in range(first, last)]
        assert np.array_equal(at, expected)
        assert here == k - first
    at, _ = paths.of(run.trace, 20, "x0_hat", 1)
    assert np.array_equal(at[0], run.trace.array(6, "x0_hat", 1))


def test_a_path_grows_with_its_run(make_run):
    run = make_run(forward=3, reverse=9, modality="points", values=walk(3), records=6)
    paths = Paths()
    assert len(paths.of(run.trace, 4, "xt", 0)[0]) == 3
    run.append(2)
    assert len(paths.of(run.trace, 4, "xt", 0)[0]) == 5


def test_paths_lie_where_the_points_are_shown(make_run):
    run = make_run(forward=2, reverse=5, modality="points", path=lambda t: (1.0, 80 * t), values=walk(3))
    at, _ = Paths().of(run.trace, 4, "xt", 1)
    for j, place in enumerate(at, 2):
        gain = 1 / np.hypot(1, run.trace.scalar(j, "s"))
        assert place == pytest.approx(run.trace.array(j, "xt", 1) * gain, rel=1e-5)
