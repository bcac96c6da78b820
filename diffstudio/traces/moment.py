"""A moment of a run: which chain and how far along it, told so that every other run can be asked for the same.

Two runs with other numbers of steps, grids or paths have no record number in common. A clock says what "the same
moment" is: the share of the steps that are done (step 20 of 40 is step 10 of 20), t, σ, log-SNR, or the network calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from diffstudio.traces.reader import Trace

Clock = Literal["step", "t", "sigma", "log_snr", "nfe"]
CLOCKS: tuple[Clock, ...] = ("step", "t", "sigma", "log_snr", "nfe")
# The ends of a chain have an infinite log-SNR and log σ: beyond these nothing is to be told apart.
FAR = 1e4


@dataclass(frozen=True)
class Moment:
    """chain: 0 forward, 1 reverse.  share: of the chain's steps that are done, 0 to 1.  What a trace lacks is NaN."""

    chain: int
    share: float
    t: float
    sigma: float
    log_snr: float
    nfe: float

    def value(self, clock: Clock) -> float:
        """Where this moment is on a clock, in the unit in which distances are measured (σ: its logarithm)."""
        found = {"step": self.share, "t": self.t, "sigma": _log(self.sigma), "log_snr": self.log_snr, "nfe": self.nfe}
        return found[clock]


def moment_of(trace: Trace, k: int) -> Moment:
    """The moment of record k."""
    chain = trace.chain(k)
    return Moment(
        chain,
        float(_shares(trace, chain)[k - _first(trace, chain)]),
        trace.scalar(k, "t"),
        _sigma(trace.scalar(k, "a"), trace.scalar(k, "s")),
        trace.scalar(k, "log_snr"),
        trace.scalar(k, "nfe") if trace.has_scalar("nfe") else math.nan,
    )


def nearest(trace: Trace, moment: Moment, clock: Clock = "step") -> int | None:
    """The record of a trace that is nearest to a moment by a clock; None where it has no record of that chain.

    Of two that are as near, the one further along. Where the clock stands still or says nothing (the network calls of
    a forward chain), the share of the steps decides.
    """
    rows = np.flatnonzero(trace.scalars("chain") == moment.chain)
    if not len(rows):
        return None
    values, wanted = _values(trace, moment.chain, rows, clock), moment.value(clock)
    if clock != "step" and (not math.isfinite(_near(wanted)) or not _tells(values)):
        values, wanted = _shares(trace, moment.chain), moment.share
    distances = np.abs(_clipped(values) - _near(wanted))
    best = np.flatnonzero(distances <= distances.min() + 1e-9 * max(1.0, float(abs(_near(wanted)))))
    return int(rows[best[-1]])


def on_one_clock(one: Trace, other: Trace, chain: int, clock: Clock = "step") -> tuple[np.ndarray, np.ndarray]:
    """What a clock says at each record of a chain in two runs, in the unit of `Moment.value`, finite.

    It is the share of the steps where the clock stands still or says nothing in one of them.
    """
    both, told = [], True
    for trace in (one, other):
        rows = np.flatnonzero(trace.scalars("chain") == chain)
        both.append(_clipped(_values(trace, chain, rows, clock)) if len(rows) else np.zeros(0))
        told &= _tells(both[-1]) if len(rows) else True
    return (both[0], both[1]) if told else (_shares(one, chain), _shares(other, chain))


def _tells(values: np.ndarray) -> bool:
    clipped = _clipped(values)
    return bool(np.isfinite(clipped).all() and np.ptp(clipped) > 0)


def _values(trace: Trace, chain: int, rows: np.ndarray, clock: Clock) -> np.ndarray:
    if clock == "step":
        return _shares(trace, chain)
    if clock == "sigma":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(trace.scalars("s")[rows] / trace.scalars("a")[rows])
    if not trace.has_scalar(clock):
        return np.full(len(rows), np.nan)
    return trace.scalars(clock)[rows]


def _shares(trace: Trace, chain: int) -> np.ndarray:
    """How much of a chain's steps is done at each of its records; a run that goes knows how many there will be."""
    rows = trace.scalars("chain") == chain
    if not rows.any():
        return np.zeros(0)
    steps = np.nan_to_num(trace.scalars("step")[rows])
    name = ("forward", "reverse")[chain]
    planned = next((spec.records for spec in trace.header.chains if spec.name == name), len(steps))
    first = steps[0] if len(steps) else 0.0
    if len(steps) >= planned:
        last = steps[-1]
    else:
        every = steps[1] - steps[0] if len(steps) > 1 else 1.0
        last = first + (planned - 1) * max(1.0, every)
    return (steps - first) / max(1.0, last - first)


def _first(trace: Trace, chain: int) -> int:
    return trace.first_of(chain) or 0


def _sigma(a: float, s: float) -> float:
    return s / a if a else math.inf


def _log(sigma: float) -> float:
    return math.log(sigma) if 0 < sigma < math.inf else math.copysign(math.inf, sigma - 1)


def _near(value: float) -> float:
    return value if math.isnan(value) else max(-FAR, min(FAR, value))


def _clipped(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -FAR, FAR)
