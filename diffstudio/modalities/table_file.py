"""Tables of numbers of the user's own, .csv or .txt, as points."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile


def read_table(path: Path) -> np.ndarray:
    """The rows (N, M) float32; separated by commas, semicolons or blanks, a first heading is left out. BadFile."""
    try:
        lines = path.read_text(encoding="utf-8", errors="strict").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is not a text file that can be read") from error
    rows = []
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words or line.startswith("#"):
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            if not rows and number == 1:
                continue  # a heading
            raise BadFile(f"{path}, line {number}: {line[:40]!r} is not a row of numbers") from error
        if len(rows[-1]) != len(rows[0]):
            raise BadFile(f"{path}, line {number}: {len(rows[-1])} numbers, expected {len(rows[0])}")
    if not rows:
        raise BadFile(f"{path} holds no row of numbers")
    return np.array(rows, np.float32)
