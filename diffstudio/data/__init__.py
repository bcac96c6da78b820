"""Datasets by name: arrays out, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffstudio.data import bouncing, digits, prose, ring2d, shapes2d, spoken
from diffstudio.data.dataset import Dataset
from diffstudio.errors import BadInput, NotFound

DATASETS: dict[str, Dataset] = {
    "digits": digits.DATASET,
    "shapes-2d": shapes2d.DATASET,
    "ring-2d": ring2d.DATASET,
    "bouncing-digits": bouncing.DATASET,
    "spoken-digits": spoken.DATASET,
    "sentences": prose.SENTENCES,
    "words": prose.WORDS,
}


def dataset(name: str) -> Dataset:
    """The dataset of that name.

    Raises:
        NotFound: no such dataset.
    """
    if name not in DATASETS:
        raise NotFound(f"no dataset '{name}': choose one of {', '.join(DATASETS)}")
    return DATASETS[name]


def sample(
    name: str, labels: Sequence[int | None], seeds: Sequence[int], split: str = "train"
) -> tuple[np.ndarray, list[int | None]]:
    """One sample for each (label, seed): (B, *shape) float32 and the labels drawn where None asked for any.

    Of a dataset without classes the labels stay None.

    A sample depends on its own label and seed alone, not on the batch it is drawn in.

    Raises:
        NotFound: no such dataset.  BadInput: a label that it does not have.
    """
    source, several = dataset(name), _Generators()
    count = len(source.labels)
    rows: list[np.ndarray] = []
    drawn: list[int | None] = []
    for label, seed in zip(labels, seeds, strict=True):
        rng = several.of(seed)
        if label is None and not count:
            rows.append(source.draw(np.zeros(1, np.int64), rng, split)[0])
            drawn.append(None)
            continue
        chosen = int(rng.integers(count)) if label is None else label
        if not count:
            raise BadInput(f"dataset '{name}' knows no classes, found {chosen}: leave the label out")
        if not 0 <= chosen < count:
            raise BadInput(f"dataset '{name}' has the labels 0 to {count - 1}, found {chosen}")
        rows.append(source.draw(np.array([chosen]), rng, split)[0])
        drawn.append(chosen)
    return np.stack(rows).astype(np.float32), drawn


def one(name: str, index: int, label: int | None = None, split: str = "train") -> tuple[np.ndarray, int | None]:
    """One sample (*shape) of a dataset by its number, and its label.

    Of a finite set its place among all samples; of a formula the seed with which it is drawn, of that label.

    Raises:
        NotFound: no such dataset.  BadInput: it has no such sample, or no such label.
    """
    source = dataset(name)
    every = source.every or source.everything
    if every is None:
        rows, drawn = sample(name, (label,), (index,), split)
        return rows[0], drawn[0]
    rows, labels = every(split)
    if not 0 <= index < len(rows):
        raise BadInput(f"dataset '{name}' has the samples 0 to {len(rows) - 1:,}, found {index:,}")
    return rows[index].astype(np.float32), int(labels[index]) if source.labels else None


class _Generators:
    """A generator of its own for each seed, by another key of one Philox: to make one each takes fifteen times as long.

    A thousand points would hold the interpreter for 30 ms, and with it the window.
    """

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=[0, 0xDA7A])
        self._start: Any = dict(self._bits.state)
        self._rng = np.random.Generator(self._bits)

    def of(self, seed: int) -> np.random.Generator:
        """At its beginning; the one before is no longer to be used."""
        self._start["state"]["key"][0] = seed
        self._bits.state = self._start
        return self._rng
