"""What every action does. One method per action that needs more than a call; `handlers` is the whole table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog

from diffstudio import __version__
from diffstudio.analysis.fields import TENSORS
from diffstudio.checkpoints.catalog import Catalog, Entry
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.gui.actions import ACTIONS
from diffstudio.gui.dialogs.message import show_about, show_error
from diffstudio.gui.jobs import Ended, Jobs, Stop
from diffstudio.gui.main_window import MainWindow
from diffstudio.gui.opening import Opened, differences, look_at
from diffstudio.gui.panels.card import CardPanel
from diffstudio.gui.panels.inspect import InspectPanel
from diffstudio.gui.panels.models import ModelsPanel
from diffstudio.gui.panels.sampling import SamplingPanel
from diffstudio.gui.playhead import Playhead
from diffstudio.gui.runs import Runs
from diffstudio.gui.timeline.timeline import Timeline
from diffstudio.gui.views.canvas import Canvas
from diffstudio.gui.words import tr
from diffstudio.studio import provenance
from diffstudio.studio.request import Request
from diffstudio.studio.settings import Settings

log = logging.getLogger("diffstudio")


@dataclass
class Parts:
    """Everything that the window is made of."""

    window: MainWindow
    catalog: Catalog
    settings: Settings
    playhead: Playhead
    runs: Runs
    files: Jobs
    models: ModelsPanel
    card: CardPanel
    sampling: SamplingPanel
    inspect: InspectPanel
    canvas: Canvas
    timeline: Timeline


class Commands(QObject):
    """Bound to the parts of one window."""

    def __init__(self, parts: Parts, on_settings: Callable[[Settings], None]) -> None:
        super().__init__(parts.window)
        self.parts = parts
        self._on_settings = on_settings
        self._export: tuple[int, str] | None = None
        self._once_budget: float | None = None
        p, head, line = parts, parts.playhead, parts.timeline
        self.handlers: dict[str, Callable[[], object]] = {
            "open": self.open, "open_trace": self.open_trace, "save_trace": self.save_trace,
            "add_folder": self.add_folder, "export": self.export, "copy_picture": self.copy_picture,
            "quit": p.window.close,
            "undo": p.sampling.undo, "redo": p.sampling.redo, "reset": p.sampling.reset,
            "copy_request": self.copy_request, "settings": self.preferences,
            "flip": p.canvas.flip,
            **{f"tensor_{name}": _bind(p.canvas.set_tensor, name) for name in TENSORS},
            "toggle_single": p.canvas.toggle_single, "fit_view": p.canvas.fit,
            **{name: self._option(name) for name in ("trails", "underlay", "arrows", "density")},
            "find_model": self.find_model, "toggle_theme": self.toggle_theme,
            "reset_layout": p.window.reset_layout,
            "generate": self.generate, "stop": p.runs.stop, "fork": self.fork,
            "new_seed": p.sampling.seed.roll, "compare": p.runs.show_previous,
            "play": line.play_pause, "play_back": _bind(line.play, -1), "play_forward": _bind(line.play, 1),
            "step_back": self._by(-1), "step_on": self._by(1), "ten_back": self._by(-10), "ten_on": self._by(10),
            "first": self.first, "last": self.last,
            "marker": head.toggle_marker, "next_marker": _bind(head.next_marker, 1),
            "previous_marker": _bind(head.next_marker, -1),
            "range_in": lambda: head.set_range(head.position, head.range_out),
            "range_out": lambda: head.set_range(head.range_in, head.position),
            "range_clear": lambda: head.set_range(None, None),
            "loop": line.cycle_loop, "faster": line.faster, "slower": line.slower,
            "zoom_in": _bind(line.zoom, 1.5), "zoom_out": _bind(line.zoom, 1 / 1.5), "zoom_fit": line.zoom_fit,
            "next_clock": line.cycle_clock,
            "palette": self.palette, "keys": self.keys, "about": self.about,
        }  # fmt: skip
        p.window.triggered.connect(self.run)
        p.window.dropped.connect(self.open_paths)
        p.files.progressed.connect(self._on_file_progress)
        p.files.ended.connect(self._on_file_ended)

    @Slot(str)
    def run(self, action_id: str) -> None:
        """Do what an action says; what goes wrong is one sentence."""
        try:
            self.handlers[action_id]()
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))

    # ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def generate(self) -> None:
        """Check the request, ask where it is over the budget, run it."""
        p = self.parts
        if p.runs.running or p.sampling.card is None:
            return
        if p.sampling.source.needs_file:
            self.choose_source()
            return
        try:
            request = p.sampling.request()
            plan = p.runs.engine.plan(request)
        except DiffStudioError as error:
            show_error(p.window, str(error))
            return
        budget = int(p.settings.trace_budget_gib * 2**30)
        if plan.total_bytes <= budget:
            p.runs.generate(request)
            return
        from diffstudio.gui.dialogs.questions import BudgetQuestion

        question = BudgetQuestion(p.window, plan.total_bytes, budget, request.steps)

        def answered(yes: bool) -> None:
            if yes:
                change = question.change
                p.runs.generate(request.model_copy(update=change), None if change else plan.total_bytes)

        question.answered.connect(answered)
        question.open()

    def fork(self) -> None:
        """Run on from the step at the playhead, with the panel's settings."""
        p, trace = self.parts, self.parts.runs.trace
        if trace is None or p.runs.running:
            return
        now = p.sampling.request()
        was = Request.model_validate(trace.header.request)
        request = now.model_copy(
            update={
                "model": was.model,
                "source": "step",
                "source_file": str(trace.path),
                "source_step": p.playhead.position,
                "samples": trace.batch,
                "label": was.label if was.model != now.model else now.label,
            }
        )
        p.runs.engine.plan(request)
        p.runs.generate(request)

    def _by(self, delta: int) -> Callable[[], None]:
        def move() -> None:
            self.parts.timeline.pause()
            self.parts.playhead.move_by(delta)

        return move

    def first(self) -> None:
        """The first record."""
        self.parts.timeline.pause()
        self.parts.playhead.move_to(0)

    def last(self) -> None:
        """The newest record, and follow."""
        self.parts.timeline.pause()
        self.parts.playhead.to_end()

    def _option(self, name: str) -> Callable[[], None]:
        def toggle() -> None:
            self.parts.canvas.set_option(name, not self.parts.canvas.option(name))

        return toggle

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Ask for a file of any kind."""
        kinds = "*.safetensors *.trace *.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif *.bmp *.npy *.npz *.csv"
        self._ask_open(f"{tr('All that can be opened')} ({kinds});;{tr('All files')} (*)")

    def open_trace(self) -> None:
        """Ask for a trace."""
        self._ask_open(f"{tr('Traces')} (*.trace)")

    def choose_source(self) -> None:
        """Ask for a picture or an array to start from."""
        p = self.parts
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Start from a file"), p.settings.last_folder)
        if path:
            self._guard(lambda: p.sampling.set_source_file(Path(path)))

    @Slot(object)
    def open_paths(self, paths: list[Path]) -> None:
        """Open what was dropped or given on the command line."""
        for path in paths:
            self._guard(_bind(self._open, path))

    def _ask_open(self, kinds: str) -> None:
        p = self.parts
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Open"), p.settings.last_folder, kinds)
        if path:
            p.settings.last_folder = str(Path(path).parent)
            self._guard(lambda: self._open(Path(path)))

    def _open(self, path: Path) -> None:
        p, found = self.parts, look_at(path)
        if found.kind == "trace":
            if p.runs.running:
                raise BadFile(tr("A run goes on: stop it first, then open the trace."))
            p.runs.open_trace(path)
        elif found.kind == "checkpoint":
            self._open_checkpoint(path)
        elif found.kind == "folder":
            self._add_folder(path)
        elif found.kind == "settings":
            self._offer_settings(found)
        else:
            p.sampling.set_source_file(path)
        p.settings.remember_recent(str(path))
        p.window.set_recent(p.settings.recent)

    def _open_checkpoint(self, path: Path) -> None:
        p = self.parts
        entry = p.catalog.find(str(path.absolute()))
        p.catalog.folders.append(("opened", entry.path))
        p.models.reload()
        if entry.card is not None and not p.models.choose(entry.spec):
            self.show_entry(entry)

    def _offer_settings(self, found: Opened) -> None:
        from diffstudio.gui.dialogs.questions import RestoreQuestion

        p = self.parts
        request = provenance.request_of(found.settings or {}, str(found.path))
        note = ""
        if request.source in ("file", "step"):
            note = tr("It started from the file {}, which is not in the picture: noise is set instead.").format(
                request.source_file
            )
            request = request.model_copy(update={"source": "noise", "source_file": None, "source_step": None})
        entry = p.catalog.find(request.model)
        question = RestoreQuestion(p.window, found.path.name, differences(p.sampling.request(), request), note)

        def answered(yes: bool) -> None:
            if yes:
                if not p.models.choose(request.model):
                    self.show_entry(entry)
                p.sampling.set_request(request)
                p.window.say(tr("Settings of {} restored.").format(found.path.name))

        question.answered.connect(answered)
        question.open()

    def show_entry(self, entry: Entry) -> None:
        """A checkpoint was chosen."""
        p = self.parts
        try:
            p.sampling.set_entry(entry)
        except DiffStudioError as error:
            show_error(p.window, str(error))
            return
        p.card.show_entry(entry)
        p.settings.last_model = entry.spec

    def add_folder(self) -> None:
        """Ask for a folder of checkpoints."""
        p = self.parts
        folder = QFileDialog.getExistingDirectory(p.window, tr("Folder of checkpoints"), p.settings.last_folder)
        if folder:
            self._add_folder(Path(folder))

    def _add_folder(self, folder: Path) -> None:
        p = self.parts
        if str(folder) not in p.settings.folders:
            p.settings.folders = [*p.settings.folders, str(folder)]
            p.catalog.folders.append((str(folder), folder))
        before = len(p.catalog.entries)
        p.models.reload()
        p.window.say(tr("{} checkpoints found in {}.").format(len(p.catalog.entries) - before, folder))

    def save_trace(self) -> None:
        """Keep the trace under a name."""
        from diffstudio.studio.export_options import ExportOptions

        p, trace = self.parts, self.parts.runs.trace
        if trace is None:
            return
        name = str(Path(p.settings.last_folder or Path.home()) / f"{self._stem()}.trace")
        path, _ = QFileDialog.getSaveFileName(p.window, tr("Save trace"), name, f"{tr('Traces')} (*.trace)")
        if path:
            self.write(Path(path).with_suffix(".trace"), ExportOptions(kind="trace"))

    def export(self) -> None:
        """Ask what to export."""
        from diffstudio.gui.dialogs.export import ExportDialog
        from diffstudio.studio.export_options import ExportOptions

        p, trace = self.parts, self.parts.runs.trace
        if trace is None or not len(trace):
            return
        start = ExportOptions(
            tensor=p.canvas.tensor,
            sample=p.canvas.sample,
            record=min(p.playhead.position, len(trace) - 1),
        )
        folder = Path(p.settings.last_folder) if p.settings.last_folder else Path.home()
        dialog = ExportDialog(trace, p.window, start, folder, self._stem())
        dialog.wanted.connect(self.write)
        dialog.open()

    @Slot(object, object)
    def write(self, path: Path, options: object) -> None:
        """Export in the background."""
        from diffstudio.studio.export import export
        from diffstudio.studio.export_options import ExportOptions

        p, trace = self.parts, self.parts.runs.trace
        if trace is None or not isinstance(options, ExportOptions):
            return
        p.settings.last_folder = str(path.parent)

        def job(stop: Stop) -> Iterator[str]:
            yield tr("Exporting…")
            written = export(trace, path, options, stop=stop)
            yield str(written[0] if len(written) == 1 else path)

        self._export = (p.files.submit(job), str(path))

    @Slot(int, object)
    def _on_file_progress(self, number: int, text: object) -> None:
        self.parts.window.say(str(text))

    @Slot(object)
    def _on_file_ended(self, ended: Ended) -> None:
        if ended.outcome == "failed":
            self.parts.window.say("")
            show_error(self.parts.window, ended.error, ended.details)
        elif ended.outcome == "done" and self._export:
            self.parts.window.say(tr("Saved {}").format(self._export[1]))

    def copy_picture(self) -> None:
        """The canvas to the clipboard."""
        QGuiApplication.clipboard().setImage(self.parts.canvas.picture())
        self.parts.window.say(tr("Picture copied."))

    def copy_request(self) -> None:
        """The request to the clipboard."""
        QGuiApplication.clipboard().setText(self.parts.sampling.request().model_dump_json(indent=2))
        self.parts.window.say(tr("Settings copied as JSON."))

    def _stem(self) -> str:
        trace = self.parts.runs.trace
        if trace is None:
            return "diffstudio"
        request = trace.header.request
        return f"{request.get('model', 'run')}-seed{request.get('seed', 0)}".replace("/", "-")[:60]

    def _guard(self, do: Callable[[], object]) -> None:
        try:
            do()
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))

    # ── presets, settings, help ─────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def save_preset(self) -> None:
        """Ask for a name and keep the request under it."""
        p = self.parts
        name, ok = QInputDialog.getText(p.window, tr("Save as preset"), tr("Name"))
        if ok and name.strip():
            request = p.sampling.request().model_dump(mode="json", exclude={"source", "source_file", "source_step"})
            p.settings.presets = {**p.settings.presets, name.strip()[:60]: request}
            p.sampling.set_presets(sorted(p.settings.presets))

    @Slot(str)
    def take_preset(self, name: str) -> None:
        """Set what a preset holds; the model stays unless the preset's own is there."""
        p = self.parts
        try:
            request = Request.model_validate(p.settings.presets[name])
        except (KeyError, ValueError):
            show_error(p.window, tr("The preset '{}' can't be used any more.").format(name))
            return
        p.models.choose(request.model)
        p.sampling.set_request(request)

    def preferences(self) -> None:
        """The settings dialog."""
        from diffstudio.gui.dialogs.preferences import PreferencesDialog
        from diffstudio.studio.history import runs_folder
        from diffstudio.studio.settings import settings_file

        notes = [tr("Runs: {}").format(runs_folder()), tr("Settings: {}").format(settings_file())]
        dialog = PreferencesDialog(self.parts.settings, self.parts.window, notes)
        dialog.applied.connect(self._on_settings)
        dialog.open()

    def toggle_theme(self) -> None:
        """The other theme, from now on."""
        changed = self.parts.settings.model_copy()
        dark = self.parts.window.palette().window().color().lightness() < 128
        changed.theme = "light" if dark else "dark"
        self._on_settings(changed)

    def find_model(self) -> None:
        """To the search field."""
        self.parts.models.search.setFocus()
        self.parts.models.search.selectAll()

    def palette(self) -> None:
        """The command palette."""
        from diffstudio.gui.dialogs.palette import Palette

        window = self.parts.window
        rows = [(tr(ACTIONS[name].menu), window.actions_by_id[name]) for name in ACTIONS if name != "palette"]
        dialog = Palette(rows, window)
        dialog.chosen.connect(_trigger)
        dialog.show()

    def keys(self) -> None:
        """The page of keys."""
        from diffstudio.gui.dialogs.keys import KeysDialog

        KeysDialog(self.parts.window).open()

    def about(self) -> None:
        """Version and credits."""
        credits = {e.card.data.credit for e in self.parts.catalog.entries if e.card and e.card.data.credit}
        lines = [tr("A desktop microscope for diffusion models. Apache License 2.0."), *sorted(credits)]
        show_about(self.parts.window, __version__, lines)


def _bind(call: Callable[..., object], *args: object) -> Callable[[], object]:
    return lambda: call(*args)


def _trigger(action: QAction) -> None:
    action.trigger()
