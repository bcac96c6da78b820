"""Datasets by name, and samples that depend on nothing but their own label and seed."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio import data
from diffstudio.data import digits
from diffstudio.errors import BadInput, NotFound

NAMES = list(data.DATASETS)
CLASSED = [name for name in NAMES if data.DATASETS[name].labels]


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_says_who_made_it_and_draws_what_it_says(name):
    source = data.dataset(name)
    assert source.name == name
    assert source.title
    assert source.licence
    assert source.credit
    assert len(set(source.labels)) == len(source.labels) != 1
    assert bool(source.labels) != (source.modality == "text")
    labels = np.arange(len(source.labels)) if source.labels else np.zeros(5, int)
    for split in ("train", "held-out"):
        drawn = source.draw(labels, np.random.default_rng(0), split)
        assert drawn.shape == (len(labels), *source.shape)
        assert drawn.dtype == np.float32


def test_an_unknown_dataset_is_answered_with_the_known_ones():
    with pytest.raises(NotFound, match=r"'digit'.*digits, shapes-2d"):
        data.dataset("digit")
    with pytest.raises(NotFound, match="'digit'"):
        data.sample("digit", [0], [0])


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_the_same_alone_in_another_batch_and_in_another_order(name):
    labels = [3, None, 0, None, 3] if name in CLASSED else [None] * 5
    seeds = [5, 6, 7, 2**63 - 1, 8]
    rows, drawn = data.sample(name, labels, seeds)
    assert rows.shape == (5, *data.dataset(name).shape)
    assert rows.dtype == np.float32
    for i in range(5):
        row, label = data.sample(name, [labels[i]], [seeds[i]])
        np.testing.assert_array_equal(row[0], rows[i])
        assert label == [drawn[i]]
    backwards, _ = data.sample(name, labels[::-1], seeds[::-1])
    np.testing.assert_array_equal(backwards[::-1], rows)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_gives_another_sample(name):
    """Of n samples of a label, 20 draws are expected to find n·(1 − (1 − 1/n)^20) different ones."""
    label = 1 if name in CLASSED else None
    rows, _ = data.sample(name, [label] * 20, range(20))
    every = data.dataset(name).every
    n = np.count_nonzero(every("train")[1] == (label or 0)) if every is not None else 10**6
    assert len(np.unique(rows.reshape(20, -1), axis=0)) > 0.85 * n * (1 - (1 - 1 / n) ** 20)


@pytest.mark.parametrize("name", CLASSED)
def test_any_draws_every_label_and_names_the_one_drawn(name):
    labels = range(len(data.dataset(name).labels))
    rows, drawn = data.sample(name, [None] * 200, range(200))
    assert set(drawn) == set(labels)
    assert all(isinstance(label, int) for label in drawn)  # they go into JSON
    if name == "digits":
        pictures, known = digits.load("train")
        for row, label in zip(rows[:20], drawn, strict=False):
            assert any(np.array_equal(row, other) for other in pictures[known == label])


def test_the_split_is_passed_on():
    rows, _ = data.sample("digits", [7] * 30, range(30), split="held-out")
    held_out = digits.load("held-out")[0]
    assert all((held_out == row).all(axis=(1, 2, 3)).any() for row in rows)


@pytest.mark.parametrize("name", CLASSED)
@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_the_dataset_has_not_is_refused(name, label):
    with pytest.raises(BadInput, match=rf"'{name}'.*labels 0 to \d.*found {label}"):
        data.sample(name, [0, label], [1, 2])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in CLASSED])
def test_a_dataset_without_classes_draws_without_and_refuses_one(name):
    assert data.sample(name, [None, None], [1, 2])[1] == [None, None]
    with pytest.raises(BadInput, match=f"'{name}' knows no classes, found 0: leave the label out"):
        data.sample(name, [None, 0], [1, 2])


def test_labels_and_seeds_come_in_pairs():
    with pytest.raises(ValueError, match="zip"):
        data.sample("digits", [1, 2], [1])
