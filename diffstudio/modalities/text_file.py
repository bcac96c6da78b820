"""Text of the user's own: from a file, or typed as what stays fixed."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from diffstudio import user_files
from diffstudio.errors import BadFile, BadInput
from diffstudio.specs import TextSpec

FREE = "_"  # stands for a cell that is free
MAX_BYTES = 16 << 20
MAX_LINES = 100_000


def read_text(path: Path, spec: TextSpec, length: int) -> np.ndarray:
    """The lines of a UTF-8 file as tokens: (N, length), shorter lines filled with spaces, longer ones in pieces.

    Raises:
        BadInput: no such file, or letters that the model does not know.  BadFile: not a text, or nothing in it.
    """
    lines = user_files.read_text(path, MAX_BYTES).splitlines()
    found = (line[i : i + length].strip() for line in lines for i in range(0, len(line), length))
    pieces = list(itertools.islice(filter(None, found), MAX_LINES))
    if not pieces:
        raise BadFile(f"{path} has no text in it")
    filler = " " if " " in spec.vocabulary else spec.vocabulary[0]
    whole = _numbers("".join(piece.ljust(length, filler) for piece in pieces), spec, str(path))
    return whole.reshape(len(pieces), length)


def read_prompt(prompt: str, spec: TextSpec, length: int) -> tuple[np.ndarray, np.ndarray]:
    """What a prompt fixes: tokens (length,) and where they are fixed (length,) bool; "_" is a free cell.

    Raises:
        BadInput: too long, or with letters that the model does not know.
    """
    if len(prompt) > length:
        raise BadInput(f"the prompt has {len(prompt)} characters, expected at most {length}: shorten it")
    free = np.array([letter == FREE for letter in prompt.ljust(length, FREE)])
    filler = spec.vocabulary[0]
    letters = "".join(filler if letter == FREE else letter for letter in prompt.ljust(length, FREE))
    return _numbers(letters, spec, "the prompt"), ~free


def _numbers(text: str, spec: TextSpec, where: str) -> np.ndarray:
    known = {token: i for i, token in enumerate(spec.vocabulary)}
    found = [known.get(letter, known.get(letter.lower())) for letter in text]
    strange = sorted({letter for letter, number in zip(text, found, strict=True) if number is None})
    if strange:
        some = " ".join(strange[:8])
        have = "".join(spec.vocabulary[:64]).strip()
        raise BadInput(f"{where} has characters that the model does not know: {some}; it knows {have} and the space")
    return np.array(found, np.int64)
