"""The score field as arrows: where they are asked for, how long they are and where they point."""

import numpy as np
import pytest

from diffstudio.gui.stage.views.points.plane import Plane
from diffstudio.gui.stage.views.points.quiver import LONGEST, SHORTEST, SPACING, positions, quiver

PLANE = Plane(80.0, 210.0, 190.0)


def arrows_of(path):
    """(start, tip) of every arrow: an arrow is a shaft of two points and a head of three."""
    at = [(path.elementAt(i).x, path.elementAt(i).y) for i in range(path.elementCount())]
    assert len(at) % 5 == 0
    return [(np.array(at[i]), np.array(at[i + 1])) for i in range(0, len(at), 5)]


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("room", [(420, 380), (100, 900), (10, 10)])
def test_positions_are_a_regular_grid_over_the_room(room, ratio):
    wide, tall = (int(extent * ratio) for extent in room)
    at = positions(PLANE, wide, tall, ratio)
    assert at.dtype == np.float32
    screen = PLANE.to_screen(at.astype(float))
    columns, rows = (np.unique(screen[:, i].round(2)) for i in (0, 1))
    assert len(at) == len(columns) * len(rows)
    for places, extent in ((columns, wide), (rows, tall)):
        assert len(places) == max(1, int(extent // (SPACING * ratio)))
        assert np.allclose(np.diff(places), SPACING * ratio, atol=0.02)
        assert places[0] + places[-1] == pytest.approx(extent, abs=0.05)


def test_arrows_are_centred_and_point_where_the_score_does():
    at = np.array([[0.0, 0.0], [1.0, 1.0], [-1.0, 0.5]])
    score = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, -2.0]])
    found = arrows_of(quiver(3, at, score, PLANE, 1.0).path)
    for (start, tip), place, s in zip(found, at, score, strict=True):
        assert (start + tip) / 2 == pytest.approx(PLANE.to_screen(place[None])[0])
        direction = (tip - start) / np.hypot(*(tip - start))
        assert direction == pytest.approx(s / np.hypot(*s) * (1, -1))


def test_lengths_are_in_proportion_up_to_the_90th_percentile():
    at = np.random.default_rng(0).normal(size=(300, 2))
    score = np.random.default_rng(1).normal(size=(300, 2)) * np.random.default_rng(2).exponential(size=(300, 1))
    found = quiver(3, at, score, PLANE, 1.0)
    size = np.hypot(*score.T)
    longest = np.sort(size)[int(0.9 * 299)]
    assert found.k == 3
    assert found.longest == pytest.approx(longest, rel=0.05)
    expected = SPACING * LONGEST * np.minimum(1, size / found.longest)
    lengths = [np.hypot(*(tip - start)) for start, tip in arrows_of(found.path)]
    assert lengths == pytest.approx(expected[expected >= SHORTEST])


def test_a_finer_screen_has_the_same_arrows():
    at, score = np.random.default_rng(3).normal(size=(2, 9, 2))
    one = arrows_of(quiver(0, at, score, PLANE, 1.0).path)
    two = arrows_of(quiver(0, at, score, Plane(160.0, 420.0, 380.0), 2.0).path)
    assert np.allclose(one, two)


def test_what_is_not_finite_is_left_out():
    at = np.array([[0.0, 0.0], [np.nan, 0.0], [0.1, 0.1], [0.2, 0.2]])
    score = np.array([[1.0, 0.0], [1.0, 0.0], [np.inf, 0.0], [0.0, np.nan]])
    assert len(arrows_of(quiver(0, at, score, PLANE, 1.0).path)) == 1
    assert quiver(0, at[1:], score[1:], PLANE, 1.0) is None
    assert quiver(0, at, np.zeros((4, 2)), PLANE, 1.0) is None
