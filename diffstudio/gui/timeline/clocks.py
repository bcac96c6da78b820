"""Clocks: where the records of each chain stand along its band, by step, t, σ, log-SNR or network calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diffstudio.traces.reader import Trace

CLOCKS = ("step", "t", "sigma", "log_snr", "nfe")
LOG_SNR_LIMIT = 20.0  # beyond it nothing is to be seen
LOG_SIGMA_DEPTH = 14.0  # e-folds below the largest σ
MIN_GAP = 0.05  # of the mean gap: records that share a value stay apart


@dataclass(frozen=True, eq=False)
class Span:
    """A chain on the axis.

    chain: 0 forward, 1 reverse.  first, count: its planned records.  known: how many of them exist.  steps: the number
    of its last step.  values: the clock's value of the records known so far (σ: log σ), finite and monotone; for the
    clock "step" of all.  placed: (count,), where each record stands, 0..1, strictly increasing.
    timed: whether the clock goes in this chain: noising calls no network, and stands by step.
    """

    chain: int
    first: int
    count: int
    known: int
    steps: int
    values: np.ndarray
    placed: np.ndarray
    timed: bool = True


def spans(trace: Trace, clock: str) -> tuple[Span, ...]:
    """The chains of a trace as `clock` places them."""
    out, first = [], 0
    for spec in trace.header.chains:
        known = min(max(len(trace) - first, 0), spec.records)
        chain = 0 if spec.name == "forward" else 1
        rows = slice(first, first + known)
        steps, every = _steps(trace, rows, spec.records, known)
        by_step = np.minimum(np.arange(spec.records) * every, steps).astype(float)
        by_step[:known] = _numbers(trace, rows)
        values, timed = by_step, clock != "nfe" or _calls(trace, chain)
        if clock != "step" and timed:
            values = _monotone(_limited(_finite(_clock_values(trace, rows, clock)), clock))
        if not len(values):
            values = by_step
        out.append(Span(chain, first, spec.records, known, steps, values, _placed(values, spec.records), timed))
        first += spec.records
    return tuple(out)


def _calls(trace: Trace, chain: int) -> bool:
    """Whether a chain calls the network, and its calls are recorded: of the forward chains an inversion does."""
    inverts = str(trace.header.request.get("forward", "")).startswith("invert")
    return trace.has_scalar("nfe") and (chain == 1 or inverts)


def _clock_values(trace: Trace, rows: slice, clock: str) -> np.ndarray:
    if clock == "sigma":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(trace.scalars("s")[rows])
    return trace.scalars(clock)[rows].copy()


def _numbers(trace: Trace, rows: slice) -> np.ndarray:
    """The recorded step numbers; a file may hold anything there."""
    return np.nan_to_num(trace.scalars("step")[rows]).clip(0, 1e9)


def _steps(trace: Trace, rows: slice, count: int, known: int) -> tuple[int, int]:
    """The chain's last step number, and every how many steps one was recorded; from the request while unfinished."""
    recorded = _numbers(trace, rows)
    if known >= 2:
        every = max(1, int(recorded[1] - recorded[0]))
    else:
        asked = trace.header.request.get("trace_every")
        every = asked if isinstance(asked, int) and asked > 0 else 1
    if known == count:
        return int(recorded[-1]), every
    steps = trace.header.request.get("steps")
    if isinstance(steps, int) and len(range(0, max(0, steps), every)) + 1 == count:
        return steps, every
    return (count - 1) * every, every


def _finite(values: np.ndarray) -> np.ndarray:
    """Values without gaps: ±∞ at a chain's ends continues the last finite spacing; empty if nothing is finite.

    log-SNR is +∞ at the data and −∞ at pure noise: drawn at a limit, those two steps would take half of the axis.
    """
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return values[:0]
    index = np.arange(len(values))
    out = np.interp(index, good, values[good])
    if len(good) >= 2:
        a, b = good[0], good[-1]
        out[:a] = values[a] - (values[good[1]] - values[a]) * (a - index[:a])
        out[b + 1 :] = values[b] + (values[b] - values[good[-2]]) * (index[b + 1 :] - b)
    return out


def _limited(values: np.ndarray, clock: str) -> np.ndarray:
    """Values within what is worth telling apart."""
    if clock == "log_snr":
        return values.clip(-LOG_SNR_LIMIT, LOG_SNR_LIMIT)
    if clock == "sigma" and len(values):
        return np.maximum(values, values.max() - LOG_SIGMA_DEPTH)
    return values


def _monotone(values: np.ndarray) -> np.ndarray:
    """Values that never turn back."""
    if not len(values):
        return values
    rising = values[-1] >= values[0]
    return np.maximum.accumulate(values) if rising else np.minimum.accumulate(values)


def _placed(values: np.ndarray, count: int) -> np.ndarray:
    """0..1 for `count` records: those with a value in proportion to it, the rest of the band by step."""
    if count == 1:
        return np.full(1, 0.5)
    by_step = np.arange(count) / (count - 1)
    known = len(values)
    total = abs(values[-1] - values[0]) if known else 0.0
    if known < 2 or total <= 0:
        return by_step
    gaps = np.maximum(np.abs(np.diff(values)) / total, MIN_GAP / (known - 1))
    out = by_step.copy()
    out[1:known] = np.cumsum(gaps) / gaps.sum() * by_step[known - 1]
    return out
