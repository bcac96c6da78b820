"""The data to lie under samples: which, how many, and none where the card does not say."""

import numpy as np
import pytest

from diffstudio.gui.stage.views.points.underlay import COUNT, fresh_data


@pytest.fixture
def data_of(make_run):
    def find(labels=(), **data):
        return fresh_data(make_run(2, 2, "points", card={"data": data}, labels=labels).trace)

    return find


def test_the_unit_square_under_a_run_of_squares(data_of):
    found = data_of(labels=(0, 0, 0), dataset="shapes-2d")
    assert found.shape == (COUNT, 2)
    assert found.min() >= 0 and found.max() <= 1
    assert np.abs(np.histogram2d(*found.T, 4, [[0, 1], [0, 1]])[0] / COUNT - 1 / 16).max() < 0.02


def test_only_the_shapes_of_the_run(data_of):
    ring = 1
    assert np.abs(np.hypot(*data_of(labels=(ring,), dataset="shapes-2d").T) - 1).max() < 0.06
    both = data_of(labels=(0, ring), dataset="shapes-2d")
    on_ring = np.abs(np.hypot(*both.T) - 1) < 0.06
    assert on_ring.mean() == pytest.approx(0.5, abs=0.1)


def test_every_shape_under_a_run_of_any(data_of):
    found = data_of(labels=(None, None), dataset="shapes-2d")
    assert (found < -0.5).any() and found.max() > 1.05


def test_the_same_each_time(data_of):
    assert np.array_equal(data_of(labels=(3,), dataset="shapes-2d"), data_of(labels=(3,), dataset="shapes-2d"))


@pytest.mark.parametrize("data", [{}, {"dataset": "digits"}, {"dataset": "none"}, {"dataset": ["shapes-2d"]}])
def test_no_data_are_no_error(data_of, data):
    assert data_of(**data) is None


def test_a_label_that_the_data_do_not_have_is_no_error(data_of, make_run):
    assert data_of(labels=(99,), dataset="shapes-2d") is None
    assert data_of(labels=(-1,), dataset="shapes-2d") is None
    assert fresh_data(make_run(2, 2, "points", card={"data": "shapes-2d"}).trace) is None
