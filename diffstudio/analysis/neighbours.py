"""Which samples of the training data are nearest to a picture: is it new, or a copy?"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from diffstudio.data import DATASETS

FAR = 1e15  # beyond it squares are no numbers in float32


@dataclass(frozen=True)
class Known:
    """All training samples of a data set. samples: (N, *shape) float32; labels: (N,); squares: (N,) of their norms."""

    samples: np.ndarray
    labels: np.ndarray
    squares: np.ndarray


@dataclass(frozen=True)
class Neighbour:
    """A training sample: its place among them, its label, its distance ‖x − sample‖."""

    index: int
    label: int
    distance: float


@functools.cache
def known(name: str) -> Known | None:
    """The training samples of a data set; None where it is not here, or drawn from a formula without end."""
    source = DATASETS.get(name)
    if source is None or source.everything is None:
        return None
    samples, labels = source.everything("train")
    flat = samples.reshape(len(samples), -1)
    return Known(samples, labels, np.einsum("nd,nd->n", flat, flat))


def nearest(data: Known, x: np.ndarray, count: int = 5) -> list[Neighbour]:
    """The `count` nearest, the nearest first; none where x is not finite or far out. x: the shape of one sample."""
    if not (np.abs(x) <= FAR).all():
        return []
    flat, query = data.samples.reshape(len(data.samples), -1), x.reshape(-1).astype(np.float32)
    # ‖x − y‖² = ‖x‖² − 2·x·y + ‖y‖²: the order needs one product with all of them, the distances are taken exactly.
    order = data.squares - 2 * (flat @ query)
    count = min(count, len(order))
    first = np.argpartition(order, count - 1)[:count] if count < len(order) else np.arange(count)
    distances = np.linalg.norm(flat[first].astype(np.float64) - query.astype(np.float64), axis=1)
    return [
        Neighbour(int(first[i]), int(data.labels[first[i]]), float(distances[i]))
        for i in np.argsort(distances, kind="stable")
    ]
