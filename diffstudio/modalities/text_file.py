"""Text of the user's own: from a file, or typed as what stays fixed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.encodings import decoded, lines_of
from diffstudio.modalities.letters import Replacing
from diffstudio.specs import TextSpec
from diffstudio.user_files import read_regular

FREE = "_"  # stands for a cell that is free
MAX_BYTES = 16 << 20
MAX_LINES = 100_000
MAX_VALUES = 1 << 25  # of all states together
PIECE = 1000  # lines between two looks at whether they are still wanted


def read_text(path: Path, spec: TextSpec, length: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """The lines of a text as tokens, (N, length), shorter lines filled with spaces, longer ones in pieces; and remarks.

    Characters that the model does not know are replaced by those that are most like them, else by a space; the remarks
    say which.

    Raises:
        BadInput: no such file, or nothing in it that the model knows.  BadFile: not a text, or nothing in it.
    """
    content = read_regular(path, MAX_BYTES, "the text ")
    try:
        text, said = decoded(content)
    except ValueError as error:
        raise BadFile(f"{path} is not a text: it has control characters in it") from error
    lines = (line.strip() for line in lines_of(text) if line.strip())
    first = next(lines, None)
    if first is None:
        raise BadFile(f"{path} has no text in it")
    replacing = Replacing(frozenset(spec.vocabulary))
    channels = 1 if spec.discrete else len(spec.embedding[0])
    most = min(MAX_LINES, max(1, MAX_VALUES // (length * channels)))
    found = _pieces(itertools.islice(itertools.chain([first], lines), MAX_LINES), replacing, length)
    pieces = list(itertools.islice(found, most))
    if not pieces:
        have = "".join(spec.vocabulary[:64]).strip()
        raise BadInput(f"{path} has no character that the model knows: it knows {have} and the space")
    filler = " " if " " in spec.vocabulary else spec.vocabulary[0]
    known, rows = _numbering(spec), np.empty((len(pieces), length), np.int64)
    for i, piece in enumerate(pieces):
        if i % PIECE == 0:
            check_cancelled()
        rows[i] = _numbers(piece.ljust(length, filler), spec, str(path), known)
    return rows, (*((said,) if said else ()), *replacing.remarks)


def _pieces(lines: Iterator[str], replacing: Replacing, length: int) -> Iterator[str]:
    """The lines in letters that the model knows, in pieces of at most that length."""
    for number, line in enumerate(lines):
        if number % PIECE == 0:
            check_cancelled()
        written = replacing.line(line)
        yield from filter(None, (written[i : i + length].strip() for i in range(0, len(written), length)))


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
    return _numbers(letters, spec, "the prompt", _numbering(spec)), ~free


def _numbering(spec: TextSpec) -> dict[str, int]:
    return {token: i for i, token in enumerate(spec.vocabulary)}


def _numbers(text: str, spec: TextSpec, where: str, known: Mapping[str, int]) -> np.ndarray:
    found = [known.get(letter, known.get(letter.lower())) for letter in text]
    strange = sorted({letter for letter, number in zip(text, found, strict=True) if number is None})
    if strange:
        some = " ".join(strange[:8])
        have = "".join(spec.vocabulary[:64]).strip()
        raise BadInput(f"{where} has characters that the model does not know: {some}; it knows {have} and the space")
    return np.array(found, np.int64)
