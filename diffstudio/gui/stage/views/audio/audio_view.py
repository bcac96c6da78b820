"""Sounds at the playhead: waveform and spectrogram of the batch or of one sample, and a button that plays it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painted, painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.audio.audio_scene import AudioScene
from diffstudio.gui.stage.views.audio.sounds import KIND, Found, Sounds
from diffstudio.gui.stage.views.audio.speaker import Speaker
from diffstudio.gui.stage.views.legend import Scale
from diffstudio.gui.stage.views.picture_view import PictureView
from diffstudio.modalities.audio import HEARD
from diffstudio.modalities.mel import spec_of
from diffstudio.traces.reader import Trace

FOOTER = 34


class AudioView(PictureView[AudioScene]):
    """Draws records of audio traces. Sounds are found, and the loudspeaker is held, beside the window."""

    footer = FOOTER

    def __init__(self, tokens: Tokens) -> None:
        super().__init__(AudioScene(tokens), tr("Sounds at the playhead"))
        self.sounds = Sounds(self)
        self.speaker = Speaker(tokens, self)
        self._foot = QWidget(self)
        line = QHBoxLayout(self._foot)
        line.setContentsMargins(8, 2, 12, 4)
        line.addWidget(self.speaker.button)
        line.addStretch(1)
        self.sounds.wanted.connect(self.wanted)
        self.sounds.changed.connect(self._on_sounds)
        self.speaker.wanted.connect(self.wanted)
        self.speaker.found.connect(self.sounds.take)
        self.speaker.pressed.connect(self.toggle_sound)

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        if len(trace.sample_shape) != 3 or trace.sample_shape[0] != 1:
            return tr("This trace's samples are not spectrograms: their shape is {}.").format(trace.sample_shape)
        try:
            spec_of(trace.meaning)
        except BadFile as error:
            return str(error)
        return ""

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self.speaker.stop()
        self.sounds.forget()
        self._scene.spec = None if trace is None else spec_of(trace.meaning)
        super().set_trace(trace)

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self.speaker.apply_theme(tokens)
        super().apply_theme(tokens)

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        ratio = self.devicePixelRatioF()
        out = QImage(int(self.width() * ratio), int((self.height() - FOOTER) * ratio), QImage.Format.Format_RGB32)
        out.setDevicePixelRatio(ratio)
        out.fill(QColor(self._scene.tokens.bg))
        with painter_on(out) as painter:
            painter.setFont(legend.small(self.font()))
            self._scene.paint(painter, self.sounds.get, ratio)
        return out

    def _details(self, found: tuple[int, int | None, float] | None) -> list[str]:
        """Time, frequency and value."""
        scene = self._scene
        parts = [scene.value_text(*found)] if found else []
        if scene.raster is not None and scene.raster.not_finite:
            parts.append(tr("{} not finite").format(count(scene.raster.not_finite)))
        return parts

    # -- sound

    def verbs(self) -> Mapping[str, Callable[[], object]]:
        """The selected sample is heard."""
        return {"play_sound": self.toggle_sound}

    @Slot()
    def toggle_sound(self) -> None:
        """Play the selected sample's sound at this step, or be silent."""
        if self.speaker.sounding:
            self.speaker.stop()
            return
        find, spec = self.sounds.question(self._scene.sample), self._scene.spec
        if find is not None and spec is not None:
            self.speaker.play(find, spec.rate)

    def take_answer(self, kind: str, answer: object) -> None:
        """An answer to what was `wanted`."""
        if kind == KIND and isinstance(answer, Found):
            self.sounds.take(answer)
        else:
            self.speaker.take(kind, answer)

    @Slot()
    def _on_sounds(self) -> None:
        self.speaker.set_reason(self.sounds.problem)
        self.update()

    @Slot()
    def _changed(self) -> None:
        super()._changed()
        scene = self._scene
        self.sounds.show(scene.trace, scene.k, scene.tensor, scene.visible)
        heard = scene.tensor in HEARD
        self.speaker.set_reason("" if heard else tr("Only x_t and x̂0 have a sound"))

    def _under_cursor(self) -> tuple[int, int | None, float] | None:
        """Sample, band, seconds under the cursor."""
        at = self._attention.cursor
        return None if at is None else self._scene.under(at.x(), at.y())

    # -- painting and mouse

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        scene = self._scene
        painter.fillRect(self.rect(), QColor(scene.tokens.bg))
        painter.setFont(legend.small(self.font()))
        painter.setClipRect(0, 0, self.width(), self.height() - FOOTER)
        scene.paint(painter, self.sounds.get, self.devicePixelRatioF())
        if not scene.single:
            self._paint_frames(painter)
        self._paint_outlines(painter)
        painter.setClipping(False)
        self._paint_notes(painter)
        self._paint_problem(painter)

    def _paint_frames(self, painter: QPainter) -> None:
        scene, found = self._scene, self._under_cursor()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for cell in scene.cells():
            selected = cell.sample == scene.sample
            if selected or (found and found[0] == cell.sample):
                painter.setPen(QPen(QColor(scene.tokens.lane_a if selected else scene.tokens.text_dim), 1 + selected))
                painter.drawRect(cell.whole.adjusted(-1, -1, 1, 1))

    def _paint_notes(self, painter: QPainter) -> None:
        scene = self._scene
        if scene.trace is None or scene.raster is None:
            return
        left = self.speaker.button.geometry().right() + 12
        box = QRectF(left, self.height() - FOOTER, self.width() - left - 12, FOOTER)
        notes = (self._note(), tr("finding the sound…") if self.sounds.waiting else "")
        legend.paint_footer(painter, box, " · ".join(filter(None, notes)), self._scales(), scene.tokens)

    def _plain_scale(self) -> Scale:
        """What black and white stand for: no sound, and the loudest that a state can say."""
        spec = self._scene.spec
        if spec is None:
            return super()._plain_scale()
        loudest = tr("{} dB").format(number(20 * math.log10(spec.ceiling), 0, sign=True))
        return legend.grey_scale(tr("silence"), loudest, tr("level"))

    def _boxes(self) -> list[tuple[int, QRectF]]:
        return [(cell.sample, cell.picture) for cell in self._scene.cells()]

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._foot.setGeometry(0, self.height() - FOOTER, self._foot.sizeHint().width(), FOOTER)
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.speaker.check()
