"""Which samples of the training data are nearest to a sample: is it new, or a copy?"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffstudio.data import DATASETS
from diffstudio.data.finite import MOST, finite_part

TRIED, EFFORT = (20, 200), 2e8  # samples whose nearest other is sought: so many that this is soon done


@dataclass(frozen=True)
class FiniteSet:
    """Which samples a model has seen: all of a data set, or (size) so many of each class, drawn with a seed."""

    dataset: str
    size: int | None = None
    seed: int = 0


FAR = 1e15  # beyond it squares are no numbers in float32


@dataclass(frozen=True)
class Known:
    """All training samples of a data set.

    samples: (N, *shape) float32, of texts the numbers of their tokens (N, L) uint8.  labels: (N,).
    squares: (N,) of their norms.  apart: how far a training sample is from its nearest other, the median.
    tokens: distances count letters that differ.
    """

    samples: np.ndarray
    labels: np.ndarray
    squares: np.ndarray
    apart: float = 0.0
    tokens: bool = False


@dataclass(frozen=True)
class Neighbour:
    """A training sample: its place among them, its label, and its distance.

    distance: ‖x − sample‖, of texts the letters that differ.
    """

    index: int
    label: int
    distance: float


def seen_by(card: Mapping[str, Any]) -> FiniteSet | None:
    """What the card says that its model has seen; None where it says nothing, or nothing that is here.

    The card comes from a file: an exact model of points names a finite part of what is drawn from a formula.
    """
    data, args = card.get("data"), card.get("network_args")
    if card.get("network") == "exact_data" and isinstance(args, Mapping):
        size, seed = args.get("size", 0), args.get("seed", 0)
        good = isinstance(size, int) and 0 <= size <= MOST and isinstance(seed, int) and seed >= 0
        name = str(args.get("dataset", ""))
        return FiniteSet(name, size, seed) if good and name in DATASETS and (size or _every(name)) else None
    name = str(data.get("dataset", "")) if isinstance(data, Mapping) else ""
    return FiniteSet(name) if name in DATASETS else None


@functools.lru_cache(maxsize=4)
def known(seen: FiniteSet) -> Known | None:
    """The training samples; None where they are drawn from a formula without end."""
    every = _every(seen.dataset)
    if seen.size is not None:
        samples, labels = finite_part(DATASETS[seen.dataset], seen.size, seen.seed)
    elif every is not None:
        samples, labels = every("train")
    else:
        return None
    return made(samples, labels, bool(DATASETS[seen.dataset].vocabulary))


def made(samples: np.ndarray, labels: np.ndarray, tokens: bool = False) -> Known:
    """Samples (N, *shape), of texts the numbers of their tokens (N, 1, L), ready to be searched."""
    if tokens:
        # Cell by cell: of a hundred thousand texts that is five times as fast to compare as text by text.
        samples = np.ascontiguousarray(samples.reshape(len(samples), -1).astype(np.uint8).T).T
    else:
        samples = samples.astype(np.float32, copy=False)
    flat = samples.reshape(len(samples), -1)
    squares = np.zeros(len(flat)) if tokens else np.einsum("nd,nd->n", flat, flat)
    found = Known(samples, labels, squares, tokens=tokens)
    return Known(samples, labels, squares, _apart(found), tokens)


def nearest(data: Known, x: np.ndarray, count: int = 5) -> list[Neighbour]:
    """The `count` nearest, the nearest first; none where x is not finite or far out. x: the shape of one sample, or its
    tokens.
    """
    if not (np.abs(x) <= FAR).all():
        return []
    flat, query = data.samples.reshape(len(data.samples), -1), x.reshape(-1)
    if data.tokens:
        order = _differing(flat.T, query.astype(np.uint8))
    else:
        query = query.astype(np.float32)
        # ‖x − y‖² = ‖x‖² − 2·x·y + ‖y‖²: the order needs one product with all, the distances are taken exactly.
        with np.errstate(over="ignore", invalid="ignore"):  # of numbers beyond all bounds nothing is near
            order = data.squares - 2 * (flat @ query)
    count = min(count, len(order))
    first = np.argpartition(order, count - 1)[:count] if count < len(order) else np.arange(count)
    if data.tokens:
        distances = order[first]
    else:
        distances = np.linalg.norm(flat[first].astype(np.float64) - query.astype(np.float64), axis=1)
    return [
        Neighbour(int(first[i]), int(data.labels[first[i]]), float(distances[i]))
        for i in np.argsort(distances, kind="stable")
    ]


def _differing(cells: np.ndarray, query: np.ndarray) -> np.ndarray:
    """In how many cells each text differs, (N,) float64. cells: (L, N) uint8, query: (L,)."""
    out = np.zeros(cells.shape[1], np.uint8 if len(cells) < 256 else np.uint32)
    for cell, token in zip(cells, query, strict=True):
        out += (cell != token).view(np.uint8)
    return out.astype(np.float64)


def _every(name: str):
    source = DATASETS[name]
    return source.every or source.everything


def _apart(data: Known) -> float:
    """The median distance of some of the samples, evenly spread, to their nearest others that are not the same."""
    if len(data.samples) < 2:
        return 0.0
    many = int(np.clip(EFFORT / data.samples.size, *TRIED))
    chosen = np.unique(np.linspace(0, len(data.samples) - 1, many).round().astype(int))
    found = []
    for i in chosen:
        others = [n.distance for n in nearest(data, data.samples[i], 4) if n.index != i and n.distance > 0]
        found += others[:1]
    return float(np.median(found)) if found else 0.0
