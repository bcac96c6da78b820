"""Clips at the playhead: two axes, the denoising step on the timeline and the frame here."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from diffstudio.errors import BadFile
from diffstudio.gui.kit.actions import tooltip
from diffstudio.gui.kit.icons import icon
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.stage.views import raster
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.video.clip_clock import ClipClock
from diffstudio.gui.stage.views.video.frame_strip import FrameStrip
from diffstudio.gui.stage.views.view import View
from diffstudio.traces.reader import Trace


class VideoView(View):
    """The batch of clips, or one of them, playing at the playhead's step; below, the frames of the selected clip."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tokens = tokens
        self._trace: Trace | None = None
        self._k = -1
        self._tensor = "xt"
        self._sample = 0
        self.clock = ClipClock(self)
        self.images = ImageView(tokens)
        self.images.setAccessibleName(tr("Clips at the playhead"))
        self.strip = FrameStrip(tokens)
        self.play = QPushButton()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self._number = QLabel()
        self._place()
        self._connect()
        self.apply_theme(tokens)

    def _place(self) -> None:
        self.play.setProperty("flat", True)
        self.play.setIconSize(QSize(16, 16))
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setAccessibleName(tr("Frame of the clips"))
        self.slider.setToolTip(tr("The frame that is shown; the denoising step is on the timeline."))
        self._number.setTextFormat(Qt.TextFormat.PlainText)
        self._number.setProperty("kind", "dim")
        line = QHBoxLayout()
        line.setContentsMargins(8, 2, 12, 2)
        line.setSpacing(8)
        line.addWidget(self.play)
        line.addWidget(self.slider, 1)
        line.addWidget(self._number)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.images, 1)
        whole.addLayout(line)
        whole.addWidget(self.strip)

    def _connect(self) -> None:
        self.images.readoutChanged.connect(self.readoutChanged)
        self.images.sampleClicked.connect(self.sampleClicked)
        self.images.singleWanted.connect(self.singleWanted)
        self.play.clicked.connect(self.clock.toggle)
        self.slider.valueChanged.connect(self._on_slider)
        self.strip.frameWanted.connect(self.clock.move_to)
        self.clock.frameChanged.connect(self._show_frame)
        self.clock.playingChanged.connect(self._show_playing)

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        if len(trace.sample_shape) == 4:
            return ""
        return tr("This trace's samples are not clips: their shape is {}.").format(trace.sample_shape)

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self._trace, self._k = trace, -1
        self.images.set_trace(trace)
        length = 0 if trace is None else trace.sample_shape[0]
        self.slider.setRange(0, max(0, length - 1))
        self.clock.set_count(length)
        self._show_frame(self.clock.frame)
        self._fill_strip()

    def show_record(self, k: int) -> None:
        """Show a record."""
        if k != self._k:
            self._k = k
            self.images.show_record(k)
            self._fill_strip()

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        self._tensor = name
        self.images.set_tensor(name)
        self._fill_strip()

    def set_sample(self, index: int) -> None:
        """Frame a clip, scroll to it, and show its frames."""
        self._sample = index
        self.images.set_sample(index)
        self._fill_strip()

    def set_single(self, single: bool) -> None:
        """The selected clip alone, fitted; or the batch."""
        self.images.set_single(single)

    def fit(self) -> None:
        """Undo zoom, pan and scrolling."""
        self.images.fit()

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = self.strip.tokens = tokens
        self.images.apply_theme(tokens)
        self.setStyleSheet(f"VideoView {{ background: {tokens.bg}; }}")
        self._show_playing(self.clock.playing)
        self._fill_strip()

    def picture(self) -> QImage:
        """What is shown, without selection and notes: one frame of the clips."""
        return self.images.picture()

    def readout(self) -> str:
        """The clip under the cursor (else the selected one), the value there, and the zoom."""
        return self.images.readout()

    # -- frames

    def toggle_clip(self) -> None:
        """Play or pause the frames."""
        self.clock.toggle()

    def step_frame(self, delta: int) -> None:
        """So many frames on."""
        self.clock.move_by(delta)

    @Slot(int)
    def _on_slider(self, frame: int) -> None:
        if frame != self.clock.frame:
            self.clock.move_to(frame)

    @Slot(int)
    def _show_frame(self, frame: int) -> None:
        self.images.set_frame(frame)
        self.strip.set_frame(frame)
        self.slider.setValue(frame)
        self._number.setText(tr("frame {} of {}").format(count(frame + 1), count(self.clock.count)))

    @Slot(bool)
    def _show_playing(self, playing: bool) -> None:
        self.play.setIcon(icon("pause" if playing else "play", self._tokens))
        self.play.setAccessibleName(tr("Pause the clips") if playing else tr("Play the clips"))
        self.play.setToolTip(tooltip("clip_play"))

    def _fill_strip(self) -> None:
        """The frames of the selected clip at the playhead's step."""
        trace = self._trace
        if trace is None or not 0 <= self._k < len(trace):
            self.strip.set_clip(None)
            return
        try:
            found = raster.frames(trace, self._k, self._tensor, self._sample, self._tokens.dark)
        except (BadFile, IndexError):
            self.strip.set_clip(None)  # the clips above say what is wrong
            return
        self.strip.set_clip(found.pixels)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.clock.set_seen(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.clock.set_seen(False)
