"""The embedding of time against its formula, written out a second time."""

from __future__ import annotations

import math

import pytest
import torch

from diffstudio.networks.embedding import TimeAndLabel, sinusoidal
from diffstudio.networks.limits import limit


def test_time_becomes_cosines_and_sines_at_geometric_frequencies():
    t = torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    found = sinusoidal(t, 8)
    for row, time in zip(found, t.tolist(), strict=True):
        angles = [1000 * time * 10_000 ** (-i / 4) for i in range(4)]
        expected = [math.cos(a) for a in angles] + [math.sin(a) for a in angles]
        assert row.tolist() == pytest.approx(expected, abs=1e-12)


def test_all_steps_of_a_thousand_are_told_apart():
    vectors = sinusoidal(torch.arange(1001) / 1000, 32)
    distance = torch.cdist(vectors, vectors) + 10 * torch.eye(1001)
    assert distance.min() > 0.5


def test_the_label_is_added_to_the_time():
    torch.manual_seed(0)
    embedding = TimeAndLabel(8, labels=2)
    t = torch.tensor([0.3, 0.3, 0.3])
    rows = embedding(t, torch.tensor([0, 1, 2]))
    torch.testing.assert_close(rows - embedding.label.weight, rows[:1].expand(3, 8) - embedding.label.weight[:1])
    assert embedding.any_label == 2
    assert len(embedding.label.weight) == 3


@pytest.mark.parametrize("value", [0, -1, 65, 2.0, True, "4", None, [4]])
def test_a_limit_takes_whole_numbers_alone(value):
    with pytest.raises(ValueError, match=r"blocks is .*, expected a whole number from 1 to 64"):
        limit("blocks", value, 64)


@pytest.mark.parametrize("value", [1, 64])
def test_a_limit_includes_its_bounds(value):
    limit("blocks", value, 64)
