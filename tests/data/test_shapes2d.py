"""The eight shapes: scikit-learn's where it has the same, the geometry that each one claims elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import datasets

from diffstudio.data import shapes2d

N = 4000
UNLIKELY = 1e-3  # a correct shape fails a test of this level once in a thousand seeds; the seed is fixed


def points(name, n=N, seed=0):
    return shapes2d.SHAPES[name](np.random.default_rng(seed), n)


def same_law(ours, theirs):
    """Kolmogorov-Smirnov on both axes and on both diagonals, which see how the axes go together."""
    for axis in ([1, 0], [0, 1], [1, 1], [1, -1]):
        assert stats.ks_2samp(ours @ axis, theirs @ axis).pvalue > UNLIKELY, axis


@pytest.mark.parametrize("name", shapes2d.SHAPES)
def test_a_shape_is_decided_by_its_seed(name):
    np.testing.assert_array_equal(points(name, 50, 3), points(name, 50, 3))
    assert not np.isin(points(name, 50, 4), points(name, 50, 3)).any()


@pytest.mark.parametrize("name", shapes2d.SHAPES)
def test_a_shape_fills_the_plane_that_the_view_shows(name):
    found = points(name)
    assert found.shape == (N, 2)
    assert np.abs(found).max() < 2
    assert np.ptp(found, axis=0).min() > 0.9


def test_the_unit_square_is_even_and_ends_at_its_edges():
    square = points("unit square")
    assert square.min() >= 0
    assert square.max() <= 1
    for axis in square.T:
        assert stats.kstest(axis, "uniform").pvalue > UNLIKELY
    counts, _, _ = np.histogram2d(*square.T, bins=5, range=[[0, 1], [0, 1]])
    assert stats.chisquare(counts.ravel()).pvalue > UNLIKELY


def test_the_ring_has_eight_even_modes_at_radius_1_with_std_0_01():
    ring = points("8 Gaussians")
    # Eight places one eighth of a turn apart: linspace(0, 2π, 8) would give seven.
    centres = np.array([[np.cos(k * np.pi / 4), np.sin(k * np.pi / 4)] for k in range(8)])
    offset = ring[:, None] - centres
    nearest = np.argmin(np.linalg.norm(offset, axis=2), axis=1)
    assert stats.chisquare(np.bincount(nearest, minlength=8)).pvalue > UNLIKELY
    for axis in offset[np.arange(N), nearest].T:
        assert stats.kstest(axis, "norm", args=(0, 0.01)).pvalue > UNLIKELY


def test_the_two_moons_are_those_of_scikit_learn():
    theirs, _ = datasets.make_moons(N, noise=0.04 / 0.85, random_state=1)
    same_law(points("two moons"), 0.85 * (theirs - [0.5, 0.25]))


def test_the_swiss_roll_is_that_of_scikit_learn_from_its_side():
    unit = 1.2 / (4.5 * np.pi)
    theirs, _ = datasets.make_swiss_roll(N, noise=0.02 / unit, random_state=1)
    same_law(points("swiss roll"), unit * theirs[:, [0, 2]])


def test_the_checkerboard_covers_its_black_fields_evenly_and_no_white_one():
    at = (points("checkerboard") + 1.2) / 0.6
    assert at.min() >= 0
    assert at.max() <= 4
    column, row = np.floor(at).astype(int).T
    assert np.all((column + row) % 2 == 0)
    _, counts = np.unique(4 * row + column, return_counts=True)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > UNLIKELY
    for axis in (at % 1).T:
        assert stats.kstest(axis, "uniform").pvalue > UNLIKELY


def test_the_pinwheel_has_five_equal_arms_that_bend_with_the_radius():
    found = points("pinwheel")
    fifth = 2 * np.pi / 5
    turn = np.array([[np.cos(fifth), -np.sin(fifth)], [np.sin(fifth), np.cos(fifth)]])
    same_law(found, points("pinwheel", seed=1) @ turn.T)
    radius = np.linalg.norm(found, axis=1) / 0.8
    angle = np.arctan2(found[:, 1], found[:, 0])
    outside = radius > 0.5  # nearer in the arms run into each other
    straight = np.exp(5j * (angle - 0.25 * np.exp(radius)))[outside]
    assert np.abs(straight.mean()) > 0.9  # 1 for five lines without width, 0 where no arm can be seen
    assert np.angle(straight.mean()) == pytest.approx(0, abs=0.1)
    assert np.abs(np.exp(5j * angle)[outside].mean()) < 0.7
    assert stats.kstest(radius, "norm", args=(1, 0.3)).statistic < 0.03  # the width of an arm adds little


def test_the_spiral_has_two_equal_arms_of_even_area():
    found = points("spiral")
    same_law(found, -points("spiral", seed=1))
    radius = np.linalg.norm(found, axis=1) / 1.3
    assert stats.kstest(radius**2, "uniform", args=(0.02, 0.98)).pvalue > UNLIKELY
    angle = np.arctan2(found[:, 1], found[:, 0])
    straight = np.exp(2j * (angle - 3 * np.pi * radius))
    assert np.abs(straight.mean()) > 0.9
    assert np.angle(straight.mean()) == pytest.approx(0, abs=0.05)


def test_the_letter_is_three_strokes_of_even_ink():
    found = points("letter A")
    strokes = [((-0.8, -1), (0, 1)), ((0, 1), (0.8, -1)), ((-0.5, -0.25), (0.5, -0.25))]
    distance = []
    for start, end in np.array(strokes):
        line = end - start
        share = np.clip((found - start) @ line / (line @ line), 0, 1)
        distance.append(np.linalg.norm(found - start - share[:, None] * line, axis=1))
    assert np.min(distance, axis=0).max() <= 0.08 + 1e-9
    leg = np.hypot(0.8, 2)
    expected = np.array([leg, leg, 1]) / (2 * leg + 1)
    shares = np.bincount(np.argmin(distance, axis=0), minlength=3) / N
    np.testing.assert_allclose(shares, expected, atol=0.035)  # where strokes meet the nearest one is a matter of luck
    assert stats.ks_2samp(found[:, 0], -found[:, 0]).pvalue > UNLIKELY


def test_a_batch_may_mix_its_shapes_in_any_order():
    labels = np.array([1, 0, 4] * 300)
    drawn = shapes2d.draw(labels, np.random.default_rng(0), "train")
    assert drawn.dtype == np.float32
    assert np.abs(np.linalg.norm(drawn[labels == 1], axis=1) - 1).max() < 0.06
    assert drawn[labels == 0].min() >= 0
    assert np.all(np.floor((drawn[labels == 4] + 1.2) / 0.6).sum(1) % 2 == 0)
