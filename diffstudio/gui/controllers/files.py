"""Files in and out of the window: opening, sources, checkpoints, export, the clipboard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.gui.controllers.catalog import Picking
from diffstudio.gui.controllers.mask import MASKS
from diffstudio.gui.controllers.pasting import pasted_paths
from diffstudio.gui.dialogs.message import show_error
from diffstudio.gui.dialogs.saving import ask_where
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.shell.parts import Parts
from diffstudio.gui.work.jobs import Ended, Job, Stop
from diffstudio.studio.request.parse import read_betas
from diffstudio.studio.request.plan import guides
from diffstudio.studio.sources import inspect_source
from diffstudio.traces.reader import Trace

if TYPE_CHECKING:
    from diffstudio.gui.controllers.opening import Opened
    from diffstudio.modalities import Meaning
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.export.options import ExportOptions
    from diffstudio.studio.request.request import Request


class Filing(QObject):
    """What the actions of the File menu do, and what a dropped file means."""

    def __init__(self, parts: Parts, picking: Picking) -> None:
        super().__init__(parts.window)
        self.parts, self.picking = parts, picking
        self._export: tuple[int, str] | None = None
        self._decoded: deque[str] = deque()  # the targets of the exports that decode, one after the other
        parts.window.dropped.connect(self.open_paths)
        parts.sampling.advanced.betas.browse.connect(self.choose_betas)
        parts.files.progressed.connect(self._on_file_progress)
        parts.files.ended.connect(self._on_file_ended)
        parts.runs.exporting.connect(parts.window.say)
        parts.runs.exported.connect(self._on_exported)

    def open(self) -> None:
        """Ask for a file of any kind."""
        kinds = "*.safetensors *.trace *.png *.jpg *.jpeg *.webp *.tif *.tiff *.gif *.bmp *.npy *.npz *.csv *.wav *.txt"
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
        for path in paths:
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
        from diffstudio.gui.controllers.opening import read

        p = self.parts
        meaning = p.sampling.card.meaning if p.sampling.card else None
        self._read(path, partial(read, path, p.catalog, meaning, p.runs.folder / MASKS), self._take)

    def _take(self, found: Opened) -> None:
        """What was opened has been read."""
        p, path = self.parts, found.path
        if found.trace is not None:
            if p.runs.running:
                found.trace.close()
                raise BadFile(tr("A run goes on: stop it first, then open the trace."))
            p.runs.show_trace(found.trace)
        elif found.kind == "folder":
            self.picking.add_folder(path.absolute())
        elif found.request is not None and found.entry is not None:
            self._offer_settings(found, found.request, found.entry)
        elif found.entry is not None:
            if not self.picking.add_file(found.entry):
                self.show_entry(found.entry)  # at once; the list will follow
        else:
            p.sampling.set_source_file(path)
        p.settings.remember_recent(str(path))
        p.window.set_recent(p.settings.recent)

    def _start_from(self, path: Path) -> None:
        """Take a file as the source, once it has been looked at for the model that is chosen then."""
        p = self.parts
        if p.sampling.card is not None:
            look = partial(inspect_source, path, p.sampling.card.meaning)
            self._read(path, look, lambda _: p.sampling.set_source_file(path))

    @Slot(object, object)
    def look_at_source(self, path: Path, meaning: Meaning) -> None:
        """The panel holds a file that it has not looked at for such a model."""
        field = self.parts.sampling.source
        look = partial(inspect_source, path, meaning)
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

    def _offer_settings(self, found: Opened, request: Request, entry: Entry) -> None:
        from diffstudio.gui.controllers.opening import differences
        from diffstudio.gui.dialogs.questions import RestoreQuestion

        p = self.parts
        question = RestoreQuestion(p.window, found.path.name, differences(p.sampling.request(), request), found.note)

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
        start = Path(p.settings.last_folder or Path.home()) / f"{self._stem()}.trace"
        path = ask_where(p.window, tr("Save trace"), start, f"{tr('Traces')} (*.trace)", ".trace")
        if path is not None:
            self.write(path, ExportOptions(kind="trace"))

    def export(self) -> None:
        """Ask what to export."""
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
        folder = Path(p.settings.last_folder) if p.settings.last_folder else Path.home()
        dialog = ExportDialog(trace, p.window, start, folder, self._stem())
        dialog.wanted.connect(self.write)
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
        p.settings.last_folder = str(path.parent)
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
            self.parts.window.say(tr("Saved {}").format(self._export[1]))

    @Slot(object)
    def _on_exported(self, ended: Ended) -> None:
        path = self._decoded.popleft()
        if ended.outcome == "failed":
            self.parts.window.say("")
            show_error(self.parts.window, ended.error, ended.details)
        else:
            said = tr("Saved {}") if ended.outcome == "done" else tr("Stopped: {} was not written.")
            self.parts.window.say(said.format(path))

    def copy_picture(self) -> None:
        """The canvas to the clipboard."""
        QGuiApplication.clipboard().setImage(self.parts.canvas.picture())
        self.parts.window.say(tr("Picture copied."))

    def copy_text(self, every: bool) -> None:
        """The texts on the canvas to the clipboard, or the selected one."""
        text = self.parts.canvas.text(every)
        if text:
            QGuiApplication.clipboard().setText(text)
            self.parts.window.say(tr("Texts copied.") if every else tr("Text copied."))

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


def _decoding(engine: Engine, run: Path, path: Path, options: ExportOptions, folder: Path) -> Job:
    """Decode and write; told is how far it is. By then the window may show another run: this one is opened anew."""

    def job(stop: Stop) -> Iterator[str]:
        from diffstudio.studio.export.run import export_run

        with Trace.open(run) as trace:
            for done, total in export_run(engine, trace, path, options, folder, stop):
                yield tr("Decoding: {} of {}").format(count(done), count(total))

    return job
