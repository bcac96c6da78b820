"""Where a run starts: noise, data, a file, the last sample, this step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.titles import title
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import Combo
from diffstudio.gui.panels.sampling.source_file import FirstLook, SourceFile
from diffstudio.gui.panels.sampling.source_sample import SampleChoice
from diffstudio.modalities import Meaning, Placing
from diffstudio.studio.request.request import Request
from diffstudio.user_files import exists

ROWS = (
    ("noise", "Noise", "The reverse chain starts from pure noise of the seed."),
    ("data", "Data sample", "Samples of the training data are noised, then denoised again."),
    ("file", "My file", "What is in your file is noised, then denoised again."),
    ("last", "Last sample", "The final samples of this run are noised, then denoised again."),
    ("step", "This step", "The reverse chain continues from the step at the playhead."),
)


class SourceField(QWidget):
    """The choice, and for a file how it is taken."""

    changed = Signal()
    browse = Signal()  # the user wants to choose a file
    wanted = Signal(str, object)  # a question for the background: its kind, and what finds the answer
    lookWanted = Signal(object, object)  # a file and a meaning: answered by `take_look` or `forget`

    def __init__(self) -> None:
        super().__init__()
        self.looks_later = False  # whether somebody answers `lookWanted`; else files are looked at here
        self.combo = Combo([(name, tr(choice), tr(tip)) for name, choice, tip in ROWS])
        self.combo.setAccessibleName(title("source"))
        self.sample = SampleChoice()
        self.own = own = SourceFile()
        self.name, self.choose, self.problem = own.name, own.choose, own.problem
        self.fit, self.part, self.span, self.invert = own.fit, own.part, own.span, own.invert
        self._trace: Path | None = None
        self._step = 0
        self._shown = "noise"
        self._meaning = Meaning("image", (1, 1, 1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.combo)
        layout.addWidget(self.sample)
        layout.addWidget(self.own)
        self.sample.changed.connect(self._on_sample)
        self.combo.changed.connect(self._on_changed)
        self.own.changed.connect(self.changed)
        self.own.browse.connect(self.browse)
        self.own.wanted.connect(self.wanted)
        self.set_trace(None, complete=False)
        self._on_changed()

    def set_file(self, path: Path, meaning: Meaning, found: FirstLook | None = None) -> None:
        """Use a file as the source; its fit and colours are guessed from what it holds: found, where it is known.

        Raises:
            BadInput, BadFile: it can't be used with such a model.
        """
        self._meaning = meaning
        self.own.hold(path, meaning, found)
        self.combo.set_value("file")
        self._on_changed()

    def take_look(self, path: Path, meaning: Meaning, found: FirstLook) -> None:
        """What is in the file that is held; dropped where it is another, or for another model, by now."""
        if self._awaits(path, meaning):
            self.own.hold(path, meaning, found)
            self.changed.emit()

    def forget(self, path: Path, meaning: Meaning) -> None:
        """The file that is held can't be used with such a model."""
        if self._awaits(path, meaning):
            self._let_go()
            self._on_changed()

    def _awaits(self, path: Path, meaning: Meaning) -> bool:
        return self.own.looking and path == self.own.file and meaning is self._meaning

    def _let_go(self) -> None:
        self.own.forget()
        if self.combo.value() == "file":
            self.combo.set_value("noise")

    def check_file(self, meaning: Meaning) -> None:
        """Another model was chosen: forget a file that does not fit it."""
        self._meaning = meaning
        if self.own.file is not None and not self._can_hold(self.own.file):
            self._let_go()

    def _can_hold(self, path: Path) -> bool:
        """Hold a file, if it is one for the model; where it is looked at later, until that is known."""
        if self.looks_later:
            if not exists(path):
                return False
            self.own.await_look(path, self._meaning)
            self.lookWanted.emit(path, self._meaning)
            return True
        try:
            self.own.hold(path, self._meaning)
        except DiffStudioError:
            return False
        return True

    @Slot(str, object)
    def take_answer(self, kind: str, answer: object) -> None:
        """What the background has read."""
        self.own.take_answer(kind, answer)

    @property
    def placing(self) -> Placing:
        """Where a mask of the source's own size lies."""
        return self.own.placing if self.combo.value() == "file" else Placing()

    def set_trace(self, path: Path | None, complete: bool) -> None:
        """What "last sample" and "this step" refer to."""
        self._trace = path
        reason = tr("Generate something first.")
        self.combo.set_enabled("last", path is not None and complete, reason)
        self.combo.set_enabled("step", path is not None, reason)
        if path is None and self.combo.value() in ("last", "step"):
            self.combo.set_value("noise")

    def set_step(self, k: int) -> None:
        """The playhead."""
        self._step = k

    def set_has_data(self, has_data: bool) -> None:
        """Whether the model carries a data set to draw from."""
        self.combo.set_enabled("data", has_data, tr("This model names no data set that is here."))
        if not has_data and self.combo.value() == "data":
            self.combo.set_value("noise")

    def fields(self) -> dict[str, object]:
        """The request's fields: source, its sample, and those of a file or a step."""
        chosen = self.sample.value() if self.combo.value() != "noise" else None
        return self._source() | ({} if chosen is None else {"source_sample": chosen})

    def _source(self) -> dict[str, object]:
        name = self.combo.value()
        if name == "file" and self.own.file is not None:
            return {"source": "file", **self.own.fields()}
        if name == "last" and self._trace is not None:
            return {"source": "file", "source_file": str(self._trace)}
        if name == "step" and self._trace is not None:
            return {"source": "step", "source_file": str(self._trace), "source_step": self._step}
        return {"source": "data" if name == "data" else "noise"}

    def set_fields(self, request: Request) -> None:
        """Show a request's source as far as it can be used here: a file that is gone, or of another kind, is noise."""
        name, path = request.source, Path(request.source_file or "")
        shown: str = name
        if name == "file" and path != self.own.file:
            shown = "last" if path == self._trace else "file" if self._can_hold(path) else "noise"
        elif name == "step" and path != self._trace:
            shown = "noise"
        if shown == "file":
            self.own.show_request(request)
        self.combo.set_value(shown)
        self.sample.set_value(request.source_sample if shown == name or shown == "last" else None)

    def value(self) -> str:
        """The choice: one of ROWS."""
        return self.combo.value()

    def set_value(self, name: str) -> None:
        """Choose."""
        self.combo.set_value(name)

    @Slot()
    def _on_sample(self) -> None:
        self.sample.show_for(self.combo.value())
        self.changed.emit()

    @property
    def needs_file(self) -> bool:
        """Whether "My file" is chosen and there is none yet."""
        return self.combo.value() == "file" and self.own.file is None

    @Slot()
    def _on_changed(self) -> None:
        if self.combo.value() != self._shown:
            self._shown = self.combo.value()
            self.sample.set_value(None)  # the number was of another source
        self.sample.show_for(self._shown)
        self.own.setVisible(self._shown == "file")
        self.changed.emit()
