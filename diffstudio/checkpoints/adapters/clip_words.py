"""CLIP's own vocabulary, which every Stable Diffusion has and which none of its single files carries."""

from __future__ import annotations

import functools
import gzip

from diffstudio.checkpoints.adapters.vocabulary import Merge, Vocabulary
from diffstudio.resources import resource

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
COUNT = 49_408


def clip_vocabulary(pad: str) -> Vocabulary:
    """The 49,408 words; pad: END as OpenAI has it, "!" as OpenCLIP has."""
    pieces, merges = _tables()
    return Vocabulary("CLIP's own tokenizer", "clip", pieces, (), merges, BEGIN, END, pad, END)


@functools.cache
def _tables() -> tuple[dict[str, int], tuple[Merge, ...]]:
    """Letters for the bytes, the same at the end of a word, what the merges make of them, begin and end."""
    text = gzip.decompress(resource("data", "clip-merges.txt.gz").read_bytes()).decode("utf-8")
    pairs = [tuple(line.split(" ")) for line in text.splitlines()]
    merges = tuple((first, second) for first, second in pairs)
    letters = _letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), BEGIN, END]
    return {word: i for i, word in enumerate(words)}, merges


def _letters() -> list[str]:
    """A printable letter for each of the 256 bytes, in the order of their numbers: those that are printed first."""
    printed = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [*map(chr, printed), *(chr(256 + i) for i in range(256 - len(printed)))]
