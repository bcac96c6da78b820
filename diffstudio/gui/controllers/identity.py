"""Whose run is on the screen: the window's title and the line above the canvas, beside what the panel says."""

from __future__ import annotations

from pydantic import ValidationError
from PySide6.QtCore import QObject, Slot

from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import DiffStudioError
from diffstudio.gui.controllers.files import Filing
from diffstudio.gui.controllers.mask import MASKS
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.changes import differences
from diffstudio.gui.kit.run_names import run_line, run_name
from diffstudio.gui.kit.words import tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.studio.app.recalled import Note, checkpoint_of
from diffstudio.studio.request.request import Request
from diffstudio.traces.reader import Trace

Change = tuple[str, str, str]


class Identity(QObject):
    """Bound to the parts of one window."""

    def __init__(self, parts: Parts, filing: Filing) -> None:
        super().__init__(parts.window)
        self._parts, self._filing = parts, filing
        self._trace: Trace | None = None
        self._request: Request | None = None  # of the trace that is shown; None where it has none that is understood
        self._notes: tuple[Note, ...] = ()
        bar = parts.canvas.run_bar
        bar.useWanted.connect(self.use)
        bar.differencesWanted.connect(self.show_differences)
        parts.runs.traceChanged.connect(self._on_trace)
        parts.sampling.changed.connect(self._compare)

    @Slot()
    def use(self) -> None:
        """Set the panel as the run was made; one step of undo."""
        if self._request is None:
            return
        try:
            self._take(self._request, self._entry())
        except DiffStudioError as error:
            show_error(self._parts.window, str(error))

    @Slot()
    def show_differences(self) -> None:
        """What the panel says, and what the run was made with."""
        from diffstudio.gui.controllers.restoring import words
        from diffstudio.gui.dialogs.questions import RestoreQuestion

        if self._request is None:
            return
        try:
            request, entry = self._request, self._entry()
        except DiffStudioError as error:
            show_error(self._parts.window, str(error))
            return
        question = RestoreQuestion(self._parts.window, tr("This run"), self._changes(), words(self._notes))
        question.answered.connect(lambda yes: self._take(request, entry) if yes else None)
        question.open()

    def _entry(self) -> Entry:
        """The checkpoint of the run, by its weights where they are known. Raises: NotFound."""
        p, trace = self._parts, self._trace
        assert trace is not None and self._request is not None
        return checkpoint_of(self._request, trace.header.checkpoint_sha256, p.catalog.listing)[0]

    def _take(self, request: Request, entry: Entry) -> None:
        p = self._parts
        if p.sampling.entry is not entry and not p.models.choose_entry(entry):
            self._filing.show_entry(entry)
        p.sampling.set_request(request.model_copy(update={"model": p.sampling.request().model}))
        p.window.say(tr("The panel says what this run was made with."))

    @Slot(object)
    def _on_trace(self, trace: Trace | None) -> None:
        p, self._trace, self._request, self._notes = self._parts, trace, None, ()
        bar = p.canvas.run_bar
        if trace is None:
            bar.show_run("", "")
            p.window.setWindowTitle("DiffStudio")
            return
        header = trace.header
        p.window.setWindowTitle(f"{run_name(header)} – DiffStudio")
        more = [str(trace.path), " ".join(filter(None, (header.created[:16].replace("T", " "), header.device)))]
        bar.show_run(run_line(header), "\n".join(more))
        try:
            self._request = Request.model_validate(header.request)
        except ValidationError:
            pass  # of a stranger, or of another version: there is nothing to compare
        else:
            if not p.runs.is_ours(trace.path):  # what another's trace names is not opened
                from diffstudio.studio.app.opening import at_hand

                self._request, self._notes = at_hand(self._request, p.runs.folder / MASKS)
        self._compare()

    @Slot()
    def _compare(self) -> None:
        self._parts.canvas.run_bar.show_difference(len(self._changes()))

    def _changes(self) -> list[Change]:
        p = self._parts
        if self._request is None or p.sampling.card is None:
            return []
        try:
            then = self._entry()
        except DiffStudioError:  # its model is not here: its name is what differs
            return differences(p.sampling.request(), self._request, p.sampling.card)
        now = p.sampling.request()
        if p.sampling.entry is then:  # under whatever name
            now = now.model_copy(update={"model": self._request.model})
        return differences(now, self._request, p.sampling.card, then.card)
