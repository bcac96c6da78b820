"""How long the window does not answer while it generates: the gaps between the ticks of a precise 5 ms timer.

python tests/benchmarks/gap.py
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from table import Row, percentile, report, worst
from window import open_window, until

from diffstudio.gui.app import Studio

RUNS = 4
TICK_MS = 5


class Watchdog(QObject):
    """Notes the milliseconds between the ticks of the window's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """Watch from now on; earlier gaps are forgotten."""
        self.gaps, self._last = [], time.perf_counter()
        self._timer.start(TICK_MS)

    def stop(self) -> list[float]:
        """The gaps, the one that goes on included."""
        self._on_tick()
        self._timer.stop()
        return self.gaps

    @Slot()
    def _on_tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last))
        self._last = now


def generate(studio: Studio, watchdog: Watchdog) -> list[float]:
    """The gaps of one run, from the press of Generate to the end."""
    watchdog.start()
    studio.commands.run("generate")
    until(studio.parts.runs.ended)
    return watchdog.stop()


def measure() -> list[Row]:
    """torch's import; the first run, which loads the model and builds the canvas, and more runs; digits and points."""
    with open_window() as studio:
        watchdog = Watchdog()
        watchdog.start()
        studio.parts.runs.warm_up()
        until(studio.parts.runs.warmed)
        importing = watchdog.stop()
        gaps = [gap for _ in range(RUNS) for gap in generate(studio, watchdog)]
        studio.parts.models.choose("shapes-2d")
        points = [gap for _ in range(RUNS) for gap in generate(studio, watchdog)]
    return [
        worst("event-loop gap, the one-time import of torch", importing, "ms", 300),
        percentile(f"event-loop gap, {RUNS} runs of digits", gaps, "ms", 16),
        worst("the worst of them", gaps, "ms", 100),
        percentile(f"event-loop gap, {RUNS} runs of points", points, "ms", 16),
        worst("the worst of them", points, "ms", 100),
    ]


if __name__ == "__main__":
    report(measure)
