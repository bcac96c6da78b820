"""The runs beside the leading one as the timeline has them: their curves at the places of the leading run's axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from diffstudio.analysis.divergence import Divergence
from diffstudio.gui.timeline.axis import Axis, Band
from diffstudio.gui.timeline.clocks import spans
from diffstudio.gui.timeline.curves import Curve, Lane, available, curve
from diffstudio.traces.moment import Clock, on_one_clock
from diffstudio.traces.reader import Trace

DISTANCE = Lane("distance", "‖A − ·‖", "lane_b", norm=True)
BEYOND = 1e-9  # of the clock's range: a place so little outside of the axis is on it


@dataclass(frozen=True, eq=False)
class Compared:
    """A run beside the leading one. mark: its colour and dash.  divergence: None as long as nobody has looked."""

    trace: Trace
    mark: int
    divergence: Divergence | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """One run's numbers in one lane, an array each for every band of the axis.

    records: which the numbers are of, increasing.  xs: where they stand in the content, NaN beyond the axis.
    of_leading: the records are those of the leading run, as of a distance from it.
    """

    mark: int
    records: tuple[np.ndarray, ...]
    xs: tuple[np.ndarray, ...]
    parts: tuple[np.ndarray, ...]
    of_leading: bool = False

    def at(self, record: int) -> tuple[float, float]:
        """Place in the content and number at a record; NaN where there is none."""
        for records, xs, part in zip(self.records, self.xs, self.parts, strict=True):
            found = int(np.searchsorted(records, record))
            if found < len(records) and records[found] == record:
                return float(xs[found]), float(part[found])
        return float("nan"), float("nan")


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is drawn of several runs. lead: the mark of the leading one.  lines: of each lane, those of the others."""

    lead: int
    runs: tuple[Compared, ...]
    lines: tuple[tuple[Line, ...], ...] = ()


def places(band: Band, lead: Trace, other: Trace, clock: Clock) -> np.ndarray:
    """Where another run's records stand on the leading run's axis, in the content; NaN beyond it.

    Between two records of the leading run they stand in proportion to the clock.
    """
    ours, theirs = on_one_clock(lead, other, band.span.chain, clock)
    ours = ours[: len(band.xs)]
    if not len(ours) or not len(theirs):
        return np.full(len(theirs), np.nan)
    order = np.argsort(ours, kind="stable")
    low, high = float(ours.min()), float(ours.max())
    room = BEYOND * max(high - low, 1.0)
    inside = (theirs >= low - room) & (theirs <= high + room)
    found = np.interp(theirs, ours[order], band.xs[: len(ours)][order])
    return np.where(inside, found, np.nan)


def lanes_of(trace: Trace, runs: Sequence[Compared]) -> tuple[Lane, ...]:
    """The lanes of a trace, with that of the distances first where runs are compared."""
    found = [run.divergence for run in runs if run.divergence is not None and run.divergence.found]
    return (DISTANCE, *available(trace)) if found else available(trace)


def compared(
    trace: Trace, axis: Axis, clock: Clock, lanes: Sequence[Lane], runs: Sequence[Compared]
) -> tuple[tuple[Curve, ...], tuple[tuple[Line, ...], ...]]:
    """The curves of the leading run, in the range that all share, and the lines of the others."""
    places_of = {id(run): tuple(places(band, trace, run.trace, clock) for band in axis.bands) for run in runs}
    curves, lines = [], []
    for lane in lanes:
        if lane is DISTANCE:
            made = tuple(_distances(axis, run) for run in runs if run.divergence is not None and run.divergence.found)
            curves.append(_range(Curve(lane, tuple(np.zeros(0) for _ in axis.bands), 0.0, 1.0), made, None))
            lines.append(made)
            continue
        own = curve(trace, lane, axis.spans)
        able = [
            run for run in runs if run.trace.has_scalar(lane.scalar) and any(_has(run.trace, b) for b in axis.bands)
        ]
        found = [(run, _of_other(axis, run, lane, clock)) for run in able]
        made = tuple(_line(axis, run, theirs, places_of[id(run)]) for run, theirs in found)
        for _, theirs in found:
            own = _range(own, made, theirs)
        curves.append(own)
        lines.append(made)
    return tuple(curves), tuple(lines)


def _of_other(axis: Axis, run: Compared, lane: Lane, clock: Clock) -> Curve:
    theirs = {span.chain: span for span in spans(run.trace, clock)}
    return curve(run.trace, lane, tuple(theirs[band.span.chain] for band in axis.bands if band.span.chain in theirs))


def _line(axis: Axis, run: Compared, theirs: Curve, xs: tuple[np.ndarray, ...]) -> Line:
    parts = dict(zip((band.span.chain for band in axis.bands if _has(run.trace, band)), theirs.parts, strict=True))
    numbers = tuple(parts.get(band.span.chain, np.zeros(0)) for band in axis.bands)
    firsts = (run.trace.first_of(band.span.chain) or 0 for band in axis.bands)
    records = tuple(first + np.arange(len(part)) for first, part in zip(firsts, numbers, strict=True))
    return Line(run.mark, records, tuple(x[: len(n)] for x, n in zip(xs, numbers, strict=True)), numbers)


def _has(trace: Trace, band: Band) -> bool:
    return any(spec.name == ("forward", "reverse")[band.span.chain] for spec in trace.header.chains)


def _distances(axis: Axis, run: Compared) -> Line:
    """How far a run is from the leading one, at the records that stand beside each other."""
    assert run.divergence is not None
    records, xs, parts = [], [], []
    for band in axis.bands:
        first, last = band.span.first, band.span.first + band.span.count
        found = [d for d in run.divergence.found if first <= d.first < last]
        records.append(np.array([d.first for d in found], int))
        xs.append(band.xs[records[-1] - first] if found else np.zeros(0))
        parts.append(np.array([d.distance for d in found], float))
    return Line(run.mark, tuple(records), tuple(xs), tuple(parts), of_leading=True)


def _range(own: Curve, lines: Sequence[Line], theirs: Curve | None) -> Curve:
    """The range in which all curves of a lane are drawn."""
    if theirs is not None:
        return replace(own, low=min(own.low, theirs.low), high=max(own.high, theirs.high))
    numbers = np.concatenate([part[np.isfinite(part)] for line in lines for part in line.parts] or [np.zeros(0)])
    return replace(own, high=float(numbers.max()) if len(numbers) and numbers.max() > 0 else 1.0)
