"""Files in and out of the window: opening, sources, checkpoints, export, the clipboard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog

from diffstudio.checkpoints.finding import SUFFIXES
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.controllers.foreign import Foreign
from diffstudio.gui.controllers.pasting import pasted_paths
from diffstudio.gui.controllers.restoring import Restoring
from diffstudio.gui.controllers.saving import ask_where
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.sampling.source_file import first_look
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Ended, Job, Stop
from diffstudio.modalities import own_suffixes
from diffstudio.studio.export.naming import proposed
from diffstudio.studio.library.bundle import BUNDLE
from diffstudio.studio.request.parse import read_betas
from diffstudio.studio.request.plan import guides
from diffstudio.traces.checked import open_checked
from diffstudio.traces.reader import Trace

if TYPE_CHECKING:
    from diffstudio.gui.panels.sampling.source_file import FirstLook
    from diffstudio.modalities import Meaning
    from diffstudio.studio.app.opening import Opened
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.export.options import ExportOptions


class Filing(QObject):
    """What the actions of the File menu do, and what a dropped file means."""

    runsGiven = Signal(object)  # list[Path], files of exported runs

    def __init__(self, parts: Parts, picking: Picking) -> None:
        super().__init__(parts.window)
        self.parts, self.picking = parts, picking
        self.saved: Path | None = None  # what was exported last
        self._export: tuple[int, str] | None = None
        self._decoded: deque[str] = deque()  # the targets of the exports that decode, one after the other
        self._foreign = Foreign(parts, self.show_entry)
        self._restoring = Restoring(parts, self.show_entry)
        parts.window.dropped.connect(self.open_paths)
        parts.sampling.advanced.betas.browse.connect(self.choose_betas)
        parts.files.progressed.connect(self._on_file_progress)
        parts.files.ended.connect(self._on_file_ended)
        parts.runs.exporting.connect(parts.window.say)
        parts.runs.exported.connect(self._on_exported)

    def open(self) -> None:
        """Ask for a file of any kind."""
        weights, own = (" ".join(f"*{suffix}" for suffix in kind) for kind in (SUFFIXES, own_suffixes()))
        kinds = f"{weights} *.trace *.npy *.npz {own}"
        self._ask_open(f"{tr('All that can be opened')} ({kinds});;{tr('All files')} (*)")

    def open_trace(self) -> None:
        """Ask for a trace."""
        self._ask_open(f"{tr('Traces')} (*.trace)")

    def choose_source(self) -> None:
        """Ask for a picture or an array to start from."""
        p = self.parts
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Start from a file"), p.settings.last_folder)
        if path:
            self._start_from(Path(path))

    @Slot()
    def choose_betas(self) -> None:
        """Ask for a text with a table of betas."""
        p = self.parts
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Betas"), p.settings.last_folder)
        if path:
            self._read(Path(path), partial(read_betas, Path(path)), p.sampling.advanced.betas.set_value)

    @Slot(object)
    def open_paths(self, paths: list[Path]) -> None:
        """Open what was dropped or given on the command line."""
        bundles = [path for path in paths if path.suffix.lower() == BUNDLE]
        if bundles:
            self.runsGiven.emit(bundles)
        for path in paths:
            if path not in bundles:
                self._open(path)

    def paste(self) -> None:
        """Open the file or folder whose path the clipboard holds."""
        paths = pasted_paths()
        if not paths:
            self.parts.window.say(tr("The clipboard holds no path of a file or folder that is there."))
        self.open_paths(paths)

    def _ask_open(self, kinds: str) -> None:
        p = self.parts
        path, _ = QFileDialog.getOpenFileName(p.window, tr("Open"), p.settings.last_folder, kinds)
        if path:
            p.settings.last_folder = str(Path(path).parent)
            self._open(Path(path))

    def _open(self, path: Path) -> None:

        from diffstudio.studio.app.opening import look_at

        self._read(path, partial(look_at, path), self._take)

    def _take(self, found: Opened) -> None:
        """What was opened has been looked at."""
        p, path = self.parts, found.path
        if found.kind == "trace":
            self._read(path, partial(open_checked, path), self._show_trace)
        elif found.kind == "checkpoint" and path.is_dir():
            self.picking.open_folder(path.absolute())
        elif found.kind == "checkpoint":
            self.picking.open_file(path.absolute())
        elif found.kind == "folder":
            self.picking.add_folder(path.absolute())
        elif found.kind == "settings":
            self._restoring.offer(found)
        elif found.kind == "foreign" and found.parameters is not None:
            self._foreign.offer(path, found.parameters)
        else:
            self._start_from(path)
        p.settings.remember_recent(str(path))
        p.window.set_recent(p.settings.recent)

    def open_run(self, path: Path) -> None:
        """Show a run of the library."""
        self._read(path, partial(open_checked, path), self._show_trace)

    def _show_trace(self, trace: Trace) -> None:
        """A trace was opened."""
        if self.parts.runs.running:
            trace.close()
            raise BadFile(tr("A run goes on: stop it first, then open the trace."))
        self.parts.runs.show_trace(trace)

    def _start_from(self, path: Path) -> None:
        """Take a file as the source, once it has been looked at for the model that is chosen then."""
        from diffstudio.studio.app.opening import check_role

        p = self.parts
        if p.sampling.card is None:
            return
        meaning = p.sampling.card.meaning

        def look() -> FirstLook:
            check_role(path, "source")
            return first_look(path, meaning)

        def take(found: FirstLook) -> None:
            if p.sampling.card is not None and p.sampling.card.meaning == meaning:
                p.sampling.source.set_file(path, meaning, found)
            else:
                p.sampling.set_source_file(path)

        self._read(path, look, take)

    @Slot(object, object)
    def look_at_source(self, path: Path, meaning: Meaning) -> None:
        """The panel holds a file that it has not looked at for such a model."""
        field = self.parts.sampling.source
        look = partial(first_look, path, meaning)
        self.parts.reading.ask(look, partial(field.take_look, path, meaning), lambda *_: field.forget(path, meaning))

    def _read(self, path: Path, find: Callable[[], Any], take: Callable[[Any], object]) -> None:
        """In the background; meanwhile the window says so."""
        p, said = self.parts, tr("Reading {}…").format(path.name)
        p.window.say(said)

        def quiet() -> None:
            if p.window.message.text() == said:
                p.window.say("")

        def taken(answer: Any) -> None:
            quiet()
            take(answer)

        def refused(sentence: str, details: str) -> None:
            quiet()
            show_error(p.window, sentence, details)

        p.reading.ask(find, taken, refused)

    def show_entry(self, entry: Entry) -> None:
        """A checkpoint was chosen."""
        p = self.parts
        try:
            p.sampling.set_entry(entry, guides(p.catalog, entry))
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
            self.picking.add_folder(Path(folder))

    def save_trace(self) -> None:
        """Keep the trace under a name."""
        from diffstudio.studio.export.options import ExportOptions

        p, trace = self.parts, self.parts.runs.trace
        if trace is None:
            return
        options = ExportOptions(kind="trace")
        start = p.settings.export_start / f"{proposed(trace, options)}.trace"
        ask_where(p.window, tr("Save trace"), start, tr("Traces"), lambda path: self.write(path, options))

    def export(self, alone: bool = False) -> None:
        """Ask what to export. alone: the selected sample is proposed, not all."""
        from diffstudio.gui.dialogs.export import ExportDialog
        from diffstudio.studio.export.options import ExportOptions

        p, trace = self.parts, self.parts.runs.trace
        if trace is None or not len(trace):
            return
        start = ExportOptions(
            tensor=p.canvas.tensor,
            sample=p.canvas.sample,
            record=min(p.playhead.position, len(trace) - 1),
        )
        dialog = ExportDialog(trace, p.window, start, p.settings.export_start, alone)
        dialog.wanted.connect(self.write)
        dialog.preview.asked.connect(p.background.ask)
        p.background.answered.connect(dialog.preview.take)
        dialog.open()

    @Slot(object, object)
    def write(self, path: Path, options: object) -> None:
        """Export in the background; where latents are decoded first, where the model is."""
        from diffstudio.studio.export.options import ExportOptions
        from diffstudio.studio.export.plan import decodes
        from diffstudio.studio.export.write import export

        p, trace = self.parts, self.parts.runs.trace
        if trace is None or not isinstance(options, ExportOptions):
            return
        p.settings.last_export = str(path.parent)
        if decodes(trace, options):
            self._decoded.append(str(path))
            p.window.say(tr("The pictures are written after the run.") if p.runs.running else tr("Exporting…"))
            p.runs.export(_decoding(p.runs.engine, trace.path, path, options, p.runs.folder))
            return

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
        elif ended.outcome == "done" and self._export and self._export[0] == ended.number:
            self.say_saved(Path(self._export[1]))

    @Slot(object)
    def _on_exported(self, ended: Ended) -> None:
        path = self._decoded.popleft()
        if ended.outcome == "failed":
            self.parts.window.say("")
            show_error(self.parts.window, ended.error, ended.details)
        elif ended.outcome == "done":
            self.say_saved(Path(path))
        else:
            self.parts.window.say(tr("Stopped: {} was not written.").format(path))

    def say_saved(self, path: Path) -> None:
        """What was written, and the way to it."""
        self.saved = path
        self.parts.window.say(tr("Saved {}").format(path), "show_saved")

    def show_saved(self) -> None:
        """Open the folder of what was saved last."""
        if self.saved is None:
            self.parts.window.say(tr("Nothing was saved yet."))
            return
        folder = self.saved if self.saved.is_dir() else self.saved.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def copy_picture(self) -> None:
        """The canvas to the clipboard."""
        QGuiApplication.clipboard().setImage(self.parts.canvas.picture())
        self.parts.window.say(tr("Picture copied."))

    def copy_request(self) -> None:
        """The request to the clipboard. Raises: BadInput: a field holds something that can't be used."""
        QGuiApplication.clipboard().setText(self.parts.sampling.checked_request().model_dump_json(indent=2))
        self.parts.window.say(tr("Settings copied as JSON."))


def _decoding(engine: Engine, run: Path, path: Path, options: ExportOptions, folder: Path) -> Job:
    """Decode and write; told is how far it is. By then the window may show another run: this one is opened anew."""

    def job(stop: Stop) -> Iterator[str]:
        from diffstudio.studio.export.run import export_run

        folder.mkdir(parents=True, exist_ok=True)
        with Trace.open(run) as trace:
            for done, total in export_run(engine, trace, path, options, folder, stop):
                yield tr("Decoding: {} of {}").format(count(done), count(total))

    return job
