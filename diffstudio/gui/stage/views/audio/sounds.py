"""The sounds of a trace's records: found beside the window once the playhead rests, and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from diffstudio.errors import BadFile
from diffstudio.gui.work.jobs import Stop
from diffstudio.modalities.audio import HEARD
from diffstudio.modalities.mel import spec_of, to_sound
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

KIND = "sounds"  # of the question
REST_MS = 120  # the playhead stays that long before a sound is worth finding
KEPT = 64  # records
MOST = 64  # samples found at a time


@dataclass(frozen=True)
class About:
    """Which sounds: of samples `first` to `last` (exclusive) of a record."""

    trace: int
    record: int
    tensor: str
    first: int
    last: int


@dataclass(frozen=True)
class Found:
    """The answer: sounds (last − first, samples), or why there are none."""

    about: About
    sounds: np.ndarray | None
    problem: str = ""


class Sounds(QObject):
    """Asks for the sounds of what is shown. `wanted` carries kind and question for `gui.background`."""

    wanted = Signal(str, object)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[About, Found] = OrderedDict()
        self._trace: Trace | None = None
        self._about: About | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._ask)

    def show(self, trace: Trace | None, record: int, tensor: str, samples: tuple[int, int]) -> None:
        """What is at the playhead now; its sounds come with `changed`, at once if they are kept."""
        self._timer.stop()
        self._trace, self._about = trace, None
        if trace is None or tensor not in HEARD or not 0 <= record < len(trace):
            return
        first, last = samples
        self._about = About(id(trace), record, tensor, first, min(last, first + MOST))
        if self._about not in self._kept:
            self._timer.start()

    def forget(self) -> None:
        """Another trace may have the number of one that is gone."""
        self._kept.clear()

    def get(self, sample: int) -> np.ndarray | None:
        """The sound (samples,) of a sample that is shown; None while it is not found."""
        found = self._kept.get(self._about) if self._about is not None else None
        if found is None or found.sounds is None or not found.about.first <= sample < found.about.last:
            return None
        return found.sounds[sample - found.about.first]

    @property
    def problem(self) -> str:
        """Why there are no sounds, or ""."""
        found = self._kept.get(self._about) if self._about is not None else None
        return "" if found is None else found.problem

    @property
    def waiting(self) -> bool:
        """Whether sounds of what is shown are still to come."""
        return self._about is not None and self._about not in self._kept

    def question(self, sample: int):
        """What finds the sound of one sample that is shown, kept or not: find(stop) → Found; None where it has none."""
        about, trace, kept = self._about, self._trace, self.get(sample)
        if about is None or trace is None:
            return None
        one = About(about.trace, about.record, about.tensor, sample, sample + 1)
        if kept is not None:
            return lambda stop: Found(one, kept[None])
        return lambda stop: find(trace, one, stop)

    @Slot()
    def _ask(self) -> None:
        about, trace = self._about, self._trace
        if about is not None and trace is not None:
            self.wanted.emit(KIND, lambda stop: find(trace, about, stop))

    def take(self, found: Found) -> None:
        """An answer; kept also if something else is shown by now."""
        self._kept[found.about] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        if found.about == self._about:
            self.changed.emit()


def find(trace: Trace, about: About, stop: Stop) -> Found:
    """The sounds, found on another thread; unfinished ones where `stop` says that nobody waits."""
    try:
        rows = pictures.displayed(trace, about.record, about.tensor, slice(about.first, about.last))
        return Found(about, to_sound(rows, spec_of(trace.meaning), stop=stop))
    except (BadFile, IndexError) as error:
        return Found(about, None, str(error))
