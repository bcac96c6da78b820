"""Garbage is looked for by the window's thread alone, between events.

Python looks for it in whichever thread makes the next object. On a worker's thread that can destroy a Qt object of the
window while the window's own thread is inside it, and the process ends with a segmentation fault.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from PySide6.QtCore import QObject, QTimer, Slot

TICK_MS = 250

_holds: list[None] = []  # one for each `held` that is open; appending and removing are atomic


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Nothing looks for garbage in here, on any thread; what was made by the end stays, nobody looks through it."""
    enabled = gc.isenabled()
    gc.disable()
    _holds.append(None)
    try:
        yield
    finally:
        gc.freeze()
        _holds.pop()
        if enabled:
            gc.enable()


class Collector(QObject):
    """Does what Python does by itself, by its thresholds, but here; from `start` on."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """What there is stays; look for garbage among what comes."""
        gc.freeze()
        self._timer.start()

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()

    @Slot()
    def _on_tick(self) -> None:
        if _holds:
            return
        full = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        # The oldest that is full is looked through together with those younger than it.
        oldest = max((generation for generation, is_full in enumerate(full) if is_full), default=None)
        if oldest is not None:
            gc.collect(oldest)
