"""Nearest training samples against all distances, computed one by one."""

import numpy as np
import pytest

from diffstudio.analysis import neighbours
from diffstudio.analysis.neighbours import FiniteSet, known, nearest, seen_by
from diffstudio.data import DATASETS
from diffstudio.data.finite import finite_part


def made(samples, labels=None, tokens=False):
    return neighbours.made(samples, np.arange(len(samples)) if labels is None else labels, tokens)


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
    digits = known(FiniteSet("digits"))
    assert digits.samples.shape == (1438, 1, 28, 28) and len(digits.labels) == 1438
    assert np.allclose(digits.squares[:5], (digits.samples[:5] ** 2).sum((1, 2, 3)))
    assert known(FiniteSet("shapes-2d")) is None


def test_of_texts_letters_are_counted():
    texts = np.array([[0, 1, 2, 3], [0, 1, 2, 2], [3, 3, 3, 3], [0, 0, 0, 0]], np.float32)[:, None]
    found = nearest(made(texts, tokens=True), np.array([0, 1, 2, 3]), 4)
    assert [(n.index, n.distance) for n in found] == [(0, 0), (1, 1), (2, 3), (3, 3)]


@pytest.mark.parametrize("length", [8, 300])
def test_letters_are_counted_as_one_by_one(length):
    rng = np.random.default_rng(length)
    texts, query = rng.integers(0, 4, (50, 1, length)).astype(np.float32), rng.integers(0, 4, length)
    found = nearest(made(texts, tokens=True), query, 50)
    counted = [(texts[n.index, 0] != query).sum() for n in found]
    assert [n.distance for n in found] == counted == sorted(counted)


def test_how_far_training_samples_are_apart_is_the_scale():
    line = np.arange(12, dtype=np.float32)[:, None] * 3
    assert made(line).apart == 3
    assert made(np.concatenate([line, line])).apart == 3, "a sample that is there twice is no neighbour of itself"
    assert made(line[:1]).apart == 0


@pytest.mark.parametrize("name", ["words", "sentences"])
def test_texts_know_what_they_were_trained_on(name):
    data = known(FiniteSet(name))
    drawn = DATASETS[name].draw(np.zeros(3, np.int64), np.random.default_rng(5), "train")
    for one in drawn:
        assert nearest(data, one)[0].distance == 0
    assert data.samples.dtype == np.uint8 and data.samples.shape[1] == drawn.shape[2]


def test_an_exact_model_of_points_has_seen_a_finite_part_of_its_formula():
    card = {"network": "exact_data", "network_args": {"dataset": "shapes-2d", "size": 30, "seed": 4}}
    seen = seen_by({**card, "data": {"dataset": "shapes-2d"}})
    points, labels = finite_part(DATASETS["shapes-2d"], 30, 4)
    data = known(seen)
    assert np.array_equal(data.samples, points.astype(np.float32)) and np.array_equal(data.labels, labels)
    assert nearest(data, points[17])[0].index == 17


@pytest.mark.parametrize(
    ("card", "seen"),
    [
        ({"data": {"dataset": "digits"}}, FiniteSet("digits")),
        ({"data": {"dataset": "nobody's"}}, None),
        ({"data": 3}, None),
        ({}, None),
        ({"network": "exact_data", "network_args": {"dataset": "digits"}}, FiniteSet("digits", 0)),
        ({"network": "exact_data", "network_args": {"dataset": "shapes-2d"}}, None),
        ({"network": "exact_data", "network_args": {"dataset": "shapes-2d", "size": 10**9}}, None),
        ({"network": "exact_data", "network_args": {"dataset": "shapes-2d", "size": "x"}}, None),
        ({"network": "exact_data", "network_args": [], "data": {"dataset": "digits"}}, FiniteSet("digits")),
    ],
)
def test_a_card_says_what_its_model_has_seen(card, seen):
    assert seen_by(card) == seen


@pytest.mark.parametrize("name", DATASETS)
def test_everything_is_what_is_drawn_from(name):
    source = DATASETS[name]
    if source.everything is None:
        return
    for split in ("train", "held-out"):
        samples, labels = source.everything(split)
        drawn = source.draw(np.array([3]), np.random.default_rng(0), split)[0]
        assert any(np.array_equal(drawn, sample) for sample in samples[labels == 3])
