"""A run without a screen: a progress bar, Ctrl+C that keeps what is finished, and the file that was asked for."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diffstudio.analysis.round_trip import round_trip_error
from diffstudio.bar import Bar
from diffstudio.checkpoints.finding import SUFFIX
from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.files import check_can_write
from diffstudio.interrupts import Interrupt, Interrupted, interruptible, received
from diffstudio.scratch import temporary_folder
from diffstudio.studio.compute.devices import pick_device
from diffstudio.studio.engine import Engine
from diffstudio.studio.export.layout import Subject
from diffstudio.studio.export.plan import AS_RECORDED
from diffstudio.studio.export.run import export_run
from diffstudio.studio.export.write import ExportOptions, check_size, check_target, suffix_of
from diffstudio.studio.likelihoods import Likelihoods, judge
from diffstudio.studio.request.plan import Plan
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import inspect_source
from diffstudio.traces.reader import Trace
from diffstudio.training.recipe import checkpoint_at, load_recipe
from diffstudio.user_files import is_folder

# A picture or a set of samples of an unfinished chain would pass for what it is not; the chain itself is worth keeping.
KEPT_WHEN_INTERRUPTED = ("animation", "strip", "frames", "arrays", "trace")


@dataclass
class Outcome:
    """What became of a run. exit_code: 0, or 128 + the signal that interrupted it; then `note` says what was kept.

    steps: of a chain, as many as the strength or the list of times leaves.
    """

    request: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    files: list[Path] = field(default_factory=list)
    seconds: float = 0.0
    steps_per_second: float = 0.0
    device: str = ""
    exit_code: int = 0
    note: str = ""
    round_trip: float | None = None  # of an inversion and back, mean over the samples
    remark: str = ""  # what was done to the user's file without asking, e.g. resampling

    @property
    def sentence(self) -> str:
        """What was computed, and how fast."""
        rate = self.steps_per_second
        speed = f", {rate:,.{1 if rate < 100 else 0}f} steps/s on {self.device}" if rate else ""
        back = "" if self.round_trip is None else f", round-trip error {self.round_trip:.3g}"
        return f"{self.request['samples']} × {self.steps} steps in {self.seconds:.1f} s{speed}{back}"

    def summary(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "out": [str(path) for path in self.files],
            "seconds": round(self.seconds, 3),
            "steps_per_second": round(self.steps_per_second, 3),
            "device": self.device,
            "interrupted": self.exit_code != 0,
            "round_trip_error": self.round_trip,
            "remark": self.remark,
            "request": self.request,
        }


def check(engine: Engine, request: Request, out: Path, options: ExportOptions) -> Plan:
    """Everything that can be known to fail before computing, in milliseconds and without torch.

    Raises:
        NotFound, BadFile, BadInput, NoRoom: as `Engine.plan`, `check_target`, `check_size` and `inspect_source`.
    """
    plan = engine.plan(request)
    card = plan.card
    check_target(out, options.kind, card.modality)
    check_can_write(out)
    counts = [c.records for c in plan.chains if options.chain in (c.name, "both")]
    drawn = card.meaning if options.kind in AS_RECORDED else card.seen
    check_size(Subject(drawn, request.samples), counts, options, suffix_of(out))
    if request.source == "file" and request.source_file:
        info = inspect_source(Path(request.source_file), card.meaning)
        if not info.fits and request.source_fit is None:
            raise BadInput(info.sentence)
    return plan


def run(engine: Engine, request: Request, out: Path, options: ExportOptions, budget: int) -> Outcome:
    """Check, compute, export. Errors as `check`, and as `Engine.run` and `export`."""
    card = check(engine, request, out, options).card
    begun = time.monotonic()
    outcome = Outcome(request.model_dump(mode="json"), request.steps_run)
    if request.source == "file" and request.source_file:
        outcome.remark = inspect_source(Path(request.source_file), card.meaning).note
    interrupt = Interrupt()
    with _trace_path(out, options) as path, contextlib.ExitStack() as stack, Bar(request.model) as bar:
        steps = engine.run(request, path, budget, interrupt)
        try:
            next(steps, None)  # reads the weights and writes a header: until then there is nothing to keep
        except Interrupted:
            outcome.exit_code, outcome.note = 128 + received(), f"interrupted before the first step: {_unfinished(out)}"
        else:
            stack.enter_context(interruptible(interrupt))
            for now in steps:
                bar.show(now.done, now.total, request.model)
            bar.close()
            with Trace.open(path) as trace:
                outcome.device, outcome.steps_per_second = trace.header.device, _speed(trace)
                error = round_trip_error(trace)
                outcome.round_trip = None if error is None else float(error.mean())
                _export(engine, trace, out, options, interrupt, outcome)
        if not outcome.files and options.kind == "trace":
            _remove_header(path)
    outcome.seconds = time.monotonic() - begun
    return outcome


def _remove_header(path: Path) -> None:
    """Remove a trace without a step; an earlier one of that name, which was not replaced yet, has some."""
    with contextlib.suppress(DiffStudioError, OSError):
        with Trace.open(path) as trace:
            empty = not len(trace)
        if empty:
            path.unlink()


def _unfinished(out: Path) -> str:
    return f"{out} was not written, because it is not finished"


def _export(
    engine: Engine, trace: Trace, out: Path, options: ExportOptions, interrupt: Interrupt, outcome: Outcome
) -> None:
    worth = trace.complete or (options.kind in KEPT_WHEN_INTERRUPTED and _has_a_step(trace, options))
    if worth:
        # Who stopped the run still wants its file; who presses Ctrl+C only now does not.
        early = interrupt()

        def stop() -> bool:
            return not early and interrupt()

        outcome.files = _drained(export_run(engine, trace, out, options, trace.path.parent, stop))
    if trace.complete and outcome.files:
        if interrupt():
            outcome.exit_code, outcome.note = interrupt.exit_code, f"interrupted when {out} was written already"
        return
    last = int(trace.scalar(len(trace) - 1, "step")) if len(trace) else 0
    outcome.exit_code = interrupt.exit_code
    kept = f"{out} has what is finished" if outcome.files else _unfinished(out)
    outcome.note = f"interrupted after step {last} of {outcome.steps}: {kept}"


def _drained(steps: Generator[object, None, list[Path]]) -> list[Path]:
    """What it returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _has_a_step(trace: Trace, options: ExportOptions) -> bool:
    if options.kind in ("arrays", "trace") or options.chain == "both":
        return len(trace) > 0
    return trace.first_of({"forward": 0, "reverse": 1}[options.chain]) is not None


def _speed(trace: Trace) -> float:
    """Steps a second of the last chain, its first step (which warms caches) left out."""
    if not len(trace):
        return 0.0
    last = np.flatnonzero(trace.scalars("chain") == trace.chain(len(trace) - 1))
    seconds, steps = (np.ptp(trace.scalars(name)[last]) for name in ("seconds", "step"))
    return float(steps / seconds) if seconds > 0 else 0.0


@contextlib.contextmanager
def _trace_path(out: Path, options: ExportOptions) -> Iterator[Path]:
    """Where the run is recorded: in the file that was asked for, or for a while beside it, on the same disk."""
    if options.kind == "trace":
        try:
            yield out
        except BaseException:
            _remove_header(out)
            raise
        return
    place = out if is_folder(out) else out.parent
    try:
        folder = temporary_folder(place, out.name)
    except OSError as error:
        raise BadInput(f"can't write into {place}: {error.strerror}") from error
    try:
        yield folder / "run.trace"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def likelihoods(engine: Engine, request: Request, split: str, steps: int, probes: int) -> Likelihoods:
    """Judge the request's data; Ctrl+C keeps the parts that are done.

    Raises:
        BadInput, BadFile, NotFound: as `Engine.likelihood`.  Interrupted: before anything was done.
    """
    found: Likelihoods | None = None
    interrupt = Interrupt()
    with contextlib.ExitStack() as stack, Bar(request.model) as bar:
        for now in judge(engine, request, split, steps, probes, interrupt):
            bar.show(now.done, now.total, request.model)
            if found is None and now.found is not None:  # until then there is nothing to keep
                stack.enter_context(interruptible(interrupt))
            found = now.found or found
    if found is None:
        raise Interrupted
    return found


def train(recipe_path: Path, out: Path, device: str, threads: int) -> Outcome:
    """Train as a recipe says; `files` are the checkpoints that were written, also when interrupted.

    Raises:
        BadInput, BadFile: the recipe, its network, the device or the target won't do.
    """
    recipe = load_recipe(recipe_path)
    if out.suffix != SUFFIX:
        raise BadInput(f"a checkpoint is a {SUFFIX} file, found '{out.name}'")
    for step in recipe.training.save_at:
        check_can_write(checkpoint_at(out, step))
    check_can_write(out)
    outcome = Outcome()
    begun = time.monotonic()
    Engine.warm_up(threads)
    from diffstudio.training.loop import train as steps

    outcome.device = pick_device(device)
    done = 0
    with contextlib.ExitStack() as stack, Bar(recipe.name) as bar:
        interrupt: Interrupt | None = None
        for now in steps(recipe, out, outcome.device):
            done = now.step
            # Until the first step, which may take a while, there is nothing to keep.
            interrupt = interrupt or stack.enter_context(interruptible())
            bar.show(now.step, now.steps, f"{recipe.name}, loss {now.loss:.4f}")
            if now.saved:
                outcome.files.append(now.saved)
            if interrupt() and now.step < now.steps:
                outcome.exit_code = interrupt.exit_code
                kept = "the checkpoints above are kept" if outcome.files else "there was no checkpoint yet"
                outcome.note = f"interrupted after step {done} of {now.steps}: {kept}"
                break
    outcome.seconds = time.monotonic() - begun
    return outcome
