"""What can be done with the runs that are chosen in the dock of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from diffstudio.errors import BadFile, BadInput
from diffstudio.gui.controllers.files import Filing
from diffstudio.gui.controllers.model_menu import ModelMenu
from diffstudio.gui.controllers.saving import ask_where
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import size, tr
from diffstudio.gui.panels.runs.model import Row
from diffstudio.gui.panels.runs.panel import runs_text
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.library import trash
from diffstudio.studio.library.bundle import BUNDLE, pack, unpack
from diffstudio.studio.library.intake import take_in
from diffstudio.studio.library.library import SUFFIX, Library
from diffstudio.studio.library.query import Query
from diffstudio.studio.library.run import Run
from diffstudio.studio.request.request import Request
from diffstudio.traces.glance import glance
from diffstudio.traces.reader import Trace


class RunList(QObject):
    """Bound to the parts of one window. `problem` says why an action can't be done."""

    def __init__(self, parts: Parts, filing: Filing, rows: ModelMenu) -> None:
        super().__init__(parts.window)
        self.parts, self._filing, self._rows = parts, filing, rows
        self._deleted: list[list[str]] = []  # ids, what was deleted last at the end
        self.handlers: dict[str, Callable[[], object]] = {
            "find_run": self.find, "runs_open": self.open, "runs_use": self.use, "runs_command": self.copy_command,
            "runs_folder": self.show_in_folder, "runs_star": self.star, "runs_rename": self.rename,
            "runs_note": self.note, "runs_delete": self.delete, "runs_undo": self.undo, "runs_export": self.export,
            "runs_import": self.bring, "runs_trash": self.toggle_trash, "runs_restore": self.restore,
            "runs_empty": self.empty,
        }  # fmt: skip
        parts.runs.traceChanged.connect(self._found_again)

    def problem(self, action_id: str) -> str:
        """Why an action can't be done now, in a few words; "" where it can."""
        panel = self.parts.run_list
        if action_id == "runs_undo":
            return "" if self._deleted else tr("nothing was deleted")
        if not panel.chosen:
            return tr("no run is chosen")
        if action_id == "runs_restore":
            return "" if panel.in_trash else tr("it is not in the trash")
        if action_id == "runs_delete":
            return tr("it is in the trash already") if panel.in_trash else ""
        row = panel.current
        if action_id in ("runs_open", "runs_folder", "runs_use", "runs_command", "runs_rename") and row is None:
            return tr("choose one run")
        if action_id == "runs_open" and row is not None and not row.run.records and row.run.state != "running":
            return tr("nothing was recorded")
        return ""

    def possible(self) -> set[str]:
        """The actions that can be done now."""
        return {name for name in self.handlers if not self.problem(name)}

    # ── one run ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self) -> None:
        """To the search field of the dock."""
        self.parts.window.bring_up("run_list")
        self.parts.run_list.to_search()

    def open(self) -> None:
        """Show it on the canvas."""
        row = self._current()
        shown = self.parts.runs.trace
        if shown is not None and shown.path == row.run.file:
            self.parts.window.say(tr("This run is on the canvas."))
            return
        if row.missing:
            raise BadFile(self._gone(row.run))
        self._filing.open_run(row.run.file)

    def use(self) -> None:
        """Set the panel as it was made; what is set now can be taken back."""
        p, run = self.parts, self._current().run
        request = _request(run)
        if p.sampling.request().model != request.model and not p.models.choose(request.model):
            self._filing.show_entry(p.catalog.find(request.model))
        p.window.bring_up("sampling")
        p.sampling.set_request(request)
        p.window.say(tr("The settings of {} are set.").format(run.title))

    def copy_command(self) -> None:
        """The line that makes it in a terminal."""
        request = _request(self._current().run)
        self._rows.copy_request(request, self.parts.catalog.find(request.model))

    def show_in_folder(self) -> None:
        """The folder of its trace."""
        row = self._current()
        if row.missing:
            raise BadFile(self._gone(row.run))
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(row.run.file.parent)))

    def rename(self) -> None:
        """Ask for a name."""
        self._ask_details([self._current().run], "name")

    def note(self) -> None:
        """Ask for tags and a note; of several runs for tags that all of them get."""
        self._with_chosen(lambda runs: self._ask_details(runs, "note"))

    def _ask_details(self, runs: Sequence[Run], at: str) -> None:
        from diffstudio.gui.dialogs.run_details import RunDetails

        def save(name: str, tags: list[str], note: str) -> None:
            self.parts.library.change(lambda library, stop: _write(library, runs, name, tags, note))

        dialog = RunDetails(runs, self.parts.window, at)
        dialog.saved.connect(save)
        dialog.open()

    def _current(self) -> Row:
        row = self.parts.run_list.current
        if row is None:
            raise BadInput(tr("Choose one run."))
        return row

    def _gone(self, run: Run) -> str:
        return tr(
            "the trace of this run is not at {} any more: drop it on the window from where it is now, and it is found "
            "again"
        ).format(run.file)

    @Slot(object)
    def _found_again(self, trace: Trace | None) -> None:
        """A trace was opened: where the library misses it, it has it again."""
        if trace is None or self.parts.runs.running:
            return
        path = trace.path

        def look(library: Library, stop: Stop) -> bool:
            missed = [run for run in library.by_header(glance(path).digest) if run.missing]
            if missed:
                library.update(missed[0].id, file=path)
            return bool(missed)

        def found(again: bool) -> None:
            if again:
                self.parts.library.changed.emit()
                self.parts.window.say(tr("The library has found this run again."))

        self.parts.library.ask("", look, found)

    # ── several ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def star(self) -> None:
        """Star them; where all have one, take it away."""
        numbers = self.parts.run_list.chosen

        def work(library: Library, stop: Stop) -> None:
            runs = list(library.at(numbers).values())
            library.star([run.id for run in runs], not all(run.star for run in runs))

        self.parts.library.change(work)

    def delete(self) -> None:
        """Put them into the trash."""
        numbers = self.parts.run_list.chosen
        if not numbers or self.parts.run_list.in_trash:
            return

        def work(library: Library, stop: Stop) -> list[str]:
            return trash.delete(library, [run.id for run in library.at(numbers).values()])

        def done(keys: list[str]) -> None:
            said = tr("A run that is being recorded stays.")
            if keys:
                self._deleted.append(keys)
                said = tr("Deleted {}.").format(runs_text(len(keys)))
            self.parts.run_list.say(said, bool(keys))
            self.parts.run_list.chosenChanged.emit()

        self.parts.library.change(work, done)

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if not self._deleted:
            self.parts.window.say(tr("No run was deleted that could come back."))
            return
        self._bring_back(self._deleted.pop())

    def restore(self) -> None:
        """Bring the chosen ones back from the trash."""
        self._with_chosen(lambda runs: self._bring_back([run.id for run in runs]))

    def _bring_back(self, keys: list[str]) -> None:
        def work(library: Library, stop: Stop) -> int:
            there = [key for key in keys if library.has(key)]
            trash.restore(library, there)
            return len(there)

        def done(many: int) -> None:
            self._deleted = [left for old in self._deleted if (left := [key for key in old if key not in keys])]
            said = tr("{} restored.").format(runs_text(many)) if many else tr("They are deleted for good.")
            self.parts.run_list.say(said, bool(self._deleted))
            self.parts.run_list.chosenChanged.emit()

        self.parts.library.change(work, done)

    def toggle_trash(self) -> None:
        """Show the trash, or the runs again."""
        panel = self.parts.run_list
        self.parts.window.bring_up("run_list")
        panel.show_trash(not panel.in_trash)
        self.parts.window.set_checked("runs_trash", panel.in_trash)

    def empty(self) -> None:
        """Ask, then delete what is in the trash for good."""
        self.parts.library.ask("", lambda lib, stop: (lib.count(Query(trash=True)), lib.bytes(True)), self._ask_empty)

    def _ask_empty(self, found: tuple[int, int]) -> None:
        from diffstudio.gui.dialogs.questions import Question

        p, (many, taken) = self.parts, found
        if not many:
            p.run_list.say(tr("The trash is empty."))
            return
        sentence = tr("Delete {} for good? {} become free, and nothing brings them back.")
        question = Question(
            p.window, tr("Empty the trash"), sentence.format(runs_text(many), size(taken)), tr("Delete for good")
        )

        def done(freed: int) -> None:
            self._deleted.clear()
            p.run_list.say(tr("{} are free again.").format(size(freed)))

        def answered(yes: bool) -> None:
            if yes:
                p.library.change(lambda library, stop: trash.empty_trash(library), done)

        question.answered.connect(answered)
        question.open()

    # ── in and out ──────────────────────────────────────────────────────────────────────────────────────────────────

    def export(self) -> None:
        """Ask for a file, and write the chosen ones into it."""
        self._with_chosen(self._ask_export)

    def _ask_export(self, runs: list[Run]) -> None:
        p = self.parts
        name = runs[0].id if len(runs) == 1 else f"{len(runs)}-runs"

        def write(library: Library, stop: Stop) -> bool:
            return all(not stop() for _ in pack(runs, path[0]))

        path: list[Path] = []

        def start(chosen: Path) -> None:
            path.append(chosen)
            p.settings.last_export = str(chosen.parent)
            p.window.say(tr("Exporting…"))
            p.library.work(write, lambda whole: whole and self._filing.say_saved(chosen), self._refused)

        ask_where(p.window, tr("Export runs"), p.settings.export_start / f"{name}{BUNDLE}", tr("Runs"), start)

    def bring(self) -> None:
        """Ask for files, and bring their runs in."""
        p = self.parts
        kinds = f"{tr('Runs and traces')} (*{BUNDLE} *{SUFFIX})"
        names, _ = QFileDialog.getOpenFileNames(p.window, tr("Import runs"), p.settings.last_folder, kinds)
        if names:
            p.settings.last_folder = str(Path(names[0]).parent)
            self.import_files([Path(name) for name in names])

    def import_files(self, files: Sequence[Path]) -> None:
        """Bring in the runs of bundles, and copies of traces."""
        p = self.parts

        def work(library: Library, stop: Stop) -> int:
            many = 0
            for file in files:
                found = [take_in(library, file, copy=True)] if file.suffix == SUFFIX else unpack(library, file)
                for _ in found:
                    many += 1
                    if stop():
                        return many
            return many

        def done(many: int) -> None:
            p.library.changed.emit()
            p.window.bring_up("run_list")
            p.window.say(tr("{} imported.").format(runs_text(many)))

        def refused(sentence: str) -> None:
            p.library.changed.emit()  # what came before it is there
            self._refused(sentence)

        p.window.say(tr("Importing…"))
        p.library.work(work, done, refused)

    def _refused(self, sentence: str) -> None:
        self.parts.window.say("")
        show_error(self.parts.window, sentence)

    def _with_chosen(self, then: Callable[[list[Run]], object]) -> None:
        """Look up the runs that are chosen, in the order of the list; there may be more than are in memory."""
        numbers = self.parts.run_list.chosen

        def look(library: Library, stop: Stop) -> list[Run]:
            found = library.at(numbers)
            return [found[number] for number in numbers if number in found]

        def found(runs: list[Run]) -> None:
            if runs:
                then(runs)

        self.parts.library.ask("", look, found)


def _request(run: Run) -> Request:
    """How it was made. Raises: BadInput: another version made it."""
    try:
        return Request.model_validate(run.request)
    except ValidationError as error:
        raise BadInput(tr("the settings of this run are not understood: another version made it")) from error


def _write(library: Library, runs: Sequence[Run], name: str, tags: list[str], note: str) -> None:
    """What the user says of runs; of several the tags are added."""
    keys = [run.id for run in runs]
    if len(runs) == 1:
        library.rename(keys[0], name)
        library.annotate(keys[0], note)
        for tag in set(runs[0].tags) - set(tags):
            library.tag(keys, tag, on=False)
    for tag in tags:
        library.tag(keys, tag)
