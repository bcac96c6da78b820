"""A file to start from: its name, what is read of it in small, and how it is taken."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.titles import title
from diffstudio.gui.kit.widgets import ElidedLabel, label
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.sampling.source_choices import FitCombo, PartCombo, SpanCombo
from diffstudio.modalities import Fit, Meaning, Placing, SourceInfo, Taken, Taking
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import read_source

PREVIEW = 64  # pixels of a side
_OPTION = re.compile(r" \(--[^)]*\)")
QUESTION = "source preview"  # of the background


class _Found(NamedTuple):
    """What was read in the background, and how it was asked for."""

    path: Path
    taking: Taking
    taken: Taken | None
    picture: np.ndarray | None
    problem: str


class FirstLook(NamedTuple):
    """What a file holds for a model, and the fit that is proposed."""

    fit: Fit | None
    taken: Taken


def first_look(path: Path, meaning: Meaning) -> FirstLook:
    """Read a file of the user's own for such a model; it may take a while.

    Raises:
        BadInput, BadFile: it can't be used with such a model.  Cancelled.
    """
    kind = meaning.kind
    # Points are fitted only where they must be; a fit changes nothing of a picture that needs none.
    first = Taking() if kind.cloud or not kind.fits else Taking(kind.fits[0])
    taken = read_source(path, meaning, first)
    if not kind.cloud:
        return FirstLook(first.fit, taken)
    if taken.rows is not None:
        return FirstLook("keep", taken)
    return FirstLook(kind.fits[0], read_source(path, meaning, Taking(kind.fits[0])))


class SourceFile(QWidget):
    """Emits `changed` when it is to be taken otherwise, and `wanted` with a question for the background."""

    changed = Signal()
    browse = Signal()
    wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.name = ElidedLabel("", "dim", Qt.TextElideMode.ElideMiddle)
        self.choose = QPushButton(tr("Choose…"))
        self.choose.setToolTip(tr("Choose a file of data; dropping one on the window does the same."))
        self.picture = QLabel()
        self.picture.setFixedSize(PREVIEW, PREVIEW)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName(tr("What is read of the file"))
        self.fit, self.part, self.span = FitCombo(), PartCombo(), SpanCombo()
        self.invert = QCheckBox(title("source_invert"))
        self.invert.setToolTip(tr("For ink on white paper: the model knows white strokes on black."))
        self.problem = label("", "dim")
        self.problem.setWordWrap(True)
        self.file: Path | None = None
        self.looking = False  # somebody looks at the file
        self._asked: Request | None = None  # how it is to be taken then
        self.info: SourceInfo | None = None
        self._meaning = Meaning("image", (1, 1, 1))
        self._loading = False
        self._build()
        self.fit.changed.connect(self._on_changed)
        self.part.changed.connect(self._on_changed)
        self.span.changed.connect(self._on_changed)
        self.invert.toggled.connect(self._on_changed)
        self.choose.clicked.connect(self.browse)
        self.forget()

    def _build(self) -> None:
        line = QHBoxLayout()
        line.addWidget(self.name, 1)
        line.addWidget(self.choose)
        choices = QVBoxLayout()
        choices.setSpacing(4)
        for widget in (self.fit, self.part, self.span):
            choices.addWidget(widget)
        choices.addStretch(1)
        beside = QHBoxLayout()
        beside.setSpacing(6)
        beside.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        beside.addLayout(choices, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        layout.addLayout(beside)
        layout.addWidget(self.invert)
        layout.addWidget(self.problem)

    def hold(self, path: Path, meaning: Meaning, found: FirstLook | None = None) -> None:
        """Use a file; its fit and colours are guessed from what it holds, or are those that a request has asked for.

        found: by `first_look`, where somebody has looked already.

        Raises:
            BadInput, BadFile: it can't be used with such a model.
        """
        fit, taken = found or first_look(path, meaning)
        asked, self._asked, self.looking = self._asked, None, False
        self._name_file(path, meaning)
        self._loading = True
        self._offer(taken.info, fit)
        self.invert.setChecked(taken.info.looks_inverted)
        self._loading = False
        self._show(taken.info, taken.rows)
        if asked is not None and asked.source_file == str(path):
            self.show_request(asked)

    def await_look(self, path: Path, meaning: Meaning) -> None:
        """Hold a file that somebody looks at meanwhile, who calls `hold` or `forget`."""
        self.forget()
        self._name_file(path, meaning)
        self.looking = True
        self.problem.setText(tr("Looking at the file…"))
        self.problem.setVisible(True)

    def _name_file(self, path: Path, meaning: Meaning) -> None:
        self._meaning, self.file = meaning, path
        self.name.setText(path.name)
        self.name.setToolTip("<qt>" + str(path).replace("&", "&amp;").replace("<", "&lt;"))

    def forget(self) -> None:
        """No file."""
        self.file, self.info, self._asked, self.looking = None, None, None, False
        self.name.setText(tr("No file yet"))
        self.name.setToolTip(tr("Drop a file on the window, or choose one."))
        for part in (self.picture, self.fit, self.part, self.span, self.invert, self.problem):
            part.setVisible(False)

    def taking(self) -> Taking:
        """How the file is taken; what is not offered is not asked for."""
        if self._asked is not None:
            return self._asked.taking
        if self.info is None:
            return Taking()
        return Taking(
            self.fit.fit() if self.info.fittings else None,
            self.span.span(),
            self.part.value() or None if self._has_parts(self.info) else None,
            self.invert.isChecked() and self._meaning.kind.invertible,
        )

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        how = self.taking()
        return {
            "source_file": str(self.file), "source_fit": how.fit, "source_invert": how.invert,
            "source_range": how.span, "source_part": how.part,
        }  # fmt: skip

    def show_request(self, request: Request) -> None:
        """Show how a request takes the file, once it is known what can be chosen."""
        if self.looking:
            self._asked = request
            return
        self._loading = True
        if request.source_fit is not None:
            self.fit.set_value(request.source_fit)
        self.invert.setChecked(request.source_invert)
        self.part.set_value(request.source_part or "")
        self.span.set_span(request.source_range)
        self.span.setVisible(request.source_range is not None or (self.info is not None and self.info.span is not None))
        self._loading = False
        self._ask()

    @property
    def placing(self) -> Placing:
        """Where the file is placed: what a mask of its own size follows."""
        if self.info is None or len(self.info.size) != 2:
            return Placing()
        return Placing((self.info.size[1], self.info.size[0]), self.taking().fit)

    @Slot(str, object)
    def take_answer(self, kind: str, answer: object) -> None:
        """What the background has read."""
        if kind != QUESTION or not isinstance(answer, _Found):
            return
        if answer.path != self.file or answer.taking != self.taking():
            return  # it is taken otherwise by now
        if answer.taken is None:
            self.problem.setText(answer.problem)
            self.problem.setVisible(True)
            return
        self._tell(answer.taken.info)
        if answer.picture is not None:
            self._paint(answer.picture)

    def _offer(self, info: SourceInfo, fit: Fit | None) -> None:
        """What can be chosen of another file."""
        self.info = info
        if info.fittings:
            self.fit.offer(info.fittings, fit)
        self.part.offer(info)
        self.span.set_span(None)
        self.fit.setVisible(bool(info.fittings))
        self.part.setVisible(self._has_parts(info))
        self.span.setVisible(info.span is not None)
        self.invert.setVisible(self._meaning.kind.invertible)

    @staticmethod
    def _has_parts(info: SourceInfo) -> bool:
        return len(info.parts) > 1 or info.part_name in ("frame", "seconds")

    def _show(self, info: SourceInfo, rows: np.ndarray | None) -> None:
        from diffstudio.studio.app.preview import preview

        self._tell(info)
        if rows is not None:
            shown = -rows if self.invert.isChecked() and self._meaning.kind.invertible else rows
            self._paint(preview(self._meaning, shown, PREVIEW))

    def _tell(self, info: SourceInfo) -> None:
        self.info = info
        phrases = filter(None, (info.sentence.split(":")[0], *info.remarks))
        # Options of the command line are fields beside it here.
        said = "\n".join(f"{_capital(_OPTION.sub('', phrase))}." for phrase in phrases)
        self.problem.setText(said)
        self.problem.setVisible(bool(said))

    def _paint(self, picture: np.ndarray) -> None:
        height, width = picture.shape[:2]
        data = np.ascontiguousarray(picture)
        shown = QPixmap.fromImage(QImage(data.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888))
        ratio = self.devicePixelRatioF()
        room = QSize(PREVIEW, PREVIEW) * ratio
        smooth = Qt.TransformationMode.SmoothTransformation if max(width, height) > PREVIEW * ratio else None
        way = smooth or Qt.TransformationMode.FastTransformation
        scaled = shown.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, way)
        scaled.setDevicePixelRatio(ratio)
        self.picture.setPixmap(scaled)
        self.picture.setVisible(True)

    @Slot()
    def _on_changed(self) -> None:
        if not self._loading and self.file is not None:
            self._ask()
            self.changed.emit()

    def _ask(self) -> None:
        """Read it as it is taken now, in the background."""
        if self.file is not None:
            self.wanted.emit(QUESTION, partial(_find, self.file, self._meaning, self.taking()))


def _find(path: Path, meaning: Meaning, taking: Taking, stop: object) -> _Found:
    from diffstudio.studio.app.preview import preview

    try:
        taken = read_source(path, meaning, taking)
    except DiffStudioError as error:
        return _Found(path, taking, None, None, str(error))
    picture = None if taken.rows is None else preview(meaning, taken.rows, PREVIEW)
    return _Found(path, taking, Taken(taken.info, None), picture, "")


def _capital(phrase: str) -> str:
    """The phrase as a sentence of its own; a file's name stays as it is written."""
    first = phrase.split(" ", 1)[0]
    return phrase if "." in first else phrase[:1].upper() + phrase[1:]
