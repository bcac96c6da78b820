"""Sounds at the playhead: waveform and spectrogram of the batch or of one sample, and a button that plays it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QScrollBar, QWidget

from diffstudio.errors import BadFile
from diffstudio.gui.theme import Tokens
from diffstudio.gui.views import legend
from diffstudio.gui.views.attention import Attention
from diffstudio.gui.views.audio_scene import AudioScene
from diffstudio.gui.views.sounds import KIND, Found, Sounds
from diffstudio.gui.views.speaker import Speaker
from diffstudio.gui.words import SHY, count, tr
from diffstudio.modalities.audio import HEARD
from diffstudio.modalities.mel import spec_of
from diffstudio.studio import pictures
from diffstudio.traces.reader import Trace

FOOTER = 34


class AudioView(QWidget):
    """Draws records of audio traces. `wanted` carries kind and question for `gui.background`."""

    readoutChanged = Signal()
    sampleClicked = Signal(int)
    singleWanted = Signal(bool)
    wanted = Signal(str, object)
    options: tuple[str, ...] = ()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Sounds at the playhead"))
        self._scene = AudioScene(tokens)
        self.sounds = Sounds(self)
        self.speaker = Speaker(tokens, self)
        self._attention = Attention(self)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.setAccessibleName(tr("Scroll the samples"))
        self._bar.hide()
        self._foot = QWidget(self)
        line = QHBoxLayout(self._foot)
        line.setContentsMargins(8, 2, 12, 4)
        line.addWidget(self.speaker.button)
        line.addStretch(1)
        self._attention.moved.connect(self.readoutChanged)
        self._bar.valueChanged.connect(self._changed)
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
        scene = self._scene
        scene.trace, scene.k = trace, -1
        scene.spec = None if trace is None else spec_of(trace.meaning)
        self._lay_out()

    def show_record(self, k: int) -> None:
        """Show a record."""
        if k != self._scene.k:
            self._scene.k = k
            self._changed()

    def refresh(self) -> None:
        """More records exist: what is drawn of one does not change."""

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        self._scene.tensor = name
        self._changed()

    def set_sample(self, index: int) -> None:
        """Frame a sample, and scroll to it."""
        self._scene.sample = index
        if self._scene.grid is not None:
            self._bar.setValue(self._scene.grid.scroll_to(index, self._bar.value()))
        self._changed()

    def set_option(self, name: str, on: bool) -> None:
        """There are none: ValueError."""
        raise ValueError(f"sounds have no option '{name}'")

    def set_single(self, single: bool) -> None:
        """The selected sample alone, with axes; or the batch."""
        if single != self._scene.single:
            self._scene.single = single
            self._lay_out()

    def fit(self) -> None:
        """Undo scrolling."""
        self._bar.setValue(0)

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._scene.tokens = tokens
        self.speaker.apply_theme(tokens)
        self._changed()

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        ratio = self.devicePixelRatioF()
        out = QImage(int(self.width() * ratio), int((self.height() - FOOTER) * ratio), QImage.Format.Format_RGB32)
        out.setDevicePixelRatio(ratio)
        out.fill(QColor(self._scene.tokens.bg))
        painter = QPainter(out)
        painter.setFont(legend.small(self.font()))
        self._scene.paint(painter, self.sounds.get, ratio)
        painter.end()
        return out

    def readout(self) -> str:
        """The sample under the cursor (else the selected one), and time, frequency and value there."""
        scene = self._scene
        if not scene.ready or scene.trace is None:
            return ""
        scene.compose()
        found = self._under_cursor()
        shown = (found[0] if found else scene.sample) + 1
        parts = [tr("sample {} of {}").format(count(shown), count(scene.trace.batch))]
        if found:
            parts.append(scene.value_text(*found))
        if scene.raster is not None and scene.raster.not_finite:
            parts.append(tr("{} not finite").format(count(scene.raster.not_finite)))
        return f" {SHY} ".join(parts)

    # -- sound

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

    def _changed(self) -> None:
        scene = self._scene
        scene.scroll = self._bar.value()
        scene.changed()
        self.sounds.show(scene.trace, scene.k, scene.tensor, scene.visible)
        heard = scene.tensor in HEARD
        self.speaker.set_reason("" if heard else tr("Only x_t and x̂0 have a sound"))
        self.update()
        self.readoutChanged.emit()

    def _lay_out(self) -> None:
        """The grid for the present room, and the range of the scroll bar."""
        scene = self._scene
        scene.room = max(1, self.width()), max(1, self.height() - FOOTER)
        scene.lay_out()
        limit = 0 if scene.grid is None or scene.single else scene.grid.scroll_limit
        self._bar.setVisible(limit > 0)
        self._bar.setRange(0, limit)
        if scene.grid is not None:
            self._bar.setPageStep(scene.grid.view)
            self._bar.setSingleStep(scene.grid.height + scene.grid.gap)
        self._changed()

    def _under_cursor(self) -> tuple[int, int | None, float] | None:
        """Sample, band, seconds under the cursor."""
        at = self._attention.cursor
        return None if at is None else self._scene.under(at.x(), at.y())

    # -- painting and mouse

    def paintEvent(self, event: QPaintEvent) -> None:
        scene = self._scene
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(scene.tokens.bg))
        painter.setFont(legend.small(self.font()))
        painter.setClipRect(0, 0, self.width(), self.height() - FOOTER)
        scene.paint(painter, self.sounds.get, self.devicePixelRatioF())
        if not scene.single:
            self._paint_frames(painter)
        painter.setClipping(False)
        if scene.problem:
            legend.paint_message(painter, QRectF(self.rect()).adjusted(24, 24, -24, -24), scene.problem, scene.tokens)
        self._paint_notes(painter)
        if self._attention.focus_shown:
            legend.paint_focus(painter, QRectF(self.rect()), scene.tokens)

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
        gain = pictures.display_gain(scene.trace, scene.k) if scene.tensor == "xt" else 1.0
        note = legend.gain_note(gain) or (tr("finding the sound…") if self.sounds.waiting else "")
        legend.paint_note(painter, box, note, scene.tokens)
        if scene.raster.limit is not None:
            legend.paint_bar(painter, box, scene.raster.limit, scene.tokens)

    def resizeEvent(self, event: QResizeEvent) -> None:
        width = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - width, 0, width, self.height() - FOOTER)
        self._foot.setGeometry(0, self.height() - FOOTER, self._foot.sizeHint().width(), FOOTER)
        self._lay_out()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.speaker.check()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._under_cursor()
        if event.button() == Qt.MouseButton.LeftButton and found and not self._scene.single:
            self.sampleClicked.emit(found[0])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (self._scene.single or self._under_cursor()):
            self.singleWanted.emit(not self._scene.single)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._bar.event(event)  # it knows the user's settings for wheels and touchpads
