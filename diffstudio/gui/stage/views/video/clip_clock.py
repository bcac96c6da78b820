"""The clock of a clip's frames: it plays them in a loop, at its own pace, whatever the playhead does."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

FRAMES_PER_SECOND = 10


class ClipClock(QObject):
    """`frame` of `count`. It runs while it is wanted, somebody looks, and there is more than one frame."""

    frameChanged = Signal(int)
    playingChanged = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.count = 1
        self.frame = 0
        self.playing = True
        self._seen = False
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // FRAMES_PER_SECOND)
        self._timer.timeout.connect(self.tick)

    def set_count(self, count: int) -> None:
        """Clips of another length; 0 where there is none."""
        self.count = max(1, count)
        self._go(min(self.frame, self.count - 1))
        self._decide()

    def set_seen(self, seen: bool) -> None:
        """Whether anybody looks: a hidden clip costs nothing."""
        self._seen = seen
        self._decide()

    @Slot()
    def toggle(self) -> None:
        """Play or pause."""
        self.set_playing(not self.playing)

    def set_playing(self, playing: bool) -> None:
        """Play or pause."""
        if playing != self.playing:
            self.playing = playing
            self._decide()
            self.playingChanged.emit(playing)

    @Slot(int)
    def move_to(self, frame: int) -> None:
        """Another frame, chosen by hand: that pauses."""
        self.set_playing(False)
        self._go(max(0, min(frame, self.count - 1)))

    def move_by(self, delta: int) -> None:
        """So many frames on, round and round; that pauses."""
        self.move_to((self.frame + delta) % self.count)

    @Slot()
    def tick(self) -> None:
        """The next frame; after the last comes the first."""
        self._go((self.frame + 1) % self.count)

    def _go(self, frame: int) -> None:
        if frame != self.frame:
            self.frame = frame
            self.frameChanged.emit(frame)

    def _decide(self) -> None:
        if self.playing and self._seen and self.count > 1:
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()
