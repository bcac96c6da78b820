"""The timeline: transport row, film strip and curve lanes, for both chains on one axis."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QSize, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline.clocks import CLOCKS
from diffstudio.gui.timeline.legend import Legend
from diffstudio.gui.timeline.playback import LOOPS, Player
from diffstudio.gui.timeline.reading import read
from diffstudio.gui.timeline.track import Track
from diffstudio.gui.timeline.transport import Transport
from diffstudio.traces.reader import Trace


class Timeline(QWidget):
    """Shows a trace and moves the playhead. The window's actions call its methods; it has no shortcuts of its own."""

    playingChanged = Signal(bool)
    clockChanged = Signal(str)
    menuWanted = Signal(QPoint)  # of the step at the playhead, at a place on the screen

    def __init__(self, playhead: Playhead, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playhead = playhead
        self._trace: Trace | None = None
        self._clock = "step"
        self._tensor, self._sample = "xt", 0
        self._player = Player(playhead, self)
        self.transport = Transport(self._player, playhead, tokens)
        self.legend = Legend(tokens)
        self.track = Track(playhead, tokens)
        self.setAccessibleName(tr("Timeline"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 4)
        layout.setSpacing(2)
        layout.addWidget(self.transport)
        layout.addWidget(self.legend)
        layout.addWidget(self.track, 1)
        self._player.playingChanged.connect(self.playingChanged)
        self.transport.clockChosen.connect(self.set_clock)
        self.track.taken.connect(self.pause)
        self.track.menuWanted.connect(self.menuWanted)
        playhead.moved.connect(self._on_moved)

    @property
    def playing(self) -> bool:
        """Whether playback runs."""
        return self._player.playing

    @property
    def loop(self) -> str:
        """What happens at the end: one of playback.LOOPS."""
        return self._player.loop

    @property
    def speed(self) -> float:
        """How fast it plays, or would: 1 is ten records a second; one of playback.SPEEDS."""
        return self._player.speed

    @property
    def clock(self) -> str:
        """What places along the axis mean: one of clocks.CLOCKS."""
        return self._clock

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace, or none."""
        self._trace = trace
        self.track.hold_pictures(False)
        self._player.set_planned(trace.planned if trace is not None else 0)
        self.transport.readout.clear()
        self.track.set_trace(trace)
        self._show_numbers()

    def hold_pictures(self, held: bool) -> None:
        """Draw none for the film strip while a run begins; another trace, or False, ends it."""
        self.track.hold_pictures(held)

    def refresh(self) -> None:
        """The trace has more records; the playhead knows them already."""
        self._player.note_growth()
        self.track.refresh()
        self._show_numbers()

    def set_sample(self, i: int) -> None:
        """The sample that the film strip shows."""
        if i != self._sample:
            self._sample = i
            self.track.set_what(self._tensor, i)

    def set_tensor(self, name: str) -> None:
        """The tensor that the film strip shows: one of analysis.fields.TENSORS."""
        if name != self._tensor:
            self._tensor = name
            self.track.set_what(name, self._sample)

    def apply_theme(self, tokens: Tokens) -> None:
        """Draw in another theme's colours."""
        self.transport.apply_theme(tokens)
        self.legend.apply_theme(tokens)
        self.track.set_tokens(tokens)

    @Slot()
    def play_pause(self) -> None:
        """Play forwards, or pause."""
        self._player.toggle()

    def play(self, direction: int) -> None:
        """Play forwards (+1) or backwards (−1); again in the same direction: twice as fast."""
        self._player.play(direction)

    def set_slow(self, slow: bool) -> None:
        """The key that stops is held, or let go: playing that begins meanwhile goes slowly."""
        self._player.slow = slow

    @Slot()
    def pause(self) -> None:
        """Stop where the playhead is."""
        self._player.pause()

    @Slot()
    def faster(self) -> None:
        """The next higher speed, up to 8×."""
        self._player.faster()

    @Slot()
    def slower(self) -> None:
        """The next lower speed, down to ¼×."""
        self._player.slower()

    @Slot()
    def cycle_loop(self) -> None:
        """Once, loop, ping-pong, once …"""
        self._player.cycle_loop()

    def set_loop(self, loop: str) -> None:
        """Raises: ValueError: not one of playback.LOOPS."""
        self._player.set_loop(loop)

    @Slot()
    def cycle_clock(self) -> None:
        """The next clock."""
        self.set_clock(CLOCKS[(CLOCKS.index(self._clock) + 1) % len(CLOCKS)])

    @Slot(str)
    def set_clock(self, clock: str) -> None:
        """Raises: ValueError: not one of clocks.CLOCKS."""
        if clock not in CLOCKS:
            raise ValueError(f"clock is one of {', '.join(CLOCKS)}, found {clock!r}")
        self._clock = clock
        self.transport.show_clock(clock)
        self.track.set_clock(clock)
        self.clockChanged.emit(clock)

    def zoom(self, factor: float) -> None:
        """Stretch (factor > 1) or shrink the axis about the playhead."""
        self.track.zoom(factor)

    @Slot()
    def zoom_fit(self) -> None:
        """Show both chains whole."""
        self.track.zoom_fit()

    def state(self) -> dict[str, Any]:
        """What is worth remembering, as JSON."""
        return {"loop": self.loop, "clock": self.clock}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a `state`; what is missing or makes no sense is left as it is."""
        if not isinstance(state, dict):
            return
        loop, clock = state.get("loop"), state.get("clock")
        if loop in LOOPS:
            self.set_loop(loop)
        if clock in CLOCKS:
            self.set_clock(clock)

    def sizeHint(self) -> QSize:
        return QSize(1200, 280)

    @Slot(int)
    def _on_moved(self, position: int) -> None:
        self._show_numbers()

    def _show_numbers(self) -> None:
        trace = self._trace
        self.transport.set_active(trace is not None and len(trace) > 0)
        if trace is None or not len(trace):
            return
        self.transport.show_marker()
        k = max(0, min(self._playhead.position, len(trace) - 1))
        self.transport.show_reading(read(trace, self.track.spans, k))
