"""Where two runs part: how far their states are from each other at every moment, and the first that is beyond rounding.

Two runs of the same settings agree to the last bit, or to what rounding makes of sums that were added up in another
order. What the trace stores is rounded once more. A state has diverged where a number differs by more than

    spacing(recorded type) · max(|a|, |b|) + computed · rms(a)

Two numbers that differ by less than one computing error may be stored one spacing apart (2⁻¹⁰ of float16, 2⁻²³ of
float32, and 2⁻²⁴ below float16's normal numbers). Roundings that know nothing of each other add up as a root (Higham,
"Accuracy and Stability of Numerical Algorithms", 2002, section 2.8). In float32 it is those of a layer's sums:
√n · 2⁻²⁴ with n = 4,096 products. In half precision sums are kept in 32 bits, and each layer's result is rounded once:
√n · 2⁻⁸ (bfloat16, the coarser of the two) with n = 16 layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diffstudio.traces.moment import Clock, on_one_clock
from diffstudio.traces.reader import Trace

COMPUTED = {"float32": 64 * 2.0**-24, "half": 4 * 2.0**-8}
SPACING = {"float32": (2.0**-23, 0.0), "float16": (2.0**-10, 2.0**-24)}  # relative, and of the smallest numbers
SAME_TIME = 1e-6  # of a and s: two records stand at the same time


@dataclass(frozen=True)
class Difference:
    """What there is between record `first` of one run and record `second` of another.

    distance: root mean square over the samples of ‖a − b‖; of letters how many differ, as in the lanes of a run.
    equal: to the last bit.  sample: the first one that differs by more than rounding, None where none does.
    most: the largest |a − b|.  same_time: both states stand at the same a and s.
    """

    first: int
    second: int
    distance: float
    equal: bool
    sample: int | None
    most: float
    same_time: bool


@dataclass(frozen=True)
class Divergence:
    """Two runs beside each other, as far as they are looked at. problem: why they can't be, a phrase."""

    found: tuple[Difference, ...] = ()
    problem: str = ""

    def first(self, trace: Trace, chain: int) -> Difference | None:
        """Where they part in a chain of the first run; None where they don't."""
        return next((d for d in self.found if d.sample is not None and trace.chain(d.first) == chain), None)

    @property
    def equal(self) -> bool:
        """Whether all that was looked at is the same to the last bit."""
        return bool(self.found) and all(difference.equal for difference in self.found)

    @property
    def together(self) -> bool:
        """Whether nothing differs by more than rounding."""
        return bool(self.found) and all(difference.sample is None for difference in self.found)


def why_not(one: Trace, other: Trace) -> str:
    """Why the states of two runs can't be subtracted, a phrase; "" where they can."""
    if one.modality != other.modality:
        return f"one run is of {one.modality}, the other of {other.modality}"
    if one.sample_shape != other.sample_shape:
        shapes = " and ".join("×".join(map(str, trace.sample_shape)) for trace in (one, other))
        return f"the shapes of their samples differ: {shapes}"
    if not (one.has_field("xt") and other.has_field("xt")):
        return "the states of one are not recorded"
    return ""


def partners(one: Trace, other: Trace, clock: Clock = "step") -> list[tuple[int, int]]:
    """The records of two runs that stand beside each other: each is the nearest to the other by the clock.

    Of a run with twice as many steps every second record has a partner.
    """
    found: list[tuple[int, int]] = []
    for chain in (0, 1):
        a, b = on_one_clock(one, other, chain, clock)
        if not len(a) or not len(b):
            continue
        near = np.abs(a[:, None] - b[None, :])
        # Of two that are as near the one further along, as `moment.nearest` has it.
        to_b = near.shape[1] - 1 - near[:, ::-1].argmin(1)
        to_a = near.shape[0] - 1 - near[::-1].argmin(0)
        starts = one.first_of(chain) or 0, other.first_of(chain) or 0
        found += [(starts[0] + i, starts[1] + int(j)) for i, j in enumerate(to_b) if to_a[j] == i]
    return found


def difference(one: Trace, first: int, other: Trace, second: int) -> Difference:
    """Compare two records, the samples that both runs have.

    Raises:
        BadFile: a trace can't be read any more.
    """
    many = min(one.batch, other.batch)
    a, b = one.array(first, "xt", slice(0, many)), other.array(second, "xt", slice(0, many))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a - b)
        differs = apart > _rounding(one, other, a, b)
    nan = np.isnan(a) != np.isnan(b)
    if nan.any():
        differs, apart = differs | nan, np.where(nan, np.inf, apart)
    samples = np.flatnonzero(differs.reshape(many, -1).any(1))
    known = apart[~np.isnan(apart)]
    change = one.meaning.kind.change
    return Difference(
        first,
        second,
        _norm(a, b) if change is None else change(one.meaning, a, b),
        a.tobytes() == b.tobytes(),
        int(samples[0]) if len(samples) else None,
        float(known.max()) if len(known) else 0.0,
        all(abs(one.scalar(first, name) - other.scalar(second, name)) <= SAME_TIME for name in ("a", "s")),
    )


def differences(one: Trace, other: Trace, clock: Clock = "step") -> Iterator[Difference]:
    """Compare all records that stand beside each other, in their order."""
    for first, second in partners(one, other, clock):
        yield difference(one, first, other, second)


def _norm(a: np.ndarray, b: np.ndarray) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        apart = (a - b).reshape(len(a), -1).astype(np.float64)
        return float(np.sqrt(np.square(apart).sum(1).mean()))


def _rounding(one: Trace, other: Trace, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far two numbers may be apart that rounding alone keeps from being equal."""
    types = {spec.dtype for trace in (one, other) for spec in trace.header.fields if spec.name == "xt"}
    relative, least = max(SPACING[kind] for kind in types)
    precision = {str(trace.header.request.get("precision", "float32")) for trace in (one, other)}
    computed = max(COMPUTED.get(name, COMPUTED["float32"]) for name in precision)
    finite = a[np.isfinite(a)]
    scale = float(np.sqrt(np.mean(np.square(finite, dtype=np.float64)))) if len(finite) else 0.0
    return np.maximum(np.maximum(np.abs(a), np.abs(b)) * relative, least) + computed * scale
