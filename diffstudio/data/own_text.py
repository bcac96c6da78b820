"""A text file of the user's own, in the form of a dataset of texts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np

from diffstudio.data.dataset import Dataset
from diffstudio.errors import BadFile, BadInput
from diffstudio.user_files import read_text

MAX_BYTES = 256 << 20
MAX_LETTERS = 256  # of the vocabulary: the commonest; the others become spaces


def own_text(path: Path, form: Dataset) -> Dataset:
    """Samples as long as those of `form` from the file: from a line's first letters, or from the beginning of a word.

    Raises:
        BadInput: no such file, or a form that is no text.  BadFile: not UTF-8, or shorter than two samples.
    """
    if form.modality != "text":
        raise BadInput(f"'{form.name}' holds no texts, so the text file {path} can't take its place")
    length = form.shape[1]
    text = _read(path)
    if len(text) < 2 * length:
        raise BadFile(f"{path} has {len(text):,} characters, expected at least {2 * length:,}: two samples")
    letters = [letter for letter, _ in Counter(text).most_common(MAX_LETTERS)]
    vocabulary = tuple(sorted({" ", *letters[: MAX_LETTERS - 1]}))
    number = {letter: i for i, letter in enumerate(vocabulary)}
    tape = np.array([number.get(letter, number[" "]) for letter in text], np.float32)
    starts = np.flatnonzero(tape[:-1] == number[" "]) + 1
    starts = np.concatenate([[0], starts[starts <= len(tape) - length]])
    cut = max(1, len(starts) * 11 // 12)  # the end of the file is held out

    def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
        some = starts[cut:] if split == "held-out" and cut < len(starts) else starts[:cut]
        at = some[rng.integers(len(some), size=len(labels))]
        return tape[at[:, None] + np.arange(length)][:, None]

    return dataclasses.replace(
        form, name="", title=path.name, licence="", credit="", draw=draw, every=None, vocabulary=vocabulary
    )


def _read(path: Path) -> str:
    """The file in one line: runs of white space are one space."""
    return " ".join(read_text(path, MAX_BYTES).split())
