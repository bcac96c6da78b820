"""Texts counted: how often each token occurs in a record, and tokens as vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.modalities.text import spec_of, tokens_of
from diffstudio.specs import TextSpec
from diffstudio.traces.reader import Trace


@dataclass(frozen=True)
class Letters:
    """Counts (V + 1,) of each token of a vocabulary, and last of the masked cells."""

    vocabulary: tuple[str, ...]
    counts: np.ndarray

    @property
    def masked(self) -> int:
        """Cells without a token."""
        return int(self.counts[-1])

    @property
    def most(self) -> list[tuple[str, float]]:
        """The three tokens that occur most, with their share of the cells that have one."""
        known = self.counts[:-1]
        order = np.argsort(-known, kind="stable")[:3]
        return [(self.vocabulary[i], float(known[i] / max(1, known.sum()))) for i in order if known[i]]


def vocabulary(trace: Trace) -> TextSpec | None:
    """What the tokens of a trace are; None where its states are no tokens, or it does not say."""
    if trace.modality != "text":
        return None
    try:
        spec = spec_of(trace.meaning)
    except BadFile:
        return None
    return spec if spec.discrete else None


def one_hot(rows: np.ndarray, spec: TextSpec) -> np.ndarray:
    """Tokens (B, 1, L) as unit vectors, one for a masked cell too: (B, L, V + 1) float32."""
    return np.eye(spec.mask + 1, dtype=np.float32)[tokens_of(rows, spec)]


def letters(trace: Trace, k: int, name: str, some: slice | None = None) -> Letters | None:
    """Of x̂0 or x_t; of any other tensor those that x_t holds where it changed. None where states are no tokens.

    some: of the samples; None all.

    Raises:
        BadFile: the file was cut.
    """
    spec = vocabulary(trace)
    if spec is None:
        return None
    numbers = tokens_of(trace.array(k, "x0_hat" if name == "x0_hat" else "xt", some), spec)
    if name not in ("xt", "x0_hat"):
        numbers = numbers[fields.tensor(trace, k, "delta", some)[:, 0] != 0]
    return Letters(spec.vocabulary, np.bincount(numbers.ravel(), minlength=spec.mask + 1))
