"""One sample that fills the view: how large it is drawn, and what part of it is visible."""

from __future__ import annotations

from dataclasses import dataclass

# Whole numbers from 1 on, so that a pixel of the sample is always an exact square.
SCALES = (0.125, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
KEPT = 48  # device pixels of the sample that can't be dragged out of the view


@dataclass(frozen=True)
class CloseUp:
    """scale: device pixels for a pixel of the sample.  x, y: device pixels of its left upper corner."""

    scale: float
    x: int
    y: int

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Column and row of the sample's pixel under a position; may lie outside of it."""
        return int((x - self.x) // self.scale), int((y - self.y) // self.scale)

    def zoomed(self, steps: int, x: float, y: float, size: tuple[int, int], room: tuple[int, int]) -> CloseUp:
        """Some steps larger (or smaller: negative) about a position that stays where it is."""
        larger = [s for s in SCALES if s > self.scale]
        smaller = [s for s in reversed(SCALES) if s < self.scale]
        choice = larger if steps > 0 else smaller
        if not choice:
            return self
        scale = choice[min(abs(steps), len(choice)) - 1]
        grown = scale / self.scale
        moved = CloseUp(scale, round(x - (x - self.x) * grown), round(y - (y - self.y) * grown))
        return moved.kept_in(size, room)

    def panned(self, dx: int, dy: int, size: tuple[int, int], room: tuple[int, int]) -> CloseUp:
        """Moved by device pixels."""
        return CloseUp(self.scale, self.x + dx, self.y + dy).kept_in(size, room)

    def kept_in(self, size: tuple[int, int], room: tuple[int, int]) -> CloseUp:
        """The same, with at least a corner of the sample in the view. size, room: width and height."""
        x, y = (
            max(min(KEPT, extent) - int(side * self.scale), min(at, extent - min(KEPT, extent)))
            for at, side, extent in zip((self.x, self.y), size, room, strict=True)
        )
        return CloseUp(self.scale, x, y)

    def window(self, size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int, int, int]:
        """Columns first..last and rows first..last (exclusive) that are visible; empty where none is."""
        out: list[int] = []
        for at, side, extent in zip((self.x, self.y), size, room, strict=True):
            first = max(0, int(-at // self.scale))
            last = min(side, int(-(-(extent - at) // self.scale)))
            out += [first, max(first, last)]
        return out[0], out[1], out[2], out[3]


def fitted(size: tuple[int, int], room: tuple[int, int], margin: int) -> CloseUp:
    """The largest view of the whole sample: a whole-number scale, or a fraction below 1."""
    scale = min((extent - 2 * margin) / side for side, extent in zip(size, room, strict=True))
    scale = float(int(scale)) if scale >= 1 else max(0.01, scale)
    x, y = (int(extent - side * scale) // 2 for side, extent in zip(size, room, strict=True))
    return CloseUp(scale, x, y)
