"""What every action does. One method per action that needs more than a call; `handlers` is the whole table."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from diffstudio import __version__
from diffstudio.analysis.fields import TENSORS
from diffstudio.errors import DiffStudioError
from diffstudio.gui.controllers.beside import Beside
from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.controllers.context_menus import ContextMenus
from diffstudio.gui.controllers.files import Filing
from diffstudio.gui.controllers.library_room import LibraryRoom
from diffstudio.gui.controllers.likelihood import Likelihood
from diffstudio.gui.controllers.model_menu import ModelMenu
from diffstudio.gui.controllers.palette import PaletteController
from diffstudio.gui.controllers.presets import Presets
from diffstudio.gui.controllers.run_list import RunList
from diffstudio.gui.controllers.samples import Samples
from diffstudio.gui.controllers.weights_card import Carding
from diffstudio.gui.dialogs.message import show_about, show_error
from diffstudio.gui.kit.actions import ACTIONS, VIEW, why_not
from diffstudio.gui.kit.theme import DARK, LIGHT
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.inspect.panel import PAGES
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.work.differences import Differences
from diffstudio.studio.app.settings import Settings
from diffstudio.studio.request.checks import usable
from diffstudio.studio.request.request import Request


class Commands(QObject):
    """Bound to the parts of one window."""

    def __init__(self, parts: Parts, picking: Picking, on_settings: Callable[[Settings], None]) -> None:
        super().__init__(parts.window)
        self.parts, self.picking = parts, picking
        self._on_settings = on_settings
        self.palette = PaletteController(parts, self.why, on_settings, self.preferences)
        self.filing = files = Filing(parts, picking)
        self.samples = Samples(parts, files, self.generate)
        self.menus = ContextMenus(parts, self.why, self.samples.use_data)
        self.rows = ModelMenu(parts, picking)
        self.run_list, self.room = RunList(parts, files, self.rows), LibraryRoom(parts)
        files.runsGiven.connect(self.run_list.import_files)
        self.likelihood = Likelihood(parts)
        self.presets = Presets(parts)
        p, head, line = parts, parts.playhead, parts.timeline
        self.beside = Beside(line, head, p.lineup, Differences(p.lineup, p.background, self))
        self.handlers: dict[str, Callable[[], object]] = {
            "open": files.open, "open_trace": files.open_trace, "save_trace": files.save_trace,
            "write_card": Carding(parts, files).choose,
            "add_folder": files.add_folder, "paste": files.paste, "show_model": _bind(self.rows.show_in_folder, None),
            "export": files.export, "show_saved": files.show_saved, "copy_picture": files.copy_picture,
            **self.samples.handlers, "context_menu": self.menus.by_key,
            "quit": p.window.close,
            "undo": self.undo, "redo": p.sampling.redo, "reset": p.sampling.reset,
            "save_preset": self.presets.ask_name, "presets": self.presets.open,
            "copy_request": files.copy_request, "copy_command": _bind(self.rows.copy_command, None),
            "copy_name": _bind(self.rows.copy_name, None),
            "favourite": picking.toggle_favourite, "settings": self.preferences,
            "flip": p.canvas.flip,
            **{f"tensor_{name}": _bind(p.canvas.set_tensor, name) for name in TENSORS},
            "toggle_single": p.canvas.toggle_single, "fit_view": p.canvas.fit,
            "sample_next": _bind(p.canvas.step_sample, 1, 0), "sample_previous": _bind(p.canvas.step_sample, -1, 0),
            "sample_below": _bind(p.canvas.step_sample, 0, 1), "sample_above": _bind(p.canvas.step_sample, 0, -1),
            **{row.id: _bind(p.canvas.act, row.id) for row in ACTIONS.values() if row.when == VIEW},
            **{name: self._option(name) for name in OPTIONS},
            **{f"page_{name}": _bind(self.show_page, name) for name, _, _ in PAGES},
            "inspect_large": _bind(p.window.toggle_large, "inspect"),
            "find_model": self.find_model, "toggle_theme": self.toggle_theme,
            "reset_layout": p.window.reset_layout,
            **self.run_list.handlers, **self.room.handlers,
            "generate": self.generate, "stop": self.stop, "fork": self.fork,
            "new_seed": p.sampling.seed.roll, "seed_each_run": p.sampling.seed.each.toggle,
            "lock_seed": p.sampling.seed.lock.toggle, "compare": p.runs.show_previous,
            "likelihood": self.likelihood.open,
            "play": line.play_pause, "halt": line.pause,
            "play_back": _bind(line.play, -1), "play_forward": _bind(line.play, 1),
            "step_back": self._by(-1), "step_on": self._by(1), "ten_back": self._by(-10), "ten_on": self._by(10),
            "first": self.first, "last": self.last,
            "marker": head.toggle_marker, "next_marker": _bind(head.next_marker, 1),
            "previous_marker": _bind(head.next_marker, -1),
            "next_parting": self.next_parting,
            "range_in": lambda: head.set_range(head.position, head.range_out),
            "range_out": lambda: head.set_range(head.range_in, head.position),
            "range_clear": lambda: head.set_range(None, None),
            "loop": line.cycle_loop, "faster": line.faster, "slower": line.slower,
            "zoom_in": _bind(line.zoom, 1.5), "zoom_out": _bind(line.zoom, 1 / 1.5), "zoom_fit": line.zoom_fit,
            "next_clock": line.cycle_clock,
            "palette": self.palette.open, "keys": self.keys, "proofs": self.proofs, "about": self.about,
        }  # fmt: skip
        p.window.triggered.connect(self.run)

    @Slot(str)
    def run(self, action_id: str) -> None:
        """Do what an action says, with what is typed in the panel; what goes wrong is one sentence."""
        self.parts.sampling.commit()
        try:
            self.handlers[action_id]()
        except DiffStudioError as error:
            show_error(self.parts.window, str(error))

    @Slot()
    def run_model(self) -> None:
        """As the action "generate", where a button or a row of the list was pressed."""
        self.run("generate")

    def why(self, action_id: str) -> str:
        """Why an action is disabled, in a few words; "" where it is not."""
        if self.parts.window.actions_by_id[action_id].isEnabled():
            return ""
        if action_id in self.samples.handlers:
            return self.samples.problem(action_id)
        if action_id in self.run_list.handlers:
            return self.run_list.problem(action_id)
        if self.parts.runs.running and ACTIONS[action_id].when in ("fork", "previous", "idle"):
            return tr("a run goes on")
        return why_not(action_id)

    def next_parting(self) -> None:
        """To the next step at which a compared run parts from the leading one."""
        if not self.beside.next_parting():
            self.parts.window.say(tr("No run stands beside this one that parts from it."))

    def undo(self) -> None:
        """Bring back a preset or a folder that was taken off the list, else the panel as it was before."""
        if self.presets.can_undo:
            self.presets.undo()
        elif self.picking.can_undo:
            self.picking.undo()
        else:
            self.parts.sampling.undo()

    # ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @Slot()
    def generate(self) -> None:
        """Check the request, ask where it is over the budget, run it."""
        p = self.parts
        if p.runs.running or p.sampling.card is None or not self.picking.choose_visible():
            return
        if p.sampling.source.needs_file:
            self.filing.choose_source()
            return
        try:
            p.sampling.begin_run()
            request = p.sampling.checked_request()
            plan = p.runs.engine.plan(request)
        except DiffStudioError as error:
            p.sampling.show_wrong()
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

    def stop(self) -> None:
        """Stop reading a file; where none is read the run, or an export."""
        if self.parts.reading.busy:
            self.parts.reading.stop()
        else:
            self.parts.runs.stop()

    def offer_room(self, problem: str, device: str, half: bool) -> None:
        """A run had no room where it was to go: run it in half precision, or on another device ("" is none)?"""
        from diffstudio.gui.dialogs.questions import RoomQuestion

        p = self.parts
        question = RoomQuestion(p.window, f"{problem[:1].upper()}{problem[1:]}.", device, half)

        def answered(yes: bool) -> None:
            if yes and question.half:
                p.sampling.advanced.precision.set_value("half")
            elif yes:
                p.sampling.advanced.device.set_value(device)
            if yes:
                self.generate()

        question.answered.connect(answered)
        question.open()

    def fork(self) -> None:
        """Run on from the step at the playhead, with the panel's settings."""
        p, trace = self.parts, self.parts.runs.trace
        if trace is None or p.runs.running:
            return
        was, now = Request.model_validate(trace.header.request), p.sampling.checked_request()
        entry = p.runs.engine.catalog.find(was.model)
        if p.sampling.entry is None or entry.path != p.sampling.entry.path:  # the panel speaks of another model
            now = was
            p.window.say(tr("The panel is of another model: the run goes on with its own settings."))
        at = {"source": "step", "source_file": str(trace.path), "source_step": p.playhead.position}
        request = now.model_copy(update={**at, "model": was.model, "samples": trace.batch})
        card = entry.card
        request = usable(card, request) if card is not None else request  # a strength, a mask: they need data
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

    # ── settings, help ─────────────────────────────────────────────────────────────────────────────────────

    def preferences(self, at: str = "") -> None:
        """The settings dialog. at: the setting that the keyboard begins at."""
        from diffstudio.gui.dialogs.preferences import PreferencesDialog
        from diffstudio.studio.app.settings import settings_file

        notes = [tr("Runs: {}").format(self.parts.library.shelf.folder), tr("Settings: {}").format(settings_file())]
        dialog = PreferencesDialog(self.parts.settings, self.parts.window, notes)
        dialog.applied.connect(self._on_settings)
        dialog.open()
        if at in dialog.fields:
            dialog.fields[at].setFocus()

    def toggle_theme(self) -> None:
        """The other theme, from now on."""
        changed = self.parts.settings.model_copy()
        dark = self.parts.window.palette().window().color().lightness() < 128
        changed.theme = "light" if dark else "dark"
        self._on_settings(changed)

    def show_page(self, name: str) -> None:
        """A page of the inspector, wherever that is."""
        self.parts.window.bring_up("inspect")
        self.parts.inspect.show_page(name)

    def find_model(self) -> None:
        """To the search field."""
        self.parts.window.bring_up("models")
        self.parts.models.search.setFocus()
        self.parts.models.search.selectAll()

    def keys(self) -> None:
        """The page of keys."""
        from diffstudio.gui.dialogs.keys import KeysDialog

        KeysDialog(self.parts.window).open()

    def proofs(self) -> None:
        """The page of proofs."""
        from diffstudio.gui.dialogs.proofs import ProofsDialog

        dark = self.parts.window.palette().window().color().lightness() < 128
        ProofsDialog(self.parts.window, DARK if dark else LIGHT).show()

    def about(self) -> None:
        """Version and credits."""
        credits = {e.card.data.credit for e in self.parts.catalog.entries if e.card and e.card.data.credit}
        lines = [tr("A desktop microscope for diffusion models. Apache License 2.0."), *sorted(credits)]
        show_about(self.parts.window, __version__, lines)


def _bind(call: Callable[..., object], *args: object) -> Callable[[], object]:
    return lambda: call(*args)
