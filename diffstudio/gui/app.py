"""The composition root: builds every part of the window and wires them with signals."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from diffstudio.analysis import fields
from diffstudio.analysis.rate import steps_per_second
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.errors import DiffStudioError
from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.controllers.commands import Commands
from diffstudio.gui.controllers.file_hash import Facts
from diffstudio.gui.controllers.identity import Identity
from diffstudio.gui.controllers.mask import Masking
from diffstudio.gui.controllers.session import Keeping, apply_theme, tokens_of
from diffstudio.gui.controllers.thumbnails import FirstPictures
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.lineup import Lineup
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.run_words import checked_words, ended_words, joined, not_finite_words
from diffstudio.gui.kit.words import count, number, size, tr
from diffstudio.gui.panels.inspect.panel import InspectPanel
from diffstudio.gui.panels.models.card import CardPanel
from diffstudio.gui.panels.models.panel import ModelsPanel
from diffstudio.gui.panels.runs.panel import RunsPanel
from diffstudio.gui.panels.sampling.panel import SamplingPanel
from diffstudio.gui.shell import docks as arrangement
from diffstudio.gui.shell.keyboard import KeyRouter
from diffstudio.gui.shell.main_window import MainWindow
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.stage.canvas import Canvas
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.gui.work.background import Background
from diffstudio.gui.work.catalog_scan import Scanning
from diffstudio.gui.work.file_reading import FileReading
from diffstudio.gui.work.jobs import Ended, Jobs, Stop
from diffstudio.gui.work.library import LibraryWork
from diffstudio.gui.work.runs import Runs
from diffstudio.studio.app.caches import runs_folder
from diffstudio.studio.app.memory import FreeMemory
from diffstudio.studio.app.progress import Progress
from diffstudio.studio.app.settings import Settings, load_settings, settings_file
from diffstudio.studio.app.speeds import Speeds, speeds_file
from diffstudio.studio.engine import Engine
from diffstudio.studio.library.home import library_folder
from diffstudio.studio.library.shelf import Shelf
from diffstudio.traces.reader import Trace

log = logging.getLogger("diffstudio")


class Studio(QObject):
    """One window with all its parts. Close the window, or call `shut_down`, to end its threads.

    runs: where runs were recorded before there was a library, which lies beside; None: the user's own.
    patience: seconds that it waits for them then.
    """

    patience = 30.0

    def __init__(self, settings_path: Path | None = None, runs: Path | None = None, warm_up: bool = True) -> None:
        super().__init__()
        file = settings_path or settings_file()
        settings, problem = load_settings(file)
        tokens = tokens_of(settings)
        catalog = default_catalog([Path(folder) for folder in settings.folders])
        for _ in catalog.scanning(catalog.folders[:1]):  # the bundled ones at once, the others beside the window
            pass
        playhead = Playhead(self)
        window = MainWindow(tokens)
        shelf = Shelf(runs.parent / "library" if runs else library_folder(), runs or runs_folder())
        library = LibraryWork(shelf, self)
        self.parts = Parts(
            window=window,
            catalog=catalog,
            settings=settings,
            playhead=playhead,
            lineup=Lineup(playhead, self),
            runs=Runs(Engine(catalog, speeds=Speeds(speeds_file())), shelf, settings, playhead, self),
            library=library,
            files=Jobs("files", self),
            reading=FileReading(self),
            background=Background(self),
            scanning=Scanning(catalog, self),
            models=ModelsPanel(catalog.listing, tokens),
            card=CardPanel(),
            run_list=RunsPanel(library, tokens),
            sampling=SamplingPanel(tokens, settings.device),
            inspect=InspectPanel(tokens),
            canvas=Canvas(playhead, tokens),
            timeline=Timeline(playhead, tokens),
        )
        p = self.parts
        panels = {name: getattr(p, name) for name in arrangement.TITLES}
        window.place(p.canvas, panels)
        apply_theme(tokens)  # to the whole tree at once: else every widget is styled anew wherever it is put
        self.picking = Picking(p)
        self._facts, self._pictures = Facts(p.scanning, p.card, self), FirstPictures(p)
        self.commands = Commands(p, self.picking, self.use_settings)
        self._masking, self._identity = Masking(p), Identity(p, self.commands.filing)
        self.keeping = Keeping(p, self.picking, file)
        self._closed, self._ended = False, True
        self._news = self._remark = self._ending = ""  # what the status says of a run as it goes, and at its end
        self._free_memory = FreeMemory()
        self._wire()
        self.picking.begin()
        self.keeping.restore()
        self.commands.presets.show()
        self._on_seed_keeping()
        self._keys = KeyRouter(window)
        self._keys.slow.connect(p.timeline.set_slow)
        p.canvas.show_empty(tr("Press Enter or Generate: a batch forms here, and every step can be scrubbed below."))
        self._enable()
        window.say(problem or tr("Ready"))
        self._warm_up = warm_up
        self.parts.library.begin()
        self.parts.run_list.refresh()
        self.commands.room.look()

    def _wire(self) -> None:
        p = self.parts
        p.models.selected.connect(self.commands.filing.show_entry)
        p.models.selected.connect(self._facts.show_entry)
        p.models.activated.connect(self.commands.run_model)
        self.picking.changed.connect(self._enable)
        p.models.menuWanted.connect(self.commands.rows.popup)
        p.sampling.footer.generate.connect(self.commands.run_model)
        p.sampling.footer.stop.connect(p.runs.stop)
        p.sampling.changed.connect(self.picking.forget_removed)
        p.sampling.changed.connect(self._on_request)
        p.sampling.source.looks_later = True
        p.sampling.source.lookWanted.connect(self.commands.filing.look_at_source)
        p.sampling.source.browse.connect(self.commands.filing.choose_source)
        p.sampling.source.wanted.connect(p.background.ask)
        p.background.answered.connect(p.sampling.source.take_answer)
        p.sampling.changed.connect(self.commands.presets.forget)
        p.sampling.seed.each.toggled.connect(self._on_seed_keeping)
        p.sampling.seed.lock.toggled.connect(self._on_seed_keeping)
        self.commands.presets.changed.connect(self._enable)
        self.commands.presets.changed.connect(self.keeping.keep_presets)
        self.keeping.learned.connect(self._on_learned)
        p.runs.traceChanged.connect(p.lineup.lead)
        p.runs.traceChanged.connect(self._on_trace)
        p.timeline.clockChanged.connect(p.lineup.set_clock)
        p.runs.warmed.connect(self._on_warmed)
        p.runs.grew.connect(self._on_grew)
        p.runs.started.connect(self._on_started)
        p.runs.loading.connect(self._on_loading)
        p.runs.stopping.connect(self._on_stopping)
        p.runs.progressed.connect(self._on_progress)
        p.reading.changed.connect(self._enable)
        p.runs.exporting.connect(self._enable)
        p.runs.exported.connect(self._enable)
        p.runs.ended.connect(self._on_ended)
        p.canvas.modelWanted.connect(p.runs.ask)
        p.runs.inquiries.found.connect(p.canvas.take_found)
        p.runs.inquiries.failed.connect(p.canvas.take_problem)
        p.canvas.wanted.connect(p.background.ask)
        p.background.answered.connect(p.canvas.take_answer)
        p.canvas.tensorChanged.connect(p.timeline.set_tensor)
        p.canvas.tensorChanged.connect(p.inspect.set_tensor)
        p.canvas.sampleChanged.connect(p.timeline.set_sample)
        p.canvas.sampleChanged.connect(p.inspect.set_sample)
        p.canvas.optionChanged.connect(p.window.set_checked)
        p.canvas.told.connect(p.window.say)
        p.playhead.moved.connect(p.inspect.show_step)
        p.playhead.moved.connect(p.sampling.source.set_step)
        p.playhead.moved.connect(self._enable)
        p.canvas.sampleChanged.connect(self._enable)
        p.inspect.stepClicked.connect(p.playhead.move_to)
        p.inspect.largeWanted.connect(self._on_large)
        p.canvas.singleChanged.connect(p.inspect.set_alone)
        p.window.painted.connect(self._on_painted)
        p.inspect.wanted.connect(p.background.ask)
        p.background.answered.connect(self._on_answer)
        p.background.answered.connect(p.inspect.take_answer)
        p.window.menuOpening.connect(p.sampling.commit)  # it says whether there is something to undo
        p.runs.listed.connect(p.library.changed)
        p.run_list.acted.connect(self.commands.run)
        p.run_list.chosenChanged.connect(self._enable)
        p.library.taken.connect(self._on_taken)
        p.library.noticed.connect(self._on_notice)
        p.window.closing.connect(self.shut_down)

    @Slot()
    def _on_learned(self) -> None:
        """Another window has changed settings that both share."""
        self.commands.presets.show()
        self.picking.show_order()
        self.parts.window.set_recent(self.parts.settings.recent)

    # ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def _on_warmed(self) -> None:
        self.parts.sampling.advanced.set_devices(self.parts.runs.engine.devices())
        self._on_request()  # now it is known how fast this machine is

    @Slot()
    def _on_started(self) -> None:
        p = self.parts
        self._news = self._remark = self._ending = ""
        p.sampling.footer.set_running(True)
        p.canvas.set_busy(tr("Loading the model…"))
        p.timeline.hold_pictures(True)
        p.window.say(tr("Generating…"))
        self._enable()

    @Slot(float)
    def _on_loading(self, share: float) -> None:
        self.parts.canvas.set_busy(tr("Loading the model… {} %").format(number(100 * share, 0)))

    @Slot()
    def _on_stopping(self) -> None:
        self.parts.window.say(tr("Stopping after this step…"))

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        p = self.parts
        p.canvas.set_busy(None)
        p.sampling.footer.show_progress(progress.done, progress.total, progress.eta, progress.steps_per_second)
        bad = "" if progress.not_finite is None else not_finite_words(progress.not_finite)
        news = joined(bad, progress.remark)
        if news != self._news:  # once: what is said later stays
            self._news, self._remark = news, progress.remark
            p.window.say(news)

    @Slot(object)
    def _on_ended(self, ended: Ended) -> None:
        p = self.parts
        p.canvas.set_busy(None)
        p.timeline.hold_pictures(False)
        p.sampling.footer.set_running(False)
        self._on_request()
        self._enable()
        p.canvas.refresh()  # what it asked the model during the run was not answered
        trace = p.runs.trace
        if ended.outcome == "failed":
            p.window.say(tr("The run failed."))
            if ended.device or ended.half:
                self.commands.offer_room(ended.error, ended.device, ended.half)
            else:
                show_error(p.window, ended.error, ended.details)
        elif trace is not None and len(trace):
            self._ending = joined(ended_words(trace), self._remark)
            p.window.say(self._ending)
            p.background.ask("checked", partial(checked_words, trace))
            rate = tr("{} steps/s").format(number(steps_per_second(trace), 1))
            p.window.device.setText(f"{trace.header.device} · {rate}")
        else:
            p.window.say(tr("Stopped."))
        self._show_sizes()

    @Slot(object)
    def _on_trace(self, trace: Trace | None) -> None:
        p = self.parts
        for part in (p.canvas, p.timeline, p.inspect):
            part.set_trace(trace)
        p.sampling.source.set_trace(trace.path if trace else None, trace is not None and trace.complete)
        if trace is not None:
            p.window.device.setText(trace.header.device)
        if not p.runs.running:  # of a run that goes the last record may be half written, and what is said is of the run
            self._ending = ""
            lost = tr("The end of this trace is damaged: {} steps are shown.")
            p.window.say(lost.format(count(len(trace))) if trace is not None and trace.damaged else "")
            if trace is not None:
                p.background.ask("checked", partial(checked_words, trace))
        self._show_sizes()
        self._enable()

    @Slot()
    def _on_grew(self) -> None:
        for part in (self.parts.canvas, self.parts.timeline, self.parts.inspect):
            part.refresh()

    @Slot()
    def _on_request(self) -> None:
        """The request changed: what will it take?"""
        p = self.parts
        if p.runs.running or p.sampling.card is None:
            return
        try:
            request = p.sampling.checked_request()
            plan = p.runs.engine.plan(request, p.sampling.reasons)
            seconds = p.runs.engine.estimate_seconds(request, plan)
            p.sampling.footer.show_estimate(seconds, plan.total_bytes, plan.memory_bytes, self._free_memory())
        except DiffStudioError as error:
            p.sampling.footer.show_problem(str(error))
        self._enable()

    @Slot()
    def _on_seed_keeping(self) -> None:
        seed = self.parts.sampling.seed
        self.parts.window.set_checked("seed_each_run", seed.each.isChecked())
        self.parts.window.set_checked("lock_seed", seed.lock.isChecked())

    @Slot()
    def _enable(self) -> None:
        p, trace = self.parts, self.parts.runs.trace
        running = p.runs.running
        states = {"run"} if running else {"idle"} if p.sampling.card else set()
        if p.runs.busy or p.reading.busy:
            states.add("busy")
        if trace is not None and len(trace):
            states |= {"trace", *p.canvas.offered()}
            if "split" in fields.available(trace):
                states.add("split")
            k = min(p.playhead.position, len(trace) - 1)
            if not running and trace.chain(k) == 1 and trace.scalar(k, "s") > 0:
                states.add("fork")
            if trace.complete and not running:
                p.sampling.source.set_trace(trace.path, True)
        states |= self.commands.samples.possible() | self.commands.run_list.possible()
        if p.runs.previous is not None and not running:
            states.add("previous")
        can_undo = p.sampling.can_undo or self.picking.can_undo or self.commands.presets.can_undo
        states |= ({"undo"} if can_undo else set()) | ({"redo"} if p.sampling.can_redo else set())
        if states != getattr(self, "_states", None):
            self._states = states
            p.window.set_states(states)

    def _show_sizes(self) -> None:
        p, trace = self.parts, self.parts.runs.trace
        if trace is not None:
            planned = trace.header.total_bytes if self.parts.runs.running else trace.stored_bytes
            p.window.right.setText(tr("trace {}").format(size(planned)))

    @Slot(int)
    def _on_taken(self, count_: int) -> None:
        words = tr("{} earlier runs are in the library now.").format(count(count_))
        self.parts.window.say(words if count_ > 1 else tr("1 earlier run is in the library now."))

    @Slot(str)
    def _on_notice(self, notice: str) -> None:
        if notice:
            self.parts.window.say(notice)

    @Slot()
    def _on_large(self) -> None:
        self.parts.window.toggle_large("inspect")

    @Slot()
    def _on_painted(self) -> None:
        # Beside the window: the import of pyqtgraph takes a third of a second.
        self.parts.background.ask("plots", _import_plots)

    @Slot(str, object)
    def _on_answer(self, kind: str, answer: object) -> None:
        if kind == "checked" and answer:
            self.parts.window.say(joined(self._ending, str(answer)))
        if kind == "plots":
            self.parts.inspect.load_pages()
            if self._warm_up:
                # Not sooner: while torch's libraries are loaded, nobody else can load one, the window would wait.
                self.parts.runs.warm_up()

    def use_settings(self, changed: Settings) -> None:
        """Take changed settings into use and write them."""
        self.keeping.use(changed)

    @Slot()
    def shut_down(self) -> bool:
        """Cancel, join, remember; whether all threads ended in time. A second call does nothing."""
        if self._closed:
            return self._ended
        self._closed = True
        p = self.parts
        p.timeline.pause()
        self.keeping.save()
        self.picking.stop_all()
        p.run_list.stop()
        working = (p.scanning, p.reading, p.files, p.background, p.runs, p.library)
        for part in working:  # all at once: they end beside each other
            part.stop_all()
        until = time.monotonic() + self.patience
        for part in working:
            self._ended &= part.shut_down(max(0.0, until - time.monotonic()))
        p.lineup.shut_down()
        return self._ended


def _import_plots(stop: Stop) -> None:
    import diffstudio.gui.panels.inspect.pages
    import diffstudio.gui.panels.inspect.trajectory_page  # noqa: F401
