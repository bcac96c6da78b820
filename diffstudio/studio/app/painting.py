"""A mask that is painted: over what, with strokes of a round brush, undo and redo. No screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffstudio import data
from diffstudio.checkpoints.card import Card
from diffstudio.modalities import image
from diffstudio.studio.request.plan import each_label
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import load_source

DEPTH = 200  # strokes that can be taken back
LARGEST = 64.0


class Painting:
    """The mask `pixels`, (H, W) bool, True is repainted; a brush of so many pixels' radius."""

    def __init__(self, shape: tuple[int, int], pixels: np.ndarray | None = None) -> None:
        """pixels: what is painted already."""
        self.pixels = np.zeros(shape, bool) if pixels is None else pixels.astype(bool).copy()
        self.radius = max(0.5, min(shape) / 14)
        self._before: list[np.ndarray] = []
        self._after: list[np.ndarray] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a stroke to take back."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether there is a stroke to make again."""
        return bool(self._after)

    def begin(self) -> None:
        """What follows is one stroke."""
        self._before = [*self._before, self.pixels.copy()][-DEPTH:]
        self._after.clear()

    def line(self, start: tuple[float, float], end: tuple[float, float], on: bool) -> None:
        """Paint, or erase, along a line from (x, y) to (x, y), in pixels from the upper left corner."""
        covered = near_line(self.pixels.shape, start, end, self.radius)
        # A brush smaller than a pixel still paints the one under it.
        x, y = int(np.floor(end[0])), int(np.floor(end[1]))
        if 0 <= y < covered.shape[0] and 0 <= x < covered.shape[1]:
            covered[y, x] = True
        self.pixels[covered] = on

    def grow(self, factor: float) -> None:
        """A larger or a smaller brush."""
        self.radius = min(LARGEST, max(0.5, self.radius * factor))

    def clear(self) -> None:
        """Nothing is repainted."""
        self.begin()
        self.pixels[:] = False

    def invert(self) -> None:
        """Exchange what is repainted and what is kept."""
        self.begin()
        self.pixels = ~self.pixels

    def undo(self) -> None:
        """Take the last stroke back."""
        self._travel(self._before, self._after)

    def redo(self) -> None:
        """Make it again."""
        self._travel(self._after, self._before)

    def _travel(self, back: list[np.ndarray], forth: list[np.ndarray]) -> None:
        if back:
            forth.append(self.pixels)
            self.pixels = back.pop()


def backdrop(card: Card, request: Request) -> np.ndarray:
    """(H, W, 3) uint8: the first sample that a run from data, or from a file, starts from; latents in their colours.

    Raises:
        BadInput, BadFile: the file can't be used.
    """
    if request.source == "file":
        file = Path(request.source_file or "")
        rows = load_source(file, card.meaning, request.source_fit, request.source_invert)
    else:
        label = each_label(request, len(card.labels))[0] if request.label == "each" else request.label
        rows, _ = data.sample(card.data.dataset, (label,), (request.seed,))
    if not card.decoded or rows.shape[1:] == card.decoded:
        return image.to_pixels(rows[:1])[0]
    factor = card.decoded[1] // card.shape[1]
    return image.enlarge(image.to_pixels(rows[:1], card.meaning)[0], factor)


def near_line(
    shape: tuple[int, ...], start: tuple[float, float], end: tuple[float, float], radius: float
) -> np.ndarray:
    """(H, W) bool: pixels whose middle is at most `radius` from the line from (x, y) to (x, y)."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    along = np.clip(((columns - x0) * dx + (rows - y0) * dy) / length, 0, 1) if length else np.zeros(rows.shape)
    return (columns - x0 - along * dx) ** 2 + (rows - y0 - along * dy) ** 2 <= radius * radius
