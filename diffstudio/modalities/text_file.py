"""Text of the user's own: from a file, or typed as what stays fixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.encodings import decoded
from diffstudio.modalities.letters import Replacing
from diffstudio.specs import TextSpec

FREE = "_"  # stands for a cell that is free
MAX_BYTES = 16 << 20
MAX_LINES = 100_000


def read_text(path: Path, spec: TextSpec, length: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """The lines of a text as tokens, (N, length), shorter lines filled with spaces, longer ones in pieces; and remarks.

    Characters that the model does not know are replaced by those that are most like them, else by a space; the remarks
    say which.

    Raises:
        BadInput: no such file, or nothing in it that the model knows.  BadFile: not a text, or nothing in it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
        text, said = decoded(path.read_bytes())
    except OSError as error:
        raise BadInput(f"can't read the text {path}: {error.strerror}") from error
    except ValueError as error:
        raise BadFile(f"{path} is not a text: it has control characters in it") from error
    lines = [line for line in text.splitlines() if line.strip()][:MAX_LINES]
    if not lines:
        raise BadFile(f"{path} has no text in it")
    replacing = Replacing(frozenset(spec.vocabulary))
    written = [replacing.line(line.strip()) for line in lines]
    pieces = [line[i : i + length].strip() for line in written for i in range(0, len(line), length)]
    pieces = [piece for piece in pieces if piece][:MAX_LINES]
    if not pieces:
        have = "".join(spec.vocabulary[:64]).strip()
        raise BadInput(f"{path} has no character that the model knows: it knows {have} and the space")
    filler = " " if " " in spec.vocabulary else spec.vocabulary[0]
    rows = np.stack([_numbers(piece.ljust(length, filler), spec, str(path)) for piece in pieces])
    return rows, (*((said,) if said else ()), *replacing.remarks)


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
