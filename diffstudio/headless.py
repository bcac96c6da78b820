"""A run without a screen: a progress bar, Ctrl+C that keeps what is finished, and the file that was asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffstudio.analysis.health import NotFinite, out_of_range
from diffstudio.analysis.rate import steps_per_second
from diffstudio.analysis.round_trip import round_trip_error
from diffstudio.bar import Bar
from diffstudio.checkpoints.finding import SUFFIX
from diffstudio.checkpoints.listing import Entry
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
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.shelf import Recording
from diffstudio.studio.likelihoods import Likelihoods, judge
from diffstudio.studio.masks import mask_for, placing_of
from diffstudio.studio.remarks import not_finite_sentence, out_of_range_sentence, start_remark
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import read_source, remarks_of
from diffstudio.traces.reader import Trace
from diffstudio.training.recipe import checkpoint_at, load_recipe
from diffstudio.user_files import is_folder

# A picture or a set of samples of an unfinished chain would pass for what it is not; the chain itself is worth keeping.
KEPT_WHEN_INTERRUPTED = ("animation", "strip", "frames", "arrays", "trace")
Tell = Callable[[str], object]


NOT_FINITE = 3  # the exit code of a run that came to its end with values that are not finite


@dataclass
class Outcome:
    """What became of a run. exit_code: 0, or NOT_FINITE; or 128 + the signal that interrupted it, and `note` says what
    was kept.

    steps: of a chain, as many as the strength or the list of times leaves.
    not_finite: the first record with values that are not.  out_of_range: samples that leave the range of their data.
    remarks: what was not done as it was asked, and what became of the samples, in a sentence each; they were told.
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
    not_finite: NotFinite | None = None
    out_of_range: tuple[int, ...] = ()
    remarks: list[str] = field(default_factory=list)
    kept: str = ""  # the run's id in the library

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended it."""
        return self.exit_code > 128

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
            "interrupted": self.interrupted,
            "round_trip_error": self.round_trip,
            "remark": self.remark,
            "remarks": self.remarks,
            "not_finite": None if self.not_finite is None else dataclasses.asdict(self.not_finite),
            "out_of_range": list(self.out_of_range),
            "request": self.request,
            **({"kept": self.kept} if self.kept else {}),
        }


def check(engine: Engine, request: Request, out: Path, options: ExportOptions) -> tuple[str, ...]:
    """Everything that can be known to fail before computing, without torch; what is to be said of the source.

    Raises:
        NotFound, BadFile, BadInput, NoRoom: as `Engine.plan`, `check_target`, `check_size`, `read_source` and
        `mask_for`.
    """
    plan = engine.plan(request)
    card = plan.card
    check_target(out, options.kind, card.modality)
    check_can_write(out)
    counts = [c.records for c in plan.chains if options.chain in (c.name, "both")]
    drawn = card.meaning if options.kind in AS_RECORDED else card.seen
    check_size(Subject(drawn, request.samples), counts, options, suffix_of(out))
    info = None
    if request.source == "file" and request.source_file:
        taken = read_source(Path(request.source_file), card.meaning, request.taking)
        taken.required()
        info = taken.info
    if request.mask is not None:
        mask_for(Path(request.mask), card.seen, placing_of(info, request))
    return remarks_of(info, request.samples)


def run(
    engine: Engine,
    request: Request,
    out: Path,
    options: ExportOptions,
    budget: int,
    tell: Tell = lambda sentence: None,
    library: Library | None = None,
) -> Outcome:
    """Check, compute, export. Errors as `check`, and as `Engine.run` and `export`.

    tell: is told each remark on the run when there is cause for it.  library: keeps the run, whatever becomes of it.
    """
    remarks = check(engine, request, out, options)
    card = engine.plan(request).card
    begun = time.monotonic()
    outcome = Outcome(request.model_dump(mode="json"), request.steps_run)

    def remark(sentence: str) -> None:
        outcome.remarks.append(sentence)
        tell(sentence)

    if start_remark(card, request):
        remark(start_remark(card, request))
    outcome.remark = "; ".join(remarks)
    interrupt = Interrupt()
    recording = None if library is None else Recording(library, outcome.request, card.model_dump())
    with _trace_path(out, options, recording) as path, contextlib.ExitStack() as stack, Bar(request.model) as bar:
        steps = engine.run(request, path, budget, interrupt)
        try:
            next(steps, None)  # reads the weights and writes a header: until then there is nothing to keep
        except Interrupted:
            outcome.exit_code, outcome.note = 128 + received(), f"interrupted before the first step: {_unfinished(out)}"
        else:
            stack.enter_context(interruptible(interrupt))
            for now in steps:
                bar.show(now.done, now.total, request.model, now.eta, now.steps_per_second)
                if now.not_finite is not None and outcome.not_finite is None:
                    outcome.not_finite, outcome.exit_code = now.not_finite, NOT_FINITE
                    bar.aside(remark, not_finite_sentence(now.not_finite, request))
                if now.remark and now.remark not in outcome.remarks:
                    bar.aside(remark, now.remark)
            bar.close()
            with Trace.open(path) as trace:
                outcome.device, outcome.steps_per_second = trace.header.device, steps_per_second(trace)
                outcome.out_of_range = out_of_range(trace)
                if outcome.out_of_range:
                    remark(out_of_range_sentence(outcome.out_of_range, trace.batch, request))
                error = round_trip_error(trace)
                outcome.round_trip = None if error is None else float(error.mean())
                _export(engine, trace, out, options, interrupt, outcome)
        if not outcome.files and options.kind == "trace" and recording is None:
            _remove_header(path)
    outcome.seconds = time.monotonic() - begun
    outcome.kept = recording.run.id if recording is not None and recording.state is not None else ""
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
    outcome.exit_code = interrupt.exit_code
    kept = f"{out} has what is finished" if outcome.files else _unfinished(out)
    outcome.note = f"interrupted {_place(trace, outcome.steps)}: {kept}"


def _place(trace: Trace, steps: int) -> str:
    """How far a run came: "after step 12 of 30, at t 0.43"."""
    if not len(trace):
        return f"after step 0 of {steps}"
    last = len(trace) - 1
    chain = "" if trace.chain(last) else " of the forward chain"
    return f"after step {int(trace.scalar(last, 'step'))} of {steps}{chain}, at t {trace.scalar(last, 't'):.3g}"


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


@contextlib.contextmanager
def _trace_path(out: Path, options: ExportOptions, recording: Recording | None) -> Iterator[Path]:
    """Where the run is recorded: in the library where it is kept, else in the file that was asked for, or for a while
    beside it, on the same disk.
    """
    if recording is not None:
        problem = ""
        try:
            yield recording.run.file
        except DiffStudioError as error:
            problem = str(error)
            raise
        finally:
            recording.end(problem)
        return
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


def source_remark(entry: Entry, request: Request) -> str:
    """What is to be said of the file that a request reads, with its name; "" nothing. Errors as `read_source`."""
    if request.source != "file" or not request.source_file or entry.card is None:
        return ""
    path = Path(request.source_file)
    taken = read_source(path, entry.card.meaning, request.taking)
    taken.required()
    said = "; ".join(remarks_of(taken.info, request.samples))
    return f"{path.name}: {said}" if said else ""


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
