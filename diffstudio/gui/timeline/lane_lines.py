"""Where a curve's numbers stand in its lane, and which of them are enough to draw it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect

from diffstudio.gui.timeline.curves import Curve

INSET = 4.0  # px between a curve and its lane's edge
STRIDES = (16, 8, 4, 2)  # every so many points are enough where the rest lies on the line between them
TOLERANCE = 0.25  # px


def height_of(curve: Curve, row: QRect, values: np.ndarray | float) -> np.ndarray | float:
    """Where values stand in a lane's row, in pixels of the view."""
    return row.bottom() - INSET - curve.share(values) * (row.height() - 1 - 2 * INSET)


def pieces(xs: np.ndarray, ys: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The runs of finite values."""
    good = np.isfinite(ys)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    out = []
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        out.append(_thinned(xs[first:last], ys[first:last]))
    return out


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fewer points with the same look: stroking costs a microsecond each, at every record that a run appends."""
    for stride in STRIDES:
        if len(x) > 2 * stride:
            kept = np.append(np.arange(0, len(x) - 1, stride), len(x) - 1)
            if np.abs(np.interp(x, x[kept], y[kept]) - y).max() <= TOLERANCE:
                return x[kept], y[kept]
    if len(x) <= max(2.0, x[-1] - x[0]):
        return x, y
    starts = np.flatnonzero(np.diff(np.floor(x / 2), prepend=-np.inf))
    extremes = np.stack([np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)], 1)
    return np.repeat(x[starts], 2), extremes.ravel()
