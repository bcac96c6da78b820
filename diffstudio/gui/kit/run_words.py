"""What the status bar says of a run: how it ended, and what is wrong with it."""

from __future__ import annotations

from diffstudio.analysis.health import NotFinite, first_not_finite, out_of_range
from diffstudio.analysis.round_trip import round_trip_error
from diffstudio.errors import BadFile
from diffstudio.gui.kit.words import SHY, count, duration, number, tr
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace


def ended_words(trace: Trace) -> str:
    """What a run has that has ended, and in what time; one that was stopped has no samples yet."""
    last = len(trace) - 1
    seconds = duration(trace.scalar(last, "seconds"))
    if trace.complete:
        return tr("{} samples in {}").format(count(trace.batch), seconds)
    chain, steps = trace.chain(last), _steps(trace)
    where = tr("Stopped at step {} of {}") if chain else tr("Stopped at step {} of {} of the forward chain")
    place = where.format(count(int(trace.scalar(last, "step"))), count(steps))
    state = tr("{} samples at t {}").format(count(trace.batch), number(trace.scalar(last, "t"), 2))
    return joined(f"{place}: {state}", seconds)


def _steps(trace: Trace) -> int:
    """Of a chain: where not every step is recorded the run's settings know."""
    recorded = trace.header.chains[-1].records - 1
    if trace.header.request.get("trace_every", 1) == 1:
        return recorded
    try:
        return Request.model_validate(trace.header.request).steps_run
    except ValueError:
        return recorded


def joined(*parts: str) -> str:
    """What there is to say, in one line."""
    return f" {SHY} ".join(filter(None, parts))


def not_finite_words(found: NotFinite) -> str:
    """Where a run became not finite, and in how many samples."""
    where = tr("from step {} on") if found.chain == "reverse" else tr("from step {} of the forward chain on")
    what = tr("{} of {} samples are not finite") if not found.stored else tr("{} of {} samples exceed half precision")
    return f"{what.format(count(len(found.samples)), count(found.batch))} {where.format(count(found.step))}"


def checked_words(trace: Trace, stop: Stop) -> str:
    """What is wrong with a run that has ended, "" nothing. It reads records: not for the window's thread."""
    try:
        back, bad = round_trip_error(trace), first_not_finite(trace)
        outside = out_of_range(trace)
    except BadFile:  # the file was cut: the canvas says so
        return ""
    parts = []
    if back is not None:
        parts.append(tr("round-trip error {}").format(number(float(back.mean()), 3)))
    if bad is not None:
        half = trace.header.request.get("precision") == "half" and not bad.stored
        parts.append(not_finite_words(bad) + (tr(": use float32 weights") if half else ""))
    if outside:
        found = tr("{} of {} samples leave [−1, 1]").format(count(len(outside)), count(trace.batch))
        clipped = trace.header.request.get("clip", "none") != "none"
        parts.append(found if clipped else tr("{}: clip x̂0").format(found))
    return joined(*parts)
