"""A finite part of a data set: what an exact model of memory knows, and nothing else."""

from __future__ import annotations

import numpy as np

from diffstudio.data.dataset import Dataset

MOST = 20_000  # points of a class


def finite_part(source: Dataset, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`size` training samples of each class and their labels, (N, *shape) and (N,); of a finite set never one twice."""
    rng = np.random.default_rng(seed)
    if source.every is None:
        labels = np.repeat(np.arange(len(source.labels)), size)
        return source.draw(labels, rng, "train"), labels
    data, labels = source.every("train")
    if size:
        rows = [rng.permutation(np.flatnonzero(labels == label))[:size] for label in range(len(source.labels))]
        data, labels = data[np.concatenate(rows)], labels[np.concatenate(rows)]
    return data, labels
