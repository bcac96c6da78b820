"""The film strip's pictures: drawn a few at a time between events, and kept."""

from __future__ import annotations

import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPixmap

from diffstudio.errors import BadFile
from diffstudio.gui.kit.theme import Tokens
from diffstudio.modalities.points import Bounds
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

BUDGET_SECONDS = 0.002  # of the window's thread at a time; beside a run it takes longer
PAUSE_MS = 8  # between two such times while a run goes: what it shows and the events of the user come first
CACHE_BYTES = 48 << 20
# A cloud costs by its area and its points (1.4 ms at 72 px): larger cells are enlarged from these sides.
CLOUD_SIDE, ARROWS_SIDE, ARROWS_POINTS = 128, 96, 250
BOUNDS_CHANGE = 0.02  # smaller changes of a cloud's bounds are not worth drawing anew


@dataclass(frozen=True)
class _Key:
    trace: int
    record: int
    tensor: str
    sample: int
    side: int
    theme: str
    within: Bounds | None


class Thumbnails(QObject):
    """Pictures of a trace's records as squares; what is missing is drawn in the order in which it was asked for."""

    ready = Signal(int)  # this record's picture is there

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._trace: Trace | None = None
        self._numbers: weakref.WeakKeyDictionary[Trace, int] = weakref.WeakKeyDictionary()
        self._count = 0
        self._tensor, self._sample = "xt", 0
        self._side, self._ratio = 0, 1.0
        self._within: Bounds | None = None
        self._within_final = False
        self._kept: OrderedDict[_Key, QPixmap | None] = OrderedDict()
        self._bytes = 0
        self._queue: deque[int] = deque()
        self._held = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._work)
        self.set_tokens(tokens)

    @property
    def busy(self) -> bool:
        """Whether pictures are still to be drawn."""
        return self._timer.isActive()

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; what was drawn of this one before is still there."""
        self._trace, self._within, self._within_final = trace, None, False
        if trace is not None and trace not in self._numbers:
            self._count += 1
            self._numbers[trace] = self._count
        self._forget_wishes()
        self.refresh()

    def set_what(self, tensor: str, sample: int) -> None:
        """Show another tensor or sample."""
        self._tensor, self._sample = tensor, sample
        self._forget_wishes()

    def set_side(self, side: int, ratio: float) -> None:
        """side: in logical pixels; ratio: device pixels in one of them."""
        self._side, self._ratio = side, ratio
        self._forget_wishes()

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw in another theme's colours."""
        self._theme = tokens.name
        self._look = pictures.Look(tokens.dark, _rgb(tokens.bg), _rgb(tokens.lane_a))
        self._forget_wishes()

    def refresh(self) -> None:
        """Choose the square in which clouds are drawn: at the first record, and again once the last one is there."""
        trace = self._trace
        if trace is None or not trace.meaning.kind.cloud or self._within_final or not len(trace):
            return
        if self._within is not None and not trace.complete:
            return
        try:
            found = pictures.bounds(trace)
        except BadFile:
            return
        self._within_final = trace.complete
        if self._within is None or abs(found[2] - self._within[2]) > BOUNDS_CHANGE * self._within[2]:
            self._within = found

    def get(self, record: int) -> QPixmap | None:
        """The picture, if it is there; None too where it can't be drawn."""
        key = self._key(record)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def want(self, records: Iterable[int]) -> None:
        """Draw what is missing of these, in this order, instead of what was wanted before."""
        length = len(self._trace) if self._trace is not None else 0
        missing = (record for record in records if record < length and self._key(record) not in self._kept)
        self._queue = deque(dict.fromkeys(missing))
        if self._queue and self._side > 0:
            self._go_on()
        else:
            self._timer.stop()

    def hold(self, held: bool) -> None:
        """Draw nothing for a while: a run begins, and what is missing of the one before will hardly be seen."""
        self._held = held
        if self._queue and not held:
            self._go_on()

    @Slot()
    def _work(self) -> None:
        if self._held:
            return
        end = time.perf_counter() + BUDGET_SECONDS
        while self._queue:
            record = self._queue.popleft()
            if self._key(record) not in self._kept:
                self._keep(self._key(record), self._draw(record))
                self.ready.emit(record)
            if time.perf_counter() >= end:
                break
        if self._queue:
            self._go_on()

    def _go_on(self) -> None:
        self._timer.start(0 if self._trace is None or self._trace.complete else PAUSE_MS)

    def _draw(self, record: int) -> QPixmap | None:
        trace = self._trace
        if trace is None or record >= len(trace):
            return None
        side = max(1, round(self._side * self._ratio))
        try:
            pixels = _picture(
                trace, record, self._tensor, min(self._sample, trace.batch - 1), side, self._look, self._within
            )
        except (BadFile, KeyError, IndexError, ValueError):  # cut or foreign files: an empty frame says it
            return None
        height, width, _ = pixels.shape
        pixels = np.ascontiguousarray(pixels)
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        pixmap = QPixmap.fromImage(image)
        if width != side:
            smooth = Qt.TransformationMode.SmoothTransformation
            pixmap = pixmap.scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        pixmap.setDevicePixelRatio(self._ratio)
        return pixmap

    def _keep(self, key: _Key, pixmap: QPixmap | None) -> None:
        self._kept[key] = pixmap
        self._bytes += _bytes(pixmap)
        while self._bytes > CACHE_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _bytes(oldest)

    def _key(self, record: int) -> _Key:
        number = self._numbers[self._trace] if self._trace is not None else 0
        side = round(self._side * self._ratio)
        return _Key(number, record, self._tensor, self._sample, side, self._theme, self._within)

    def _forget_wishes(self) -> None:
        self._queue.clear()
        self._timer.stop()


def _picture(
    trace: Trace, k: int, name: str, sample: int, side: int, look: pictures.Look, within: Bounds | None
) -> np.ndarray:
    if not trace.meaning.kind.cloud:
        return pictures.thumbnail(trace, k, name, sample, side, look)
    if name in pictures.SIGNED:
        few = slice(0, min(trace.batch, ARROWS_POINTS))
        return pictures.cloud(trace, k, name, min(side, ARROWS_SIDE), look, few, within or pictures.bounds(trace))
    return pictures.thumbnail(trace, k, name, sample, min(side, CLOUD_SIDE), look, within)


def _bytes(pixmap: QPixmap | None) -> int:
    return 0 if pixmap is None else pixmap.width() * pixmap.height() * 4


def _rgb(colour: str) -> tuple[int, int, int]:
    c = QColor(colour)
    return c.red(), c.green(), c.blue()
