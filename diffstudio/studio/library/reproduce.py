"""Reproduce a run: generate it again, and compare the two recordings record by record and field by field."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.scratch import scratch_folder
from diffstudio.studio.app.progress import Progress
from diffstudio.studio.engine import DEFAULT_BUDGET, Engine
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace

CHAINS = ("forward", "reverse")
CLOCKS = ("seconds",)  # scalars that measure the machine: no two runs share them
RECORDS = "records"  # what differs where one of the two has fewer of them


@dataclass(frozen=True)
class Difference:
    """Where two recordings first differ. chain, step: of the record.  tensor: a field, or a scalar (then no sample).

    amount: the largest absolute difference in that record, of `sample`.  at_end: that of the last record that was
    compared, of all its samples.  ∞ where one of them is not finite or the shapes differ.
    """

    record: int
    chain: str
    step: int
    tensor: str
    sample: int | None
    amount: float
    at_end: float


@dataclass(frozen=True)
class Fact:
    """Something that was otherwise when the run was recorded."""

    name: str
    then: str
    now: str


@dataclass(frozen=True)
class Verdict:
    """What came of it. compared: records, all there were of `planned`.  difference: None where they are identical."""

    path: Path
    compared: int
    planned: int
    difference: Difference | None
    facts: tuple[Fact, ...]

    @property
    def identical(self) -> bool:
        """Whether every byte of every state is the same again."""
        return self.difference is None

    @property
    def sentence(self) -> str:
        """The answer in words."""
        found = self.difference
        part = "" if self.compared == self.planned else f" (the run was stopped: {self.compared} of {self.planned})"
        if found is None:
            return f"identical, byte for byte: {self.compared} records{part}"
        where = f"step {found.step} of the {found.chain} chain"
        if found.tensor == RECORDS:
            return f"different: the new run ends before {where}{part}"
        sample = "" if found.sample is None else f", sample {found.sample}"
        apart = f"by {found.amount:.3g}, in the end {found.at_end:.3g}"
        return f"different from {where} on: {found.tensor}{sample} {apart}{part}"

    def summary(self) -> dict[str, Any]:
        """As JSON values; an amount that is not finite is null."""
        found = None if self.difference is None else asdict(self.difference)
        for name in ("amount", "at_end"):
            if found is not None and not math.isfinite(found[name]):
                found[name] = None
        return {
            "identical": self.identical,
            "path": str(self.path),
            "compared": self.compared,
            "planned": self.planned,
            "difference": found,
            "facts": [asdict(fact) for fact in self.facts],
        }


def reproduce(engine: Engine, path: Path, tell: Callable[[int, int], object] = lambda done, total: None) -> Verdict:
    """Generate the run of a trace again and compare; of a stopped run the records that it has.

    tell: is told how many of how many records are there again.

    Raises:
        BadFile: the trace can't be read.
        BadInput: it does not say how it was made, nothing is recorded, or its model or a source of it is gone.
        NoRoom: the run would not fit.
    """
    with Trace.open(path) as kept:
        request = request_of(kept)
        _check_sources(kept, request)
        wanted = len(kept)
        with scratch_folder() as folder:
            again = folder / "again.trace"
            for now in _run(engine, kept, request, again, wanted):
                tell(min(now.records, wanted), wanted)
            with Trace.open(again) as new:
                difference = compare(kept, new)
                return Verdict(path, wanted, kept.planned, difference, differing_facts(kept.header, new.header))


def request_of(kept: Trace) -> Request:
    """The request of a trace. Raises: BadInput: it has none that this version understands, or no record."""
    given = kept.header.request
    if not given.get("model"):
        raise BadInput(f"{kept.path} has no request: it does not say how it was made, so it can't be made again")
    try:
        request = Request.model_validate(given)
    except ValidationError as error:
        found = error.errors()[0]
        field = ".".join(map(str, found["loc"])) or "request"
        raise BadInput(f"{kept.path}: this version does not understand its request: {field}: {found['msg']}") from error
    if not len(kept):
        raise BadInput(f"{kept.path}: nothing of the run is recorded, so there is nothing to compare")
    return request


def _check_sources(kept: Trace, request: Request) -> None:
    """Raises: BadInput: a file that the run started from is gone."""
    files = {"mask": request.mask}
    if request.source in ("file", "step"):
        files["trunk, the run that it branches from," if request.source == "step" else "source"] = request.source_file
    for what, name in files.items():
        if name and not os.path.exists(name):  # noqa: PTH110 - Path.exists raises for odd names
            raise BadInput(f"{kept.path} can't be made again: its {what} is gone, there is no {name} any more")


def _run(engine: Engine, kept: Trace, request: Request, again: Path, wanted: int) -> Iterator[Progress]:
    """Run until as many records are there again. Raises: BadInput: the model is gone, or no longer does this."""
    try:
        engine.plan(request)
    except DiffStudioError as error:
        raise BadInput(f"{kept.path} can't be made again: {error}") from error
    for now in engine.run(request, again, max(DEFAULT_BUDGET, 2 * kept.header.total_bytes)):
        yield now
        if now.records >= wanted:
            return


def compare(kept: Trace, new: Trace) -> Difference | None:
    """The first record, field and sample in which `new` differs from what `kept` has; None: not at all.

    Compared are the bytes of every field, and every scalar but clocks.
    """
    for k in range(len(kept)):
        if k >= len(new):
            return _difference(kept, k, RECORDS, None, math.inf, math.inf)
        for spec in kept.header.fields:
            found = _largest(kept, new, k, spec.name)
            if found is not None:
                last = min(len(kept), len(new)) - 1
                at_end = _largest(kept, new, last, spec.name)
                return _difference(kept, k, spec.name, *found, at_end[1] if at_end else 0.0)
        for name in kept.header.scalars:
            if name in CLOCKS or not new.has_scalar(name):
                continue
            a, b = kept.scalar(k, name), new.scalar(k, name)
            if a != b and not (math.isnan(a) and math.isnan(b)):
                last = min(len(kept), len(new)) - 1
                at_end = abs(kept.scalar(last, name) - new.scalar(last, name))
                return _difference(kept, k, name, None, abs(a - b), at_end)
    return None


def _difference(kept: Trace, k: int, tensor: str, sample: int | None, amount: float, at_end: float) -> Difference:
    chain, step = CHAINS[kept.chain(k)], int(kept.scalar(k, "step"))
    amount, at_end = (value if math.isfinite(value) else math.inf for value in (amount, at_end))
    return Difference(k, chain, step, tensor, sample, amount, at_end)


def _largest(kept: Trace, new: Trace, k: int, name: str) -> tuple[int | None, float] | None:
    """The sample whose field differs most in a record and by how much, None where every byte is the same."""
    if not new.has_field(name):
        return None, math.inf
    a, b = kept.array(k, name), new.array(k, name)
    if a.shape != b.shape:
        return None, math.inf
    changed = np.ascontiguousarray(a).view(np.uint32) != np.ascontiguousarray(b).view(np.uint32)
    if not changed.any():
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(changed, np.abs(a.astype(np.float64) - b), 0.0).reshape(len(a), -1)
    most = np.where(np.isnan(apart), math.inf, apart).max(1)
    # Zeros of two signs differ by nothing, but differ: then it is the first sample with such a pair.
    sample = int(most.argmax()) if most.any() else int(changed.reshape(len(a), -1).any(1).argmax())
    return sample, float(most[sample])


def differing_facts(then: TraceHeader, now: TraceHeader) -> tuple[Fact, ...]:
    """What both recordings say of themselves and of which they say different things: versions, device, sha256."""
    rows = [
        *_pairs(then.versions, now.versions, "version of {}"),
        ("device", then.device, now.device),
        *_pairs(_hashes(then), _hashes(now), "sha256 of the {}"),
        *_pairs(_shapes(then), _shapes(now), "shape of {}"),
    ]
    return tuple(Fact(name, a or "unknown", b or "unknown") for name, a, b in rows if a != b)


def _pairs(then: Mapping[str, str], now: Mapping[str, str], name: str) -> list[tuple[str, str, str]]:
    keys = dict.fromkeys([*then, *now])
    return [(name.format(key), then.get(key, ""), now.get(key, "")) for key in keys]


def _hashes(header: TraceHeader) -> dict[str, str]:
    return {"checkpoint": header.checkpoint_sha256} | dict(header.sha256)


def _shapes(header: TraceHeader) -> dict[str, str]:
    return {spec.name: f"{'×'.join(map(str, spec.shape))} {spec.dtype}" for spec in header.fields}
