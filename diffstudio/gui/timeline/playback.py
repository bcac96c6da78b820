"""Playback: a timer that moves the playhead record by record, in the range, once, in a loop or to and fro."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from diffstudio.gui.kit.playhead import Playhead

LOOPS = ("once", "loop", "ping-pong")
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
FRAMES_PER_SECOND = 10.0
REST_MS = 1000  # on the final frame, before a loop begins again
LIVE_SECONDS = 3.0  # without news for this long (or four times what a record took) a run counts as stopped


class Player(QObject):
    """Moves the playhead while playing; somebody else moving it pauses. `speed` is one of SPEEDS, `loop` of LOOPS."""

    playingChanged = Signal(bool)
    settingsChanged = Signal()

    def __init__(self, playhead: Playhead, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._playhead = playhead
        self.loop = "once"
        self.speed = 1.0
        self.direction = 1
        self.planned = 0
        self._moving = False
        self._rested = False
        self._grew_at = self._took = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        playhead.moved.connect(self._on_moved)

    @property
    def playing(self) -> bool:
        """Whether the timer runs."""
        return self._timer.isActive()

    @property
    def bounds(self) -> tuple[int, int]:
        """First and last record that playback visits."""
        last = max(0, self._playhead.length - 1)
        first = min(self._playhead.range_in or 0, last)
        out = self._playhead.range_out
        return first, max(first, last if out is None else min(out, last))

    @property
    def waits(self) -> bool:
        """Whether the end of the records is not the end of the run: more of them are coming."""
        out = self._playhead.range_out
        if self._playhead.length >= self.planned or (out is not None and out < self._playhead.length):
            return False
        return time.monotonic() - self._grew_at < max(LIVE_SECONDS, 4 * self._took)

    def set_planned(self, planned: int) -> None:
        """Another trace; it will have this many records."""
        self.planned = planned
        self.pause()
        self._grew_at, self._took = time.monotonic(), 0.0

    def note_growth(self) -> None:
        """New records have come."""
        now = time.monotonic()
        self._took, self._grew_at = now - self._grew_at, now

    def play(self, direction: int) -> None:
        """Play forwards (+1) or backwards (−1); again in the same direction: twice as fast."""
        if self._playhead.length == 0:
            return
        direction = 1 if direction >= 0 else -1
        if self.playing and direction == self.direction:
            self.faster()
            return
        self.direction = direction
        self._start_inside()
        if not self.playing:
            self._timer.start(self._interval())
            self.playingChanged.emit(True)

    def pause(self) -> None:
        """Stop where the playhead is."""
        if self.playing:
            self._timer.stop()
            self.playingChanged.emit(False)

    def toggle(self) -> None:
        """Pause, or play forwards."""
        if self.playing:
            self.pause()
        else:
            self.play(1)

    @Slot()
    def cycle_loop(self) -> None:
        """The next of LOOPS."""
        self.set_loop(LOOPS[(LOOPS.index(self.loop) + 1) % len(LOOPS)])

    def set_loop(self, loop: str) -> None:
        """Raises: ValueError: not one of LOOPS."""
        if loop not in LOOPS:
            raise ValueError(f"loop is one of {', '.join(LOOPS)}, found {loop!r}")
        if loop != self.loop:
            self.loop = loop
            self.settingsChanged.emit()

    def set_speed(self, speed: float) -> None:
        """Raises: ValueError: not one of SPEEDS."""
        if speed not in SPEEDS:
            raise ValueError(f"speed is one of {SPEEDS}, found {speed!r}")
        if speed != self.speed:
            self.speed = speed
            if self.playing and not self._rested:
                self._timer.setInterval(self._interval())
            self.settingsChanged.emit()

    def faster(self) -> None:
        """The next higher speed."""
        self.set_speed(SPEEDS[min(SPEEDS.index(self.speed) + 1, len(SPEEDS) - 1)])

    def slower(self) -> None:
        """The next lower speed."""
        self.set_speed(SPEEDS[max(SPEEDS.index(self.speed) - 1, 0)])

    @Slot()
    def tick(self) -> None:
        """Go one record on, or do what the end of the range asks for."""
        first, last = self.bounds
        position = self._playhead.position + self.direction
        if first <= position <= last:
            self._go(position)
            return
        if position > last and self.waits:
            return
        if self.loop == "once" or first == last:
            self.pause()
        elif not self._rested:
            self._rested = True
            self._timer.setInterval(REST_MS - self._interval())
        elif self.loop == "loop":
            self._go(first if self.direction > 0 else last)
        else:
            self.direction = -self.direction
            self._go(self._playhead.position + self.direction)

    def _interval(self) -> int:
        return round(1000 / (FRAMES_PER_SECOND * self.speed))

    def _start_inside(self) -> None:
        """Leave follow; begin at the start of the range when at its end or outside of it."""
        first, last = self.bounds
        position = self._playhead.position
        at_end = position >= last and not self.waits if self.direction > 0 else position <= first
        if at_end or not first <= position <= last:
            position = first if self.direction > 0 else last
        self._go(position)

    def _go(self, position: int) -> None:
        self._rested = False
        if self.playing and self._timer.interval() != self._interval():
            self._timer.setInterval(self._interval())
        self._moving = True
        try:
            self._playhead.move_to(position)
        finally:
            self._moving = False

    @Slot(int)
    def _on_moved(self, position: int) -> None:
        if not self._moving:
            self.pause()
