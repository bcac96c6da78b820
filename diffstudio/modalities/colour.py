"""Colour maps as tables of 256 rows."""

from __future__ import annotations

import functools

import numpy as np

# Ends of the diverging map: blue for negative, orange for positive; told apart by colour-blind eyes too.
_NEGATIVE = {
    True: ((18, 19, 22), (38, 88, 168), (140, 196, 255)),
    False: ((255, 255, 255), (120, 170, 230), (14, 60, 140)),
}
_POSITIVE = {
    True: ((18, 19, 22), (190, 104, 20), (255, 214, 140)),
    False: ((255, 255, 255), (240, 170, 90), (150, 70, 0)),
}


@functools.cache
def diverging(dark: bool) -> np.ndarray:
    """(256, 3) uint8: row 0 is −limit, 127.5 zero (the colour of the paper), row 255 +limit."""
    u = np.linspace(-1, 1, 256)
    stops = np.linspace(0, 1, 3)
    out = np.empty((256, 3))
    for channel in range(3):
        low = np.interp(-u, stops, [c[channel] for c in _NEGATIVE[dark]])
        high = np.interp(u, stops, [c[channel] for c in _POSITIVE[dark]])
        out[:, channel] = np.where(u < 0, low, high)
    return out.round().astype(np.uint8)


def not_finite(x: np.ndarray) -> np.ndarray | None:
    """Where x is NaN or infinite; None where it is nowhere, which is quick to find out."""
    finite = np.isfinite(x)
    return None if finite.all() else ~finite


def stretched(x: np.ndarray) -> np.ndarray:
    """x (B, …) with each sample from its own lowest value, at −1, to its highest, at 1; what is not finite stays.

    A sample that is the same everywhere stays as it is.
    """
    rows = x.reshape(len(x), -1).astype(np.float64)
    finite = np.isfinite(rows)
    low = np.where(finite, rows, np.inf).min(1, keepdims=True)
    span = np.where(finite, rows, -np.inf).max(1, keepdims=True) - low
    flat = ~(span > 0)
    with np.errstate(invalid="ignore"):
        out = np.where(flat, rows, 2 * (rows - low) / np.where(flat, 1, span) - 1)
    return out.reshape(x.shape).astype(np.float32)


def signed_index(x: np.ndarray, limit: float) -> np.ndarray:
    """x (…) with −limit … +limit → rows of `diverging` (…) uint8; what is not finite lands anywhere."""
    return to_uint8(x, 127.5 / limit, 127.5)


def to_uint8(x: np.ndarray, scale: float, zero: float) -> np.ndarray:
    """scale·x + zero, cut to 0 … 255, as uint8; NaN lands anywhere."""
    # In place, and without asking first what is finite: each pass over a record's values costs what a paint costs.
    with np.errstate(over="ignore", invalid="ignore"):
        out = x * np.float32(scale)
        out += np.float32(zero)
        np.clip(out, 0, 255, out=out)
        return out.astype(np.uint8)


def signed_to_rgb(x: np.ndarray, limit: float, dark: bool) -> np.ndarray:
    """x (…) with −limit … +limit → (…, 3) uint8; what is not finite is magenta."""
    out = diverging(dark).take(signed_index(x, limit), axis=0)
    bad = not_finite(x)
    if bad is not None:
        out[bad] = (255, 0, 255)
    return out
