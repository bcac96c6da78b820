"""The samples' way through the chains in the plane in which it spreads most (principal components)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diffstudio.analysis.letters import one_hot, vocabulary
from diffstudio.traces.reader import Trace

MOST_SAMPLES = 1000  # of a batch that are projected
MOST_NUMBERS, LEAST_ROWS = 4_000_000, 1024  # in the states that decide the plane


@dataclass(frozen=True)
class Plane:
    """mean: (D,).  axes: (2, D), orthonormal.  share: (2,), of the variance that lies along each."""

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def project(self, rows: np.ndarray) -> np.ndarray:
        """(N, D) → (N, 2)."""
        return (rows - self.mean) @ self.axes.T


@dataclass(frozen=True)
class Trajectories:
    """positions: (records, samples, 2) float32 in the plane, NaN where a state is not finite."""

    positions: np.ndarray
    plane: Plane


def principal_plane(rows: np.ndarray) -> Plane:
    """The plane through the mean in which the rows (N, D) spread most; rows that are not finite are left out.

    Each axis points to where its largest coefficient is positive, so that equal data give equal pictures.
    """
    rows = rows[np.isfinite(rows).all(1)].astype(np.float64)
    if not len(rows):
        width = rows.shape[1]
        return Plane(np.zeros(width), np.eye(2, width), np.zeros(2))
    mean = rows.mean(0)
    centred = rows - mean
    # The smaller of the two Gram matrices has the same eigenvalues: X Xᵀ u = λ u  ⇒  Xᵀ X (Xᵀ u) = λ (Xᵀ u).
    if len(rows) < rows.shape[1]:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        axes = (centred.T @ vectors[:, -2:]).T[::-1]
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        axes = vectors[:, -2:].T[::-1]
    axes = _orthonormal(axes, rows.shape[1])
    axes *= np.where(np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1) < 0, -1, 1)
    total = float(values.clip(0).sum())
    found = np.pad(values.clip(0)[::-1][:2], (0, max(0, 2 - len(values))))
    return Plane(mean, axes, found / total if total else np.zeros(2))


def trajectories(trace: Trace, stop: Callable[[], bool] = lambda: False) -> Trajectories | None:
    """x_t of every record in the principal plane of all of them, or of an even choice where they are many.

    Tokens are unit vectors: their numbers mean nothing.

    None where `stop` said so.

    Raises:
        BadFile: the file was cut.
    """
    count = min(trace.batch, MOST_SAMPLES)
    known = vocabulary(trace)
    width = math.prod(trace.sample_shape) * (1 if known is None else known.mask + 1)

    def state(k: int) -> np.ndarray:
        rows = trace.array(k, "xt", slice(0, count))
        return (rows if known is None else one_hot(rows, known)).reshape(count, width)

    every = max(1, -(-len(trace) * count // max(LEAST_ROWS, MOST_NUMBERS // width)))
    chosen = []
    for k in range(0, len(trace), every):
        if stop():
            return None
        chosen.append(state(k))
    plane = principal_plane(np.concatenate(chosen))
    positions = np.empty((len(trace), count, 2), np.float32)
    for k in range(len(trace)):
        if stop():
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            positions[k] = plane.project(state(k))
    positions[~np.isfinite(positions)] = np.nan
    return Trajectories(positions, plane)


def _orthonormal(axes: np.ndarray, width: int) -> np.ndarray:
    """Unit vectors; where the rows spread along fewer than two, any that stand upright on the others."""
    out = np.zeros((2, width))
    for i in range(2):
        candidates = [*axes[i : i + 1], *np.eye(i + 1, width)]
        for candidate in candidates:
            rest = candidate - out[:i].T @ (out[:i] @ candidate)
            length = np.linalg.norm(rest)
            if length > 1e-9:
                out[i] = rest / length
                break
    return out
