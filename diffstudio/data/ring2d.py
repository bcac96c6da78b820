"""The ring of eight Gaussians by itself, one class a mode: a mixture that is known exactly."""

from __future__ import annotations

import numpy as np

from diffstudio.data.dataset import Dataset
from diffstudio.data.shapes2d import RING_MODES, RING_RADIUS, RING_STD

ANGLES = 2 * np.pi * np.arange(RING_MODES) / RING_MODES
MEANS = RING_RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)


def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A fresh point of each label's mode: (B, 2) float32."""
    return (MEANS[labels] + RING_STD * rng.normal(size=(len(labels), 2))).astype(np.float32)


DATASET = Dataset(
    name="ring-2d",
    title="Eight Gaussians on a ring",
    modality="points",
    shape=(2,),
    labels=tuple(f"{round(np.degrees(angle))}°" for angle in ANGLES),
    licence="CC0 1.0",
    credit="Drawn from formulas in diffstudio/data/ring2d.py.",
    draw=draw,
)
