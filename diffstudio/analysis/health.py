"""Whether a run went well: values that are not finite, and samples outside of the range of their data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from diffstudio import options
from diffstudio.analysis.fields import SPLIT
from diffstudio.errors import BadFile
from diffstudio.traces.format import NOT_FINITE
from diffstudio.traces.reader import Trace

NORMS = ("dx_norm", "eps_norm", "x0_change")  # what tells of it in traces that don't count them
OUTSIDE, SHARE = 1.25, 0.01  # a sample leaves [−1, 1] where more than this share of its values lies beyond ± this


@dataclass(frozen=True)
class NotFinite:
    """The first record of a run with values that are not finite.

    chain, step, t: of that record; where not every step is recorded they may have come since the record before.
    samples: which of the batch.  stored: the values were finite, but too large for the half precision of the trace.
    """

    record: int
    chain: str
    step: int
    t: float
    samples: tuple[int, ...]
    batch: int
    stored: bool = False


def broken(arrays: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """The samples of a record's arrays (B, …) that have a value which is not finite.

    The halves of guidance are left out: x̂0, which goes on, may have been clipped.
    """
    found: set[int] = set()
    for name, array in arrays.items():
        if name not in SPLIT:
            finite = np.isfinite(array.reshape(len(array), -1)).all(1)
            found.update(np.flatnonzero(~finite).tolist())
    return tuple(sorted(found))


def first_record(trace: Trace) -> int | None:
    """The first record with values that are not finite; None where there is none (so far).

    Raises:
        BadFile: the trace can't be read any more.
    """
    return next(_suspects(trace), None)


def first_not_finite(trace: Trace) -> NotFinite | None:
    """Where a run became not finite; None where it did not. Also of a trace of before, which does not count them.

    Raises:
        BadFile: the trace can't be read any more.
    """
    k = first_record(trace)
    if k is None:
        return None
    arrays = {spec.name: trace.array(k, spec.name) for spec in trace.header.fields}
    measured = (trace.scalar(k, name) for name in trace.header.scalars if name != "log_snr")
    return NotFinite(
        record=k,
        chain="reverse" if trace.chain(k) else "forward",
        step=int(trace.scalar(k, "step")),
        t=trace.scalar(k, "t"),
        samples=broken(arrays),
        batch=trace.batch,
        stored=trace.header.fields[0].dtype == "float16" and all(map(math.isfinite, measured)),
    )


def _suspects(trace: Trace) -> Iterator[int]:
    if trace.has_scalar(NOT_FINITE):
        yield from np.flatnonzero(trace.scalars(NOT_FINITE) > 0).tolist()
        return
    norms = [trace.scalars(name) for name in NORMS if trace.has_scalar(name)]
    finite = np.isfinite(np.stack(norms)).all(0) if norms else np.ones(len(trace), bool)
    for k in np.flatnonzero(~finite).tolist():  # the square of a large number is no proof
        if broken({spec.name: trace.array(k, spec.name) for spec in trace.header.fields}):
            yield k


def out_of_range(trace: Trace) -> tuple[int, ...]:
    """The samples at the end of a run that leave [−1, 1], where the data lie; none of data without such a range.

    Only where the chain has come to the data, and a network was trained on them: an exact distribution is what it is.

    Raises:
        BadFile: the trace can't be read any more.
    """
    last = len(trace) - 1
    if not trace.complete or trace.chain(last) != 1 or trace.scalar(last, "s") != 0 or not _has_range(trace):
        return ()
    rows = trace.array(last, "xt").reshape(trace.batch, -1)
    outside = ((rows > OUTSIDE) | (rows < -OUTSIDE)).mean(1)
    return tuple(np.flatnonzero(outside > SHARE).tolist())


def _has_range(trace: Trace) -> bool:
    try:
        ranged = trace.meaning.kind.ranged
    except (BadFile, KeyError):  # a trace that does not say what its states are
        return False
    network = options.NETWORKS.get(str(trace.header.card.get("network")))
    return ranged and not trace.header.card.get("decoded") and (network is None or network.trained)
