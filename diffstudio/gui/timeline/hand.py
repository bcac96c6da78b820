"""What a mouse drag on the track means: scrub, drag a handle of the range, draw a range, visit a marker."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt

from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.timeline.overlay import flag_rect, handle_rect
from diffstudio.gui.timeline.scene import Scene

CLICK = 3  # px: a shorter drag of a handle was meant as a click


class Hand:
    """One drag, from press to release. `grip` says what is held: "", "scrub", "flag", "in", "out" or "range"."""

    def __init__(self, playhead: Playhead) -> None:
        self._playhead = playhead
        self.grip = ""
        self._pressed = QPoint()
        self._anchor = 0
        self._dragged = False

    def press(self, scene: Scene, at: QPoint, shift: bool) -> None:
        """Take what is under the mouse; a press anywhere else moves the playhead there."""
        self._pressed, self._anchor, self._dragged = at, self._record(scene, at), False
        flag = self._flag(scene, at)
        if flag is not None:
            self.grip = "flag"
            self._playhead.move_to(flag)
        elif shift:
            self.grip = "range"
        else:
            self.grip = self._handle(scene, at) or "scrub"
            if self.grip == "scrub":
                self._playhead.move_to(self._anchor)

    def move(self, scene: Scene, at: QPoint) -> None:
        """The mouse moved while it holds something."""
        if abs(at.x() - self._pressed.x()) > CLICK:
            self._dragged = True
        record = self._record(scene, at)
        if self.grip == "scrub" or (self.grip == "flag" and self._dragged):
            self.grip = "scrub"
            self._playhead.move_to(record)
        elif self._dragged and self.grip:
            self._set_range(record)

    def release(self, scene: Scene, at: QPoint) -> None:
        """The last position counts, however fast the mouse was."""
        self.move(scene, at)
        if self.grip in ("in", "out", "range") and not self._dragged:
            self._playhead.move_to(self._record(scene, at))
        self.grip = ""

    def double(self, scene: Scene, at: QPoint) -> None:
        """On the header and the ruler: set or take away a marker."""
        if at.y() <= scene.rows.ruler.bottom():
            flag = self._flag(scene, at)
            self._playhead.toggle_marker(self._record(scene, at) if flag is None else flag)

    def cursor(self, scene: Scene, at: QPoint) -> Qt.CursorShape:
        """The pointer that says what a press would take."""
        if self._flag(scene, at) is not None:
            return Qt.CursorShape.PointingHandCursor
        if self.grip in ("in", "out") or (not self.grip and self._handle(scene, at)):
            return Qt.CursorShape.SplitHCursor
        return Qt.CursorShape.ArrowCursor

    def range_of(self, scene: Scene) -> tuple[int, int]:
        """First and last record of the range, of the whole axis where there is none."""
        last = scene.axis.planned - 1
        first, end = self._playhead.range_in, self._playhead.range_out
        return min(first or 0, last), last if end is None else min(end, last)

    def _record(self, scene: Scene, at: QPoint) -> int:
        return min(scene.axis.record_at(at.x()), max(0, self._playhead.length - 1))

    def _flag(self, scene: Scene, at: QPoint) -> int | None:
        near = [m for m in self._playhead.markers if flag_rect(scene, m).adjusted(-2, -1, 1, 2).contains(at)]
        return near[-1] if near else None

    def _handle(self, scene: Scene, at: QPoint) -> str:
        first, last = self.range_of(scene)
        if handle_rect(scene, first, last=False).contains(at):
            return "in"
        return "out" if handle_rect(scene, last, last=True).contains(at) else ""

    def _set_range(self, record: int) -> None:
        """Move the held end. An end that reaches the trace's own end is no longer set."""
        first, last = self._playhead.range_in, self._playhead.range_out
        newest = max(0, self._playhead.length - 1)
        if self.grip == "in":
            first = min(record, newest if last is None else last)
        elif self.grip == "out":
            last = max(record, first or 0)
        else:
            first, last = min(record, self._anchor), max(record, self._anchor)
        if first is not None and first <= 0:
            first = None
        if last is not None and last >= newest:
            last = None
        if (first, last) != (self._playhead.range_in, self._playhead.range_out):
            self._playhead.set_range(first, last)
