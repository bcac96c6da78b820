"""T5's own vocabulary, which every Stable Diffusion 3 and Flux has and which none of their single files carries."""

from __future__ import annotations

import functools
import gzip
import struct

from diffstudio.checkpoints.adapters.vocabulary import Vocabulary
from diffstudio.resources import resource

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
ROWS = 32_128  # of the encoder's table: more than there are words
EXTRA = 100  # words of T5's training, which stand for what was left out of a text


def t5_vocabulary() -> Vocabulary:
    """The 32,100 words with their scores."""
    pieces, scores = _tables()
    return Vocabulary("T5's own tokenizer", "t5", pieces, scores, (), "", END, PAD, UNKNOWN)


@functools.cache
def _tables() -> tuple[dict[str, int], tuple[float, ...]]:
    """The pieces in the order of their numbers, which begin with the three above; the extra words last."""
    text = gzip.decompress(resource("data", "t5-pieces.tsv.gz").read_bytes()).decode("utf-8")
    rows = [line.split("\t") for line in text.split("\n") if line]
    words = [word for word, _ in rows] + [f"<extra_id_{i}>" for i in reversed(range(EXTRA))]
    scores = [_single(float(score)) for _, score in rows] + [0.0] * EXTRA
    return {word: i for i, word in enumerate(words)}, tuple(scores)


def _single(value: float) -> float:
    """The float32 whose shortest text this is, as SentencePiece stores it."""
    return struct.unpack("<f", struct.pack("<f", value))[0]
