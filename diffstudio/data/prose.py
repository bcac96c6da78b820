"""English prose in small letters: the documentation of Python, and the words that it is made of.

`packaging/prose.py` collected the file; lines of the user's own text make a dataset of the same kind.
"""

from __future__ import annotations

import functools
import re
from collections import Counter

import numpy as np

from diffstudio.data.dataset import Dataset
from diffstudio.resources import resource

LETTERS = " abcdefghijklmnopqrstuvwxyz.,'-"
SENTENCE, WORD = 64, 10  # cells
HELD_OUT = 12  # every so many lines or words are held out
RARE = 2  # a word that occurs less often may be a slip
CREDIT = "Python Software Foundation: pydoc topics and docstrings of the standard library of Python 3.11."


@functools.cache
def lines(split: str) -> tuple[str, ...]:
    """The paragraphs of the corpus, one a line, of "train" or "held-out"."""
    every = resource("data", "prose.txt").read_text(encoding="ascii").splitlines()
    return tuple(line for i, line in enumerate(every) if (i % HELD_OUT == 0) == (split == "held-out"))


@functools.cache
def words(split: str) -> tuple[str, ...]:
    """The words of 3 to WORD letters that occur at least RARE times, each once."""
    counts = Counter(
        word for part in ("train", "held-out") for line in lines(part) for word in re.findall("[a-z]+", line)
    )
    every = sorted(word for word, count in counts.items() if count >= RARE and 3 <= len(word) <= WORD)
    return tuple(word for i, word in enumerate(every) if (i % HELD_OUT == 0) == (split == "held-out"))


def encode(text: str) -> np.ndarray:
    """Letters as numbers: (len(text),) float32."""
    return _NUMBERS[np.frombuffer(text.encode("ascii"), np.uint8)]


_NUMBERS = np.zeros(128, np.float32)
_NUMBERS[[ord(letter) for letter in LETTERS]] = np.arange(len(LETTERS))


@functools.cache
def _tape(split: str) -> tuple[np.ndarray, np.ndarray]:
    """All lines one after the other as numbers, and where their words begin."""
    text = " ".join(lines(split))
    numbers = encode(text)
    starts = np.flatnonzero(numbers[:-1] == 0) + 1
    return numbers, np.concatenate([[0], starts[starts <= len(numbers) - SENTENCE]])


def draw_sentences(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """SENTENCE letters from the beginning of a random word on: (B, 1, SENTENCE)."""
    numbers, starts = _tape(split)
    at = starts[rng.integers(len(starts), size=len(labels))]
    return numbers[at[:, None] + np.arange(SENTENCE)][:, None]


@functools.cache
def _table(split: str) -> np.ndarray:
    return np.stack([encode(word.ljust(WORD)) for word in words(split)])[:, None]


def draw_words(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """Random words, with spaces after them: (B, 1, WORD)."""
    table = _table(split)
    return table[rng.integers(len(table), size=len(labels))]


def _dataset(name: str, title: str, length: int, draw, every=None) -> Dataset:
    return Dataset(
        name=name,
        title=title,
        modality="text",
        shape=(1, length),
        labels=(),
        licence="PSF-2.0",
        credit=CREDIT,
        draw=draw,
        every=every,
        vocabulary=tuple(LETTERS),
    )


def _windows(split: str) -> tuple[np.ndarray, np.ndarray]:
    """All that `draw_sentences` draws from, (N, 1, SENTENCE)."""
    numbers, starts = _tape(split)
    return numbers[starts[:, None] + np.arange(SENTENCE)][:, None], np.zeros(len(starts), np.int64)


SENTENCES = _dataset("sentences", "Sentences of Python's documentation", SENTENCE, draw_sentences, every=_windows)
WORDS = _dataset(
    "words",
    "Words of Python's documentation",
    WORD,
    draw_words,
    every=lambda split: (_table(split), np.zeros(len(_table(split)), np.int64)),
)
