"""Nearest training samples against all distances, computed one by one."""

import numpy as np
import pytest

from diffstudio.analysis.neighbours import Known, known, nearest
from diffstudio.data import DATASETS


def made(samples, labels=None):
    flat = samples.reshape(len(samples), -1)
    return Known(samples, np.arange(len(samples)) if labels is None else labels, (flat**2).sum(1))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_they_are_the_nearest_in_their_order(count):
    rng = np.random.default_rng(count)
    data, x = made(rng.normal(size=(60, 1, 4, 4)).astype(np.float32)), rng.normal(size=(1, 4, 4)).astype(np.float32)
    distances = [np.sqrt(((sample.astype(float) - x) ** 2).sum()) for sample in data.samples]
    found = nearest(data, x, count)
    assert [n.index for n in found] == list(np.argsort(distances)[:count])
    assert np.allclose([n.distance for n in found], np.sort(distances)[:count])


def test_a_copy_has_the_distance_zero():
    data = made(np.random.default_rng(0).normal(size=(30, 1, 28, 28)).astype(np.float32) * 100)
    (first, *_) = nearest(data, data.samples[17])
    assert (first.index, first.distance) == (17, 0.0)


def test_fewer_samples_than_asked_for():
    assert len(nearest(made(np.eye(3, dtype=np.float32)), np.zeros(3), 5)) == 3


def test_what_is_not_finite_has_no_neighbour():
    assert nearest(made(np.eye(3, dtype=np.float32)), np.array([0, np.nan, 0])) == []


def test_labels_are_those_of_the_samples():
    data = made(np.eye(3, dtype=np.float32), np.array([7, 8, 9]))
    assert nearest(data, np.array([0, 0, 1]))[0].label == 9


def test_the_digits_are_at_hand_and_formulas_have_no_end():
    digits = known("digits")
    assert digits.samples.shape == (1438, 1, 28, 28) and len(digits.labels) == 1438
    assert np.allclose(digits.squares[:5], (digits.samples[:5] ** 2).sum((1, 2, 3)))
    assert known("shapes-2d") is None and known("nobody knows") is None


@pytest.mark.parametrize("name", DATASETS)
def test_everything_is_what_is_drawn_from(name):
    source = DATASETS[name]
    if source.everything is None:
        return
    for split in ("train", "held-out"):
        samples, labels = source.everything(split)
        drawn = source.draw(np.array([3]), np.random.default_rng(0), split)[0]
        assert any(np.array_equal(drawn, sample) for sample in samples[labels == 3])
