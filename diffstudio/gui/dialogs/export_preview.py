"""The small picture in the export dialog: what will be written, drawn in the background; what moves, plays."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import QLabel

from diffstudio.errors import DiffStudioError
from diffstudio.gui.kit.words import tr
from diffstudio.gui.work.jobs import Stop
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.preview import Preview, preview
from diffstudio.traces.reader import Trace

KIND = "export-preview"  # of the question
SIDE = 240
About = tuple[str, ExportOptions]


class ExportPreview(QLabel):
    """`asked` carries kind and question for `work.background`; the answer comes to `take`."""

    asked = Signal(str, object)

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self._about: About | None = None
        self._pictures: list[QPixmap] = []
        self._at = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self.setFixedSize(SIDE, SIDE)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAccessibleName(tr("Preview of the export"))

    def show_options(self, options: ExportOptions) -> None:
        """Other choices: what is seen stays until the new picture is drawn."""
        about = str(self._trace.path), options
        if about != self._about:
            self._about = about
            self._ask()

    def _ask(self) -> None:
        if self._about is not None and self.isVisible():
            self.asked.emit(KIND, partial(_find, self._trace, self._about))

    @Slot(str, object)
    def take(self, kind: str, answer: object) -> None:
        """An answer of the background; those to others come here too."""
        if kind != KIND or not isinstance(answer, tuple) or answer[0] != self._about:
            return
        found: Preview = answer[1]
        self._timer.stop()
        self._pictures = [_pixmap(frame, self.devicePixelRatioF()) for frame in found.frames]
        self._at = 0
        if not self._pictures:
            self.setText(found.text)
            return
        self.setPixmap(self._pictures[0])
        if len(self._pictures) > 1:
            self._timer.start(round(1000 / found.fps))

    @property
    def playing(self) -> bool:
        """Whether it has several pictures, one after the other."""
        return self._timer.isActive()

    @Slot()
    def _on_tick(self) -> None:
        self._at = (self._at + 1) % len(self._pictures)
        self.setPixmap(self._pictures[self._at])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)


def _find(trace: Trace, about: About, stop: Stop) -> tuple[About, Preview]:
    try:
        return about, preview(trace, about[1], stop)
    except (DiffStudioError, IndexError) as error:
        return about, Preview(text=str(error))


def _pixmap(drawn, ratio: float) -> QPixmap:
    height, width, _ = drawn.shape
    picture = QImage(drawn.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    side = round(SIDE * ratio)
    large = max(width, height) > side
    how = Qt.TransformationMode.SmoothTransformation if large else Qt.TransformationMode.FastTransformation
    out = QPixmap.fromImage(picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, how))
    out.setDevicePixelRatio(ratio)
    return out
