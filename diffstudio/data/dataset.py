"""What a dataset is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diffstudio.specs import AudioSpec


@dataclass(frozen=True)
class Dataset:
    """A named source of labelled samples.

    draw(labels, rng, split): one random sample for each label, (B, *shape) float32; splits are "train" and "held-out"
        (the same where samples are drawn fresh from a formula).
    everything(split): all samples (N, *shape) and their labels (N,); None where they are drawn fresh from a formula.
    augment(x, rng): random changes that keep the label, for training only; None if there are none.
    every(split): all samples (N, *shape) float32 and their labels (N,); None where they are drawn from a formula.
    material(): the dataset that a training draws from, where it is made on the spot and larger than what is carried.
    audio: how the states of sounds become sound.  vocabulary: the tokens of texts, whose samples are their numbers.
    """

    name: str
    title: str
    modality: str
    shape: tuple[int, ...]
    labels: tuple[str, ...]
    licence: str
    credit: str
    draw: Callable[[np.ndarray, np.random.Generator, str], np.ndarray]
    everything: Callable[[str], tuple[np.ndarray, np.ndarray]] | None = None
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    every: Callable[[str], tuple[np.ndarray, np.ndarray]] | None = None
    material: Callable[[], Dataset] | None = None
    audio: AudioSpec | None = None
    vocabulary: tuple[str, ...] = ()
