"""Tables of numbers of the user's own, .csv or .txt, as points."""

from __future__ import annotations

import array
import io
from pathlib import Path

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.user_files import read_regular

MAX_BYTES = 64 << 20
MAX_ROWS = 1_000_000  # more samples no run has


def read_table(path: Path) -> np.ndarray:
    """The rows (N, M) float32; separated by commas, semicolons or blanks, a first heading is left out. BadFile."""
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not a text file that can be read") from error
    rows, width, numbers = 0, 0, array.array("f")
    for number, line in enumerate(io.StringIO(text), 1):
        if number % 10_000 == 0:
            check_cancelled()
        words = line.replace(",", " ").replace(";", " ").split()
        if not words or line.startswith("#"):
            continue
        try:
            numbers.extend([float(word) for word in words])
        except ValueError as error:
            if number == 1:
                continue  # a heading
            raise BadFile(f"{path}, line {number}: {line.rstrip()[:40]!r} is not a row of numbers") from error
        rows, width = rows + 1, width or len(words)
        if len(words) != width:
            raise BadFile(f"{path}, line {number}: {len(words)} numbers, expected {width}")
        if rows > MAX_ROWS:
            raise BadInput(f"{path} has more than {MAX_ROWS:,} rows: cut it first")
    if not rows:
        raise BadFile(f"{path} holds no row of numbers")
    return np.array(numbers, np.float32).reshape(rows, width)
