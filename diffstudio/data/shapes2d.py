"""Eight distributions in the plane, drawn fresh from their formulas. The unit square comes first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from diffstudio.data.dataset import Dataset

Draw = Callable[["np.random.Generator", int], np.ndarray]  # by name: the window shows itself without numpy.random
RING_RADIUS, RING_STD, RING_MODES = 1.0, 0.01, 8


def square(rng: np.random.Generator, n: int) -> np.ndarray:
    """Uniform on [0, 1]²."""
    return rng.uniform(0, 1, (n, 2))


def ring(rng: np.random.Generator, n: int) -> np.ndarray:
    """Eight Gaussians of standard deviation 0.01 on the unit circle."""
    angle = 2 * np.pi * rng.integers(RING_MODES, size=n) / RING_MODES
    return RING_RADIUS * np.stack([np.cos(angle), np.sin(angle)], 1) + RING_STD * rng.normal(size=(n, 2))


def moons(rng: np.random.Generator, n: int) -> np.ndarray:
    """Two half circles that reach into each other."""
    angle = np.pi * rng.uniform(0, 1, n)
    lower = rng.integers(2, size=n)
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    return 0.85 * np.stack([x, y], 1) + 0.04 * rng.normal(size=(n, 2))


def swiss_roll(rng: np.random.Generator, n: int) -> np.ndarray:
    """The swiss roll seen from its side."""
    angle = 1.5 * np.pi * (1 + 2 * rng.uniform(0, 1, n))
    roll = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) / (4.5 * np.pi)
    return 1.2 * roll + 0.02 * rng.normal(size=(n, 2))


def checkerboard(rng: np.random.Generator, n: int) -> np.ndarray:
    """The eight black fields of a 4×4 board on [-1.2, 1.2]²."""
    column = rng.integers(4, size=n)
    row = 2 * rng.integers(2, size=n) + column % 2
    return (np.stack([column, row], 1) + rng.uniform(0, 1, (n, 2))) * 0.6 - 1.2


def pinwheel(rng: np.random.Generator, n: int) -> np.ndarray:
    """Five arms that bend with their radius."""
    arm = rng.integers(5, size=n)
    x = 0.3 * rng.normal(size=n) + 1.0
    y = 0.07 * rng.normal(size=n)
    angle = 2 * np.pi * arm / 5 + 0.25 * np.exp(x)
    return 0.8 * np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], 1)


def spiral(rng: np.random.Generator, n: int) -> np.ndarray:
    """Two interleaved spiral arms, even along their length."""
    angle = 3 * np.pi * np.sqrt(rng.uniform(0.02, 1, n))
    side = np.where(rng.integers(2, size=n), 1.0, -1.0)
    arm = side[:, None] * angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) / (3 * np.pi)
    return 1.3 * arm + 0.02 * rng.normal(size=(n, 2))


# The strokes of the letter A: start, end.
_STROKES = np.array([[[-0.8, -1.0], [0.0, 1.0]], [[0.0, 1.0], [0.8, -1.0]], [[-0.5, -0.25], [0.5, -0.25]]])


def letter(rng: np.random.Generator, n: int) -> np.ndarray:
    """The letter A, in strokes of even ink."""
    length = np.linalg.norm(_STROKES[:, 1] - _STROKES[:, 0], axis=1)
    which = rng.choice(len(_STROKES), size=n, p=length / length.sum())
    start, end = _STROKES[which, 0], _STROKES[which, 1]
    along = (end - start) / length[which][:, None]
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    return start + rng.uniform(0, 1, (n, 1)) * (end - start) + rng.uniform(-0.08, 0.08, (n, 1)) * across


SHAPES: dict[str, Draw] = {
    "unit square": square,
    "8 Gaussians": ring,
    "two moons": moons,
    "swiss roll": swiss_roll,
    "checkerboard": checkerboard,
    "pinwheel": pinwheel,
    "spiral": spiral,
    "letter A": letter,
}


def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A fresh point of each label's shape: (B, 2) float32."""
    out = np.empty((len(labels), 2), np.float32)
    shapes = tuple(SHAPES.values())
    for index in sorted(set(labels.tolist())):  # only those asked for: a run's points are drawn one by one
        here = labels == index
        out[here] = shapes[index](rng, int(here.sum()))
    return out


DATASET = Dataset(
    name="shapes-2d",
    title="Eight shapes in the plane",
    modality="points",
    shape=(2,),
    labels=tuple(SHAPES),
    licence="CC0 1.0",
    credit="Drawn from formulas in diffstudio/data/shapes2d.py.",
    draw=draw,
)
