"""Runs of the window: a request goes out, a growing trace comes back."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.work.garbage import held
from diffstudio.gui.work.jobs import Ended, Job, Jobs, Stop
from diffstudio.gui.work.model_queries import Inquiries
from diffstudio.studio.app.progress import Progress
from diffstudio.studio.app.settings import Settings
from diffstudio.studio.engine import Engine
from diffstudio.studio.library.shelf import Recording, Shelf
from diffstudio.studio.request.request import Request
from diffstudio.traces.moment import Moment, moment_of, nearest
from diffstudio.traces.reader import Trace

log = logging.getLogger("diffstudio")
LOOK_MS = 100  # between two looks at how far the weights are read


@dataclass
class _Going:
    """The run that goes, as the thread that records it tells: where, and the share of the weights that is read."""

    path: Path | None = None
    loaded: float = 0.0


class Runs(QObject):
    """The run that goes, the trace that is shown, and the one before it."""

    traceChanged = Signal(object)  # Trace or None: the views show another one
    grew = Signal()  # new records in the trace that is shown
    warmed = Signal()  # torch is loaded
    started = Signal()
    loading = Signal(float)  # the share of the weights that is read, before the first step
    stopping = Signal()  # the user's stop is taken; `ended` comes when the network call that goes has returned
    progressed = Signal(object)  # progress.Progress
    ended = Signal(object)  # jobs.Ended
    exporting = Signal(object)  # what an export tells
    exported = Signal(object)  # jobs.Ended of an export
    listed = Signal()  # the library has another run, or one that ended; told from the thread that records

    def __init__(
        self, engine: Engine, shelf: Shelf, settings: Settings, playhead: Playhead, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.engine, self._shelf, self._settings, self._playhead = engine, shelf, settings, playhead
        self.trace: Trace | None = None
        self.previous: Trace | None = None
        self.request: Request | None = None
        self._markers: dict[Path, list[int]] = {}  # of traces that were shown
        self._number = 0
        self._warm_up = 0
        self._exports: set[int] = set()
        self._waiting = False  # the run that goes has not written its first record yet
        self._going = _Going()
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._on_look)
        self._jobs = Jobs("compute", self)
        self.inquiries = Inquiries(engine, self._jobs, self)
        self._jobs.progressed.connect(self._on_progress)
        self._jobs.ended.connect(self._on_ended)

    @property
    def folder(self) -> Path:
        """Where masks are kept that were painted, and what an export needs for a while."""
        return self._shelf.spare

    def is_ours(self, trace: Path) -> bool:
        """Whether a trace lies where runs are recorded here: what it names is our own word."""
        return self._shelf.holds(trace)

    @property
    def running(self) -> bool:
        """Whether a run goes."""
        return self._number in self._jobs.open

    def warm_up(self) -> None:
        """Load torch beside the window, so that the first run does not wait for it. A second call does nothing."""
        if not self._warm_up:
            self._warm_up = self._jobs.submit(_warm_up_job(self.engine, self._settings.threads))

    def generate(self, request: Request, budget: int | None = None) -> None:
        """Start a run; the trace that is shown stays until the first record is there. budget: bytes, for this run."""
        if self.running:
            return
        self.warm_up()
        self.inquiries.cancel()
        self._mark_fork(request)
        budget = budget or int(self._settings.trace_budget_gib * 2**30)
        self.request, self._going, self._waiting = request, _Going(), True
        self._look.start()
        self._number = self._jobs.submit(
            _run_job(self.engine, self._shelf, request, budget, self._going, self.listed.emit)
        )
        self.started.emit()

    def _mark_fork(self, request: Request) -> None:
        """Leave a mark where another run goes off from the one that is shown."""
        trace, k = self.trace, request.source_step
        here = trace is not None and request.source_file == str(trace.path)
        if here and k is not None and k not in self._playhead.markers:
            self._playhead.toggle_marker(k)

    def export(self, job: Job) -> None:
        """Write a file for which the model is needed, once a run that goes has ended: `exporting`, then `exported`."""
        self._exports.add(self._jobs.submit(job))

    @property
    def busy(self) -> bool:
        """Whether there is something that `stop` would stop."""
        return self.running or bool(self._exports)

    def stop(self) -> None:
        """Stop the run before its next network call; without one the exports, before their next record."""
        if self.running:
            self._jobs.cancel(self._number)
            self.stopping.emit()
            return
        for number in self._exports:
            self._jobs.cancel(number)

    def show_trace(self, trace: Trace) -> None:
        """Show a recorded run that was opened."""
        self._show(trace)

    def show_previous(self) -> None:
        """Exchange the trace that is shown with the one before it; the playhead stays at its moment, by t."""
        if self.previous is None or self.running:
            return
        shown, position = self.trace, self._playhead.position
        self._keep_markers()
        self.trace, self.previous = self.previous, self.trace
        self._announce()
        assert self.trace is not None and shown is not None
        if position < len(shown) and len(self.trace):
            self._playhead.move_to(_same_moment(self.trace, moment_of(shown, position)))

    @Slot(str, object, object)
    def ask(self, kind: str, about: object, parts: list[tuple]) -> None:
        """Ask the model of the trace that is shown: `inquiries` has the answers, and says what can be asked.

        Nothing is asked while a run goes: ask again when it has ended.
        """
        if not self.running:
            self.inquiries.ask(self._shown_request(), kind, about, parts)

    @Slot(object, str, int, int)
    def judge(self, request: Request, split: str, steps: int, probes: int) -> None:
        """Ask `inquiries` how likely the request's data are. A run that is started ends it; while one goes, nothing."""
        if not self.running:
            self.warm_up()
            self.inquiries.judge(request, split, steps, probes)

    def _shown_request(self) -> Request | None:
        """Of the trace that is shown; None of a foreign one without a request."""
        if self.trace is None:
            return None
        try:
            return Request.model_validate(self.trace.header.request)
        except ValueError:
            return None

    def stop_all(self) -> None:
        """Cancel everything; from now on nothing is begun."""
        self._look.stop()
        self._jobs.stop_all()

    def shut_down(self, seconds: float = 30.0) -> bool:
        """Cancel, join, close the traces; True if what was computed ended in time."""
        self.stop_all()
        ended = self._jobs.shut_down(seconds)
        for trace in (self.trace, self.previous):
            if trace is not None:
                trace.close()
        return ended

    @Slot(int, object)
    def _on_progress(self, number: int, progress: object) -> None:
        if number in self._exports:
            self.exporting.emit(progress)
        if number != self._number or not isinstance(progress, Progress):
            return
        self._look.stop()
        if self._waiting and progress.records and self._going.path is not None:
            self._waiting = False
            try:
                self._show(Trace.open(self._going.path))
            except DiffStudioError as error:
                log.warning("%s", error)
        elif not self._waiting:
            self._refresh()
        self.progressed.emit(progress)

    @Slot()
    def _on_look(self) -> None:
        if self._going.loaded:
            self.loading.emit(self._going.loaded)

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        if ended.number == self._warm_up and ended.outcome == "done":
            self.warmed.emit()
        if ended.number in self._exports:
            self._exports.discard(ended.number)
            self.exported.emit(ended)
            return
        if ended.number != self._number:
            if ended.outcome == "failed":
                log.warning("%s", ended.error)
            return
        self._look.stop()
        if not self._waiting:
            self._refresh()
        self.ended.emit(ended)

    def _refresh(self) -> None:
        if self.trace is not None:
            before = self._playhead.length
            length = self.trace.refresh()
            if length > before:
                self._playhead.grow(length)
                self.grew.emit()

    def _show(self, trace: Trace) -> None:
        if self.previous is not None:
            self.previous.close()
        self._keep_markers()
        self.previous, self.trace = self.trace, trace
        self._announce()

    def _keep_markers(self) -> None:
        if self.trace is not None:
            self._markers[self.trace.path] = list(self._playhead.markers)

    def _announce(self) -> None:
        # First the views learn of the trace, then the playhead moves in it.
        self.traceChanged.emit(self.trace)
        markers = self._markers.get(self.trace.path, []) if self.trace else []
        self._playhead.reset(len(self.trace) if self.trace else 0, markers)


def _same_moment(trace: Trace, moment: Moment) -> int:
    """The record of another run at that t: in its other chain where it has none of that kind, as a fork has not."""
    found = nearest(trace, moment, "t")
    other = dataclasses.replace(moment, chain=1 - moment.chain)
    return found if found is not None else nearest(trace, other, "t") or 0


def _warm_up_job(engine: Engine, threads: int) -> Job:
    def job(stop: Stop) -> Iterator[None]:
        # torch brings half a million objects that stay: to look for garbage among them stalls the window for 0.3 s.
        with held():
            engine.warm_up(threads)
            engine.calibrate()
        yield None

    return job


def _run_job(
    engine: Engine, shelf: Shelf, request: Request, budget: int, going: _Going, listed: Callable[[], object]
) -> Job:
    """Record a run into the library, where it is listed from its beginning, with what becomes of it."""

    def tell(share: float) -> None:
        going.loaded = share

    def job(stop: Stop) -> Iterator[Progress]:
        card = engine.catalog.find(request.model).card
        recording = Recording(shelf.library, request.model_dump(mode="json"), card.model_dump() if card else {})
        going.path = recording.run.file
        listed()
        problem = ""
        try:
            yield from engine.run(request, recording.run.file, budget, stop, tell)
        except GeneratorExit:
            raise
        except BaseException as error:
            problem = str(error) or type(error).__name__
            raise
        finally:
            recording.end(problem)
            listed()

    return job
