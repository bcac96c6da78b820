"""Numbers and curves of a trace, for the inspector and the lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.traces.format import RECORDED
from diffstudio.traces.reader import Trace

MAX_VALUES = 200_000
SAFE = 1e15  # single precision holds the squares of values up to here
CURVES = ("log_snr", "x0_change", "dx_norm", "eps_norm")


@dataclass(frozen=True)
class Summary:
    """mean, std, low, high of the finite values; how many are not finite; histogram (counts, edges).

    sampled: only every n-th value was looked at (1: all).
    """

    mean: float
    std: float
    low: float
    high: float
    non_finite: int
    counts: np.ndarray
    edges: np.ndarray
    sampled: int = 1


def summarize(array: np.ndarray, bins: int = 64) -> Summary:
    """Summary of all values of an array; of at most MAX_VALUES of them, evenly spread, where there are more."""
    flat = array.reshape(-1)
    every = -(-flat.size // MAX_VALUES) if flat.size else 1
    seen = np.ascontiguousarray(flat[::every])
    with np.errstate(invalid="ignore"):
        total = float(np.sum(seen, dtype=np.float64))
    non_finite = 0
    if not np.isfinite(total):
        finite = np.isfinite(seen)
        non_finite = int(seen.size - finite.sum())
        seen = seen[finite]
    if seen.size == 0:
        none = np.zeros(bins, int), np.linspace(0, 1, bins + 1)
        return Summary(np.nan, np.nan, np.nan, np.nan, non_finite, *none, every)
    low, high = float(seen.min()), float(seen.max())
    if max(-low, high) > SAFE or high - low < 1 / SAFE:
        seen = seen.astype(np.float64)  # squares and ranges of such a chain overflow single precision, or vanish in it
    span = (high - low) or 1.0
    place = seen - low
    place *= bins / span
    index = place.astype(np.int32)
    np.minimum(index, bins - 1, out=index)
    counts = np.bincount(index, minlength=bins)
    mean = total / seen.size if not non_finite else float(np.mean(seen, dtype=np.float64))
    std = rms(np.subtract(seen, mean, out=place))
    return Summary(mean, std, low, high, non_finite, counts, np.linspace(low, low + span, bins + 1), every)


def rms(x: np.ndarray) -> float:
    """√(mean of x²); x is overwritten."""
    # Not by np.dot: of long arrays BLAS wakes its threads, and waits for them on a busy machine.
    return math.sqrt(np.square(x, out=x).mean(dtype=np.float64)) if x.size else 0.0


def curves(trace: Trace) -> dict[str, np.ndarray]:
    """The lanes' curves, one value a record; log-SNR clipped to ±20, which is where it stops telling anything.

    What a modality counts of every record is among them.
    """
    own = (name for name in trace.header.scalars if name not in RECORDED)
    out = {name: trace.scalars(name).copy() for name in (*CURVES, *own) if trace.has_scalar(name)}
    if "log_snr" in out:
        out["log_snr"] = out["log_snr"].clip(-20, 20)
    return out


def distance_to_final(trace: Trace, k: int) -> float | None:
    """RMS over the batch of ‖x̂0 at record k − the final sample‖; None until the reverse chain is complete."""
    if not trace.complete or trace.chain(len(trace) - 1) != 1 or trace.chain(k) != 1:
        return None
    with np.errstate(invalid="ignore", over="ignore"):  # half precision may have overflowed
        difference = trace.array(k, "x0_hat") - trace.array(len(trace) - 1, "xt")
        return rms(difference) * math.sqrt(difference.size / trace.batch)
