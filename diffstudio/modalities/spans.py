"""Numbers that stand for brightness: which of them are black and white, where the file does not say so itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diffstudio.cancelling import check_cancelled

Span = tuple[float, float]
UNIT, SIGNED, BYTES, DEEP = (0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (0.0, 65535.0)
NEARLY = 1e-4  # what rounding adds at the ends
STATES = 8.0  # numbers up to this, on both sides of zero, are states with noise on them: −1 and 1 are their ends
PIECE = 1 << 20  # values at a time
DIM = 0.25  # of the highest value: what stays below may be of fewer bits than it is stored in


def recognised(values: np.ndarray) -> Span:
    """The values that black and white have, from the type of the numbers and their extremes.

    Whole numbers of 8 and 16 bits have their own ends, unless they stay within shorter ones. Of fractions 0 to 1, 0 to
    255, 0 to 65,535 and −1 to 1 are known; of all else the lowest is black and the highest white.
    """
    low, high = extremes(values)
    if values.dtype.kind == "b" or (low >= -NEARLY and 0 < high <= 1 + NEARLY):
        return UNIT
    if values.dtype == np.uint8:
        return BYTES
    if low >= -NEARLY:
        for span in (BYTES, DEEP):
            if high <= span[1] * (1 + NEARLY):
                return span
    elif values.dtype.kind == "f" and max(-low, high) <= STATES:
        return SIGNED
    beside = 1.0 if low - 1 < low < low + 1 else abs(low) / 2  # of a large number the next one is far away
    return (low, high) if high > low else (low - beside, low + beside)


def extremes(values: np.ndarray) -> Span:
    """The lowest and the highest of the finite values; (0, 0) where there are none."""
    low, high, found = np.inf, -np.inf, False
    for part in _pieces(values):
        finite = part[np.isfinite(part)] if part.dtype.kind == "f" else part
        if finite.size:
            low, high, found = min(low, float(finite.min())), max(high, float(finite.max())), True
    return (low, high) if found else (0.0, 0.0)


def _pieces(values: np.ndarray) -> Iterator[np.ndarray]:
    """All of them in their order, (n,) each: what is computed of a large array needs no room for as much again."""
    flat = values.reshape(-1)
    for at in range(0, flat.size, PIECE):
        check_cancelled()
        yield flat[at : at + PIECE]


def normal(values: np.ndarray, span: Span) -> np.ndarray:
    """Values as float32 with −1 for black and 1 for white; what lies beyond stays beyond."""
    if span == SIGNED:
        with np.errstate(over="ignore"):
            return values.astype(np.float32)
    low, high = span
    out, at = np.empty(values.size, np.float32), 0
    with np.errstate(over="ignore"):  # what is too large is not finite then
        for part in _pieces(values):
            out[at : at + len(part)] = (part.astype(np.float64) - low) * (2 / (high - low)) - 1
            at += len(part)
    return out.reshape(values.shape)


def remark(values: np.ndarray, span: Span) -> str:
    """What was taken as black and white, where another could be meant; "" where nothing else can."""
    low, high = extremes(values)
    if span == BYTES and values.dtype == np.uint8:
        return ""
    if span == DEEP and values.dtype == np.uint16 and high > DIM * DEEP[1]:
        return ""
    found = f"values from {low:.4g} to {high:.4g}"
    if span == SIGNED:
        beyond = max(-low, high) > 1 + NEARLY
        return f"{found} lie beyond −1 to 1 and are taken as they are" if beyond else ""
    return f"{found}: {span[0]:.6g} is taken as black, {span[1]:.6g} as white (--range on the command line)"
