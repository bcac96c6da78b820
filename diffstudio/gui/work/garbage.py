"""While there are worker threads, garbage is looked for by the window's thread alone, between events.

Python looks for it in whichever thread makes the next object. On a worker's thread that destroys Qt objects of the
window while the window's own thread is inside Qt: both wait for the other for ever (Qt's lock of connections against
the interpreter's), or the process ends with a segmentation fault. Both were seen.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from PySide6.QtCore import QObject, QTimer, Slot

TICK_MS = 250

_holds: list[None] = []  # one for each `held` that is open; appending and removing are atomic
_workers: list[None] = []  # one for each worker thread, from the window's thread alone
_collector: Collector | None = None  # while there are workers


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Nothing looks for garbage in here, on any thread; what was made by the end stays, nobody looks through it."""
    _holds.append(None)
    _apply()
    try:
        yield
    finally:
        gc.freeze()
        _holds.pop()
        _apply()


def worker_begins() -> None:
    """A worker thread is about to begin. From the window's thread, as `worker_ended`."""
    global _collector
    _workers.append(None)
    if _collector is None:
        _collector = Collector()
    _apply()


def worker_ended() -> None:
    """A worker thread has ended; after the last one Python looks for garbage by itself again."""
    global _collector
    _workers.pop()
    if not _workers:
        _collector = None
    _apply()


def _apply() -> None:
    (gc.disable if _holds or _workers else gc.enable)()


class Collector(QObject):
    """Does what Python does by itself, by its thresholds, but on the thread that made it."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Collect the oldest generation that is full, with those younger than it, unless that is held."""
        if _holds:
            return
        full = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        oldest = max((generation for generation, is_full in enumerate(full) if is_full), default=None)
        if oldest is not None:
            gc.collect(oldest)
