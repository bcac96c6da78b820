"""The numbers of the curve lanes: log-SNR, how much each step changes, what a modality counts. No painting."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.errors import BadFile
from diffstudio.gui.kit.words import number
from diffstudio.gui.timeline.clocks import LOG_SNR_LIMIT, Span
from diffstudio.traces.reader import Trace


@dataclass(frozen=True)
class Lane:
    """What a lane shows: the scalar of the records, its name, and the token of its colour.

    norm: of a difference, never below 0.  counted: never below 0 either, and there is one at every record.
    """

    scalar: str
    title: str
    token: str
    norm: bool
    counted: bool = False


LANES = (
    Lane("log_snr", "log-SNR", "lane_a", False),
    Lane("x0_change", "‖Δx̂0‖", "lane_b", True),
    Lane("dx_norm", "‖Δx‖", "lane_c", True),
)
COLOURS = ("lane_a", "lane_b", "lane_c")  # of a modality's own lanes, in turn


@dataclass(frozen=True, eq=False)
class Curve:
    """A lane's numbers, one array a chain, and the values at its bottom and top."""

    lane: Lane
    parts: tuple[np.ndarray, ...]
    low: float
    high: float

    def share(self, values: np.ndarray | float) -> np.ndarray | float:
        """Height in the lane, 0 at its bottom, 1 at its top.

        Of a norm the square root is drawn: the first step's change of x̂0 is ten times the others'.
        """
        share = (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
        return share**0.5 if self.lane.norm else share

    def at(self, trace: Trace, spans: tuple[Span, ...], record: int) -> float:
        """The number at a record, which may be newer than the curve; NaN where there is none."""
        if self.lane.norm and any(record == span.first for span in spans):
            return math.nan
        return trace.scalar(record, self.lane.scalar)

    def text(self, value: float) -> str:
        """A number of this lane as it is shown."""
        return number(value, 2 if abs(value) < 1000 else 0, sign=not (self.lane.norm or self.lane.counted))


def available(trace: Trace) -> tuple[Lane, ...]:
    """The lanes for which a trace has numbers: those of its modality, where it has its own."""
    return tuple(lane for lane in _own(trace) or LANES if trace.has_scalar(lane.scalar))


def _own(trace: Trace) -> list[Lane]:
    try:
        own = trace.meaning.kind.lanes
        named = {} if own is None else own(trace.meaning)
    except (BadFile, KeyError):  # a trace that does not say what its states are
        return []
    norms = {lane.scalar for lane in LANES if lane.norm}
    return [
        Lane(scalar, title, COLOURS[i % len(COLOURS)], scalar in norms, scalar not in norms and scalar != "log_snr")
        for i, (scalar, title) in enumerate(named.items())
    ]


def curve(trace: Trace, lane: Lane, spans: tuple[Span, ...]) -> Curve:
    """A lane's curve as far as it is recorded."""
    parts = tuple(_values(trace, lane, span) for span in spans)
    finite = np.concatenate([part[np.isfinite(part)] for part in parts])
    if not len(finite):
        return Curve(lane, parts, 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if lane.norm or lane.counted:
        return Curve(lane, parts, 0.0, high if high > 0 else 1.0)
    return Curve(lane, parts, low, high) if high > low else Curve(lane, parts, low - 0.5, low + 0.5)


def _values(trace: Trace, lane: Lane, span: Span) -> np.ndarray:
    """A chain's numbers; NaN where there is none: ±∞, and the change at a chain's first record."""
    out = trace.scalars(lane.scalar)[span.first : span.first + span.known].copy()
    out[~np.isfinite(out)] = np.nan
    if lane.norm:
        out[:1] = np.nan
        return out
    return out if lane.counted else out.clip(-LOG_SNR_LIMIT, LOG_SNR_LIMIT)
