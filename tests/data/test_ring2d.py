"""The ring by itself against the ring among the shapes."""

from __future__ import annotations

import numpy as np

from diffstudio import data
from diffstudio.data import ring2d, shapes2d


def test_a_label_is_the_mode_at_its_angle():
    labels = np.repeat(np.arange(8), 500)
    points = ring2d.draw(labels, np.random.default_rng(0), "train")
    angles = np.degrees(np.arctan2(points[:, 1], points[:, 0])) % 360
    for label, name in enumerate(data.dataset("ring-2d").labels):
        own = (angles[labels == label] - float(name.rstrip("°")) + 180) % 360 - 180
        assert np.abs(own).max() < 4


def test_all_modes_together_are_the_ring_of_the_shapes():
    rng = np.random.default_rng(1)
    ours = ring2d.draw(rng.integers(8, size=20_000), rng, "train")
    theirs = shapes2d.ring(rng, 20_000)
    for moment in (1, 2, 4):
        np.testing.assert_allclose((ours**moment).mean(0), (theirs**moment).mean(0), atol=0.03)
    away = ours - ring2d.MEANS[np.argmin(((ours[:, None] - ring2d.MEANS) ** 2).sum(2), 1)]
    np.testing.assert_allclose(away.std(0), shapes2d.RING_STD, rtol=0.05)
