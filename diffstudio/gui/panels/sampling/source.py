"""Where a run starts: noise, data, a file, the last sample, this step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.widgets import ElidedLabel, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import Combo
from diffstudio.modalities import FITS, Meaning, SourceInfo
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import inspect_source, is_known

ROWS = (
    ("noise", "Noise", "The reverse chain starts from pure noise of the seed."),
    ("data", "Data sample", "Samples of the training data are noised, then denoised again."),
    ("file", "My file", "What is in your file is noised, then denoised again."),
    ("last", "Last sample", "The final samples of this run are noised, then denoised again."),
    ("step", "This step", "The reverse chain continues from the step at the playhead."),
)


class SourceField(QWidget):
    """The choice, and for a file its name, how it is fitted, and black for white."""

    changed = Signal()
    browse = Signal()  # the user wants to choose a file
    lookWanted = Signal(object, object)  # a file and a meaning: answered by `take_look` or `forget`

    def __init__(self) -> None:
        super().__init__()
        self.looks_later = False  # whether somebody answers `lookWanted`; else files are looked at here
        self._looking = False  # at the file that is held
        self._asked: tuple[str | None, bool] | None = None  # fit and colours that a request has, until that is over
        self.combo = Combo([(name, tr(title), tr(tip)) for name, title, tip in ROWS])
        self.combo.setAccessibleName(tr("Start from"))
        self.name = ElidedLabel("", "dim", Qt.TextElideMode.ElideMiddle)
        self.choose = QPushButton(tr("Choose…"))
        self.choose.setToolTip(tr("Choose a file of data; dropping one on the window does the same."))
        self.fit = Combo(
            [(name, tr(f"Fit: {name}"), tr("What is done to a picture of another size.")) for name in FITS]
        )
        self.fit.setAccessibleName(tr("Fit the picture"))
        self.invert = QCheckBox(tr("Exchange black and white"))
        self.invert.setToolTip(tr("For ink on white paper: the model knows white strokes on black."))
        self.problem = label("", "dim")
        self.problem.setWordWrap(True)
        self._meaning = Meaning("image", (1, 1, 1))
        self._file: Path | None = None
        self._trace: Path | None = None
        self._step = 0
        line = QHBoxLayout()
        line.addWidget(self.name, 1)
        line.addWidget(self.choose)
        self._more = QWidget()
        more = QVBoxLayout(self._more)
        more.setContentsMargins(0, 0, 0, 0)
        more.setSpacing(4)
        more.addLayout(line)
        more.addWidget(self.fit)
        more.addWidget(self.invert)
        more.addWidget(self.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.combo)
        layout.addWidget(self._more)
        self.combo.changed.connect(self._on_changed)
        self.fit.changed.connect(self.changed)
        self.invert.toggled.connect(self.changed)
        self.choose.clicked.connect(self.browse)
        self.set_trace(None, complete=False)
        self._on_changed()

    def set_file(self, path: Path, meaning: Meaning) -> None:
        """Use a file as the source; its fit and colours are guessed from what it holds.

        Raises:
            BadInput, BadFile: it can't be used with such a model.
        """
        self._meaning = meaning
        self._hold(path)
        self.combo.set_value("file")
        self._on_changed()

    def take_look(self, path: Path, meaning: Meaning, info: SourceInfo) -> None:
        """What is in the file that is held; dropped where it is another, or for another model, by now."""
        if path != self._file or meaning is not self._meaning:
            return
        self._show_info(info)
        if self._asked is not None:
            fit, invert = self._asked
            self.fit.set_value(fit or self.fit.value())
            self.invert.setChecked(invert)
        self._looking, self._asked = False, None
        self.changed.emit()

    def forget(self, path: Path, meaning: Meaning) -> None:
        """The file that is held can't be used with such a model."""
        if path == self._file and meaning is self._meaning:
            self._file, self._looking, self._asked = None, False, None
            if self.combo.value() == "file":
                self.combo.set_value("noise")
            self._on_changed()

    def _hold(self, path: Path) -> None:
        if self.looks_later and not is_known(path, self._meaning):
            self._file, self._looking, self._asked = path, True, None
            self._name_file(path)
            self.problem.setText(tr("Looking at the file…"))
            self.problem.setVisible(True)
            self.fit.setVisible(False)
            self.invert.setVisible(False)
            self.lookWanted.emit(path, self._meaning)
            return
        info = inspect_source(path, self._meaning)
        self._file, self._looking, self._asked = path, False, None
        self._name_file(path)
        self._show_info(info)

    def _name_file(self, path: Path) -> None:
        self.name.setText(path.name)
        self.name.setToolTip("<qt>" + str(path).replace("&", "&amp;").replace("<", "&lt;"))

    def _show_info(self, info: SourceInfo) -> None:
        self.problem.setText(info.note if info.fits else info.sentence.split(":")[0] + ".")
        self.problem.setVisible(bool(info.note) or not info.fits)
        self.fit.setVisible(not info.fits)
        self.invert.setVisible(self._meaning.kind.invertible)
        self.invert.setChecked(info.looks_inverted)

    def check_file(self, meaning: Meaning) -> None:
        """Another model was chosen: forget a file that does not fit it."""
        self._meaning = meaning
        if self._file is not None and not self._can_hold(self._file):
            self._file = None
            if self.combo.value() == "file":
                self.combo.set_value("noise")

    def _can_hold(self, path: Path) -> bool:
        try:
            self._hold(path)
        except DiffStudioError:
            return False
        return True

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
        """The request's fields: source, source_file, source_step, source_fit, source_invert."""
        name = self.combo.value()
        if name == "file" and self._file is not None:
            fit = self.fit.value() if self.fit.isVisibleTo(self) else self._asked[0] if self._asked else None
            return {
                "source": "file",
                "source_file": str(self._file),
                "source_fit": fit,
                "source_invert": self.invert.isChecked(),
            }
        if name == "last" and self._trace is not None:
            return {"source": "file", "source_file": str(self._trace)}
        if name == "step" and self._trace is not None:
            return {"source": "step", "source_file": str(self._trace), "source_step": self._step}
        return {"source": "data" if name == "data" else "noise"}

    def set_fields(self, request: Request) -> None:
        """Show a request's source as far as it can be used here: a file that is gone, or of another kind, is noise."""
        name, path = request.source, Path(request.source_file or "")
        shown: str = name
        if name == "file" and path != self._file:
            shown = "last" if path == self._trace else "file" if self._can_hold(path) else "noise"
        elif name == "step" and path != self._trace:
            shown = "noise"
        if shown == "file":
            self.fit.set_value(request.source_fit or self.fit.value())
            self.invert.setChecked(request.source_invert)
            self._asked = (request.source_fit, request.source_invert) if self._looking else None
        self.combo.set_value(shown)

    def value(self) -> str:
        """The choice: one of ROWS."""
        return self.combo.value()

    def set_value(self, name: str) -> None:
        """Choose."""
        self.combo.set_value(name)

    @property
    def needs_file(self) -> bool:
        """Whether "My file" is chosen and there is none yet."""
        return self.combo.value() == "file" and self._file is None

    @Slot()
    def _on_changed(self) -> None:
        is_file = self.combo.value() == "file"
        self._more.setVisible(is_file)
        if is_file and self._file is None:
            self.name.setText(tr("No file yet"))
            self.name.setToolTip(tr("Drop a file on the window, or choose one."))
        if self._file is None:
            for part in (self.fit, self.invert, self.problem):
                part.setVisible(False)
        self.changed.emit()
