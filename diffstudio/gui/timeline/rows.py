"""The rows of the timeline from top to bottom, for any height."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect

HEAD = 9  # room of the playhead's head
INSET = 3  # below the cells in their box
TICKS = 9  # of the ruler, under its labels: ticks, flags, handles of the range
SPACE = 5  # between boxes
FOOT = 6
SMALLEST_SIDE, LARGEST_SIDE = 36, 128
SMALLEST_LANE, LARGEST_LANE = 20, 64
STRIP_SHARE = 0.46  # of the height that strip and lanes divide
SIDE_GRID = 4  # sides are multiples of it, so that a drag of the dock's edge does not redraw at every pixel


@dataclass(frozen=True)
class Rows:
    """box: header, ruler and strip together; lanes: as many as there is height for."""

    box: QRect
    header: QRect
    ruler: QRect
    strip: QRect
    lanes: tuple[QRect, ...]

    @property
    def side(self) -> int:
        """Side of the film strip's cells."""
        return self.strip.height()

    @property
    def body_top(self) -> int:
        """Where what the range dims begins."""
        return self.strip.top()

    @property
    def bottom(self) -> int:
        """The last pixel of the last row."""
        return (self.lanes[-1] if self.lanes else self.box).bottom()


def rows_for(width: int, height: int, line: int, lanes: int, fitted: int | None = None) -> Rows:
    """Rows for `lanes` curves at most.

    line: height of a line of text.  fitted: a smaller side with which the cells fill the width; the lanes get the rest.
    """
    header, ruler = line + 3, line - 1 + TICKS
    room = height - HEAD - header - ruler - INSET - FOOT
    shown = max(0, min(lanes, (room - SMALLEST_SIDE) // (SMALLEST_LANE + SPACE)))
    free = room - shown * SPACE
    side = free if not shown else max(SMALLEST_SIDE, int(free * STRIP_SHARE))
    side = max(8, min(side, LARGEST_SIDE, free - shown * SMALLEST_LANE))
    side -= side % SIDE_GRID if side > SMALLEST_SIDE else 0
    side = side if fitted is None else min(side, fitted)
    each = min(LARGEST_LANE, (free - side) // shown) if shown else 0
    top = HEAD
    box = QRect(0, top, width, header + ruler + side + INSET)
    header_row = QRect(0, top, width, header)
    ruler_row = QRect(0, top + header, width, ruler)
    strip = QRect(0, top + header + ruler, width, side)
    at = box.bottom() + 1 + SPACE
    made = []
    for _ in range(shown):
        made.append(QRect(0, at, width, each))
        at += each + SPACE
    return Rows(box, header_row, ruler_row, strip, tuple(made))
