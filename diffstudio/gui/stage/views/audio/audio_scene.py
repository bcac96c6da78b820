"""Where the sounds of a batch lie, a waveform above each spectrogram, and how they are drawn. No widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import count, number, tr
from diffstudio.gui.stage.views.audio.waveform import paint_waveform
from diffstudio.gui.stage.views.grid import Grid, layout
from diffstudio.gui.stage.views.raster import Raster, raster, to_image
from diffstudio.modalities.audio import WIDE
from diffstudio.modalities.mel import mel_hertz
from diffstudio.specs import AudioSpec
from diffstudio.traces.reader import Trace

WAVE, GAP = 22, 2  # rows of a cell above its spectrogram, in bands
AXIS = (48, 18)  # logical pixels beside and below a single spectrogram
MARGIN = 12
TICKS = (125, 250, 500, 1000, 2000, 4000, 8000, 16_000)  # Hz
SoundOf = Callable[[int], "np.ndarray | None"]


@dataclass(frozen=True)
class Cell:
    """Where one sample is drawn, in logical pixels."""

    sample: int
    wave: QRectF
    picture: QRectF

    @property
    def whole(self) -> QRectF:
        """Both."""
        return self.wave.united(self.picture)


class AudioScene:
    """The samples that are shown of a record. room: logical pixels."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.trace: Trace | None = None
        self.spec: AudioSpec | None = None
        self.k, self.sample = -1, 0
        self.tensor = "xt"
        self.single = False
        self.scroll = 0
        self.room: tuple[int, int] = (1, 1)
        self.grid: Grid | None = None
        self.raster: Raster | None = None
        self.problem = ""
        self._stale = True

    def changed(self) -> None:
        """What was read no longer holds."""
        self._stale = True

    def lay_out(self) -> None:
        """Find the grid for the present trace and room."""
        self.grid = None
        if self.trace is not None:
            bands, frames = self.trace.sample_shape[1:]
            # Cells in the proportion of a spectrogram with its waveform, in quarters of its pixels.
            wide, high = WIDE * frames, bands + WAVE + GAP
            self.grid = layout(self.trace.batch, -(-wide // 4), -(-high // 4), *self.room)
        self.changed()

    @property
    def ready(self) -> bool:
        """Whether there is a record to show."""
        return self.trace is not None and self.grid is not None and 0 <= self.k < len(self.trace)

    @property
    def visible(self) -> tuple[int, int]:
        """First sample that is shown, and one past the last."""
        if self.single or self.grid is None:
            return self.sample, self.sample + 1
        return self.grid.visible(self.scroll)

    def cells(self) -> list[Cell]:
        """Those that are shown."""
        if self.trace is None or self.grid is None:
            return []
        if self.single:
            return [self._alone()]
        bands = self.trace.sample_shape[1]
        found = []
        for i in range(*self.visible):
            x, y, width, height = self.grid.cell(i, self.scroll)
            top = round(height * WAVE / (bands + WAVE + GAP))
            below = round(height * bands / (bands + WAVE + GAP))
            found.append(Cell(i, QRectF(x, y, width, top), QRectF(x, y + height - below, width, below)))
        return found

    def _alone(self) -> Cell:
        left, right = MARGIN + AXIS[0], self.room[0] - MARGIN
        bottom = self.room[1] - MARGIN - AXIS[1]
        width, high = max(1, right - left), max(1, (bottom - MARGIN) // 4)
        picture = QRectF(left, MARGIN + high + GAP * 4, width, max(1, bottom - MARGIN - high - GAP * 4))
        return Cell(self.sample, QRectF(left, MARGIN, width, high), picture)

    def compose(self) -> None:
        """Bring `raster` and `problem` up to date."""
        if not self._stale:
            return
        self._stale, self.raster, self.problem = False, None, ""
        first, last = self.visible
        if not self.ready or first == last:
            return
        assert self.trace is not None
        try:
            self.raster = raster(self.trace, self.k, self.tensor, slice(first, last), self.tokens.dark)
        except (BadFile, IndexError) as error:
            self.problem = str(error)

    # -- drawing

    def paint(self, painter: QPainter, sound_of: SoundOf, ratio: float) -> None:
        """Spectrograms, and the waveforms that are found."""
        self.compose()
        if self.raster is None:
            return
        first = self.visible[0]
        for cell in self.cells():
            pixels = np.ascontiguousarray(self.raster.pixels[cell.sample - first][::-1])  # low frequencies below
            painter.drawImage(cell.picture, to_image(pixels))
            sound = sound_of(cell.sample)
            if sound is not None:
                paint_waveform(painter, cell.wave, sound, self.tokens.lane_a, ratio)
            else:
                self._paint_silence(painter, cell.wave)
            if self.single:
                self._paint_axes(painter, cell.picture)

    def _paint_silence(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(QColor(self.tokens.border))
        painter.drawLine(QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y()))

    def _paint_axes(self, painter: QPainter, box: QRectF) -> None:
        """Frequencies at the left, seconds below."""
        assert self.trace is not None
        if self.spec is None:
            return
        bands, frames = self.trace.sample_shape[1:]
        hertz = mel_hertz(bands, self.spec.rate)[1:-1]
        painter.setPen(QColor(self.tokens.text_dim))
        beside = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        last = box.bottom() + 20
        for tick in TICKS:
            if not hertz[0] <= tick <= hertz[-1]:
                continue
            band = float(np.interp(tick, hertz, np.arange(bands)))
            y = box.bottom() - (band + 0.5) / bands * box.height()
            if last - y >= 16:
                text = tr("{} kHz").format(number(tick / 1000, 0)) if tick >= 1000 else tr("{} Hz").format(count(tick))
                painter.drawText(QRectF(box.left() - AXIS[0] - 6, y - 8, AXIS[0], 16), int(beside), text)
                last = y
        seconds = frames * self.spec.hop / self.spec.rate
        for i in range(5):
            x = box.left() + i / 4 * box.width()
            text = tr("{} s").format(number(seconds * i / 4, 2))
            centred = QRectF(min(x - 30, box.right() - 50), box.bottom() + 2, 60, AXIS[1])
            painter.drawText(centred, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), text)

    # -- what lies where

    def under(self, x: float, y: float) -> tuple[int, int | None, float] | None:
        """Sample, band and seconds at a position; no band above the spectrogram. None between the cells."""
        for cell in self.cells():
            if cell.whole.contains(x, y):
                assert self.trace is not None
                bands, frames = self.trace.sample_shape[1:]
                box = cell.picture
                share = (box.bottom() - y) / max(1.0, box.height())
                band = min(bands - 1, int(share * bands)) if box.contains(x, y) else None
                along = min(1.0, max(0.0, (x - box.left()) / max(1.0, box.width())))
                return cell.sample, band, along * frames * (self.spec.hop / self.spec.rate if self.spec else 1.0)
        return None

    def value_text(self, index: int, band: int | None, seconds: float) -> str:
        """0.21 s · 812 Hz · −0.83: the recorded value, not what the screen clips it to."""
        assert self.trace is not None and self.spec is not None
        parts = [tr("{} s").format(number(seconds, 2))]
        if band is not None:
            bands, frames = self.trace.sample_shape[1:]
            hertz = mel_hertz(bands, self.spec.rate)[1:-1]
            frame = min(frames - 1, int(seconds * self.spec.rate / self.spec.hop))
            parts.append(tr("{} Hz").format(number(float(hertz[band]), 0)))
            parts.append(self._value(index, band, frame))
        return "  ".join(part for part in parts if part)

    def _value(self, index: int, band: int, frame: int) -> str:
        assert self.trace is not None
        try:
            return number(float(fields.tensor(self.trace, self.k, self.tensor, index)[0, band, frame]))
        except (BadFile, IndexError):
            return ""
