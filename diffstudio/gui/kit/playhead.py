"""The playhead: which recorded step every view shows. The only state that the timeline and the views share."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Playhead(QObject):
    """Position in the trace's records 0..length-1, with follow, an in-out range and markers."""

    moved = Signal(int)  # the position changed; not emitted without a change
    grew = Signal(int)  # new number of records
    rangeChanged = Signal()
    markersChanged = Signal()
    followChanged = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.position = 0
        self.length = 0
        self.follow = True
        self.range_in: int | None = None
        self.range_out: int | None = None
        self.markers: list[int] = []

    def reset(self, length: int = 0) -> None:
        """Start on another trace: `length` records exist, the playhead follows its end."""
        self.length = length
        self.range_in = self.range_out = None
        self.markers = []
        self.rangeChanged.emit()
        self.markersChanged.emit()
        self.grew.emit(length)
        self._set_follow(True)
        self.position = -1
        self._go(max(0, length - 1))

    def grow(self, length: int) -> None:
        """More records exist; while following, go to the newest."""
        if length <= self.length:
            return
        self.length = length
        self.grew.emit(length)
        if self.follow:
            self._go(length - 1)

    def move_to(self, position: int, *, by_user: bool = True) -> None:
        """Go to a record (clamped). A manual move leaves follow."""
        if by_user:
            self._set_follow(False)
        self._go(position)

    def move_by(self, delta: int) -> None:
        self.move_to(self.position + delta)

    def to_end(self) -> None:
        """Go to the newest record and follow it."""
        self._set_follow(True)
        self._go(self.length - 1)

    def set_range(self, first: int | None, last: int | None) -> None:
        """Set the in-out range that playback stays in; None means the end of the trace."""
        if first is not None and last is not None and first > last:
            first, last = last, first
        self.range_in, self.range_out = first, last
        self.rangeChanged.emit()

    def toggle_marker(self, position: int | None = None) -> None:
        k = self.position if position is None else position
        self.markers = sorted(set(self.markers) ^ {k})
        self.markersChanged.emit()

    def next_marker(self, direction: int) -> None:
        """Go to the next (direction 1) or previous (-1) marker, if there is one."""
        beyond = [m for m in self.markers if (m - self.position) * direction > 0]
        if beyond:
            self.move_to(min(beyond) if direction > 0 else max(beyond))

    def _set_follow(self, follow: bool) -> None:
        if follow != self.follow:
            self.follow = follow
            self.followChanged.emit(follow)

    def _go(self, position: int) -> None:
        position = max(0, min(position, self.length - 1))
        if position != self.position:
            self.position = position
            self.moved.emit(position)
