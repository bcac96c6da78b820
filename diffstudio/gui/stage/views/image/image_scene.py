"""What the image view shows, without the widget: the batch or one sample, laid out and composed into one picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtGui import QImage

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number
from diffstudio.gui.stage.views.close_up import CloseUp, fitted
from diffstudio.gui.stage.views.grid import Grid, layout
from diffstudio.gui.stage.views.image import pixel_values
from diffstudio.gui.stage.views.raster import Raster, enlarged, raster, shrunk, tiled, to_image
from diffstudio.traces.reader import Trace

MARGIN = 8
MAX_CHANNELS = 4  # of a value in the readout


class ImageScene:
    """Composes a picture of a record when something has changed, and answers what lies where. All in device pixels.

    room: width and height for the samples.  ratio: device pixels for a logical one.  scroll: of the grid.
    frame: which one of clips, None for pictures.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.trace: Trace | None = None
        self.k = -1
        self.tensor = "xt"
        self.frame: int | None = None
        self.sample = 0
        self.single = False
        self.room: tuple[int, int] = (1, 1)
        self.ratio = 1.0
        self.scroll = 0
        self.grid: Grid | None = None
        self.close_up: CloseUp | None = None  # None: fitted to the room
        self.raster: Raster | None = None
        self.picture: QImage | None = None
        self.at = (0, 0)  # where the picture lies
        self.values: np.ndarray | None = None  # (C, H, W) of one sample, where there is room to write them
        self.problem = ""
        self.decoded: Callable[[int], np.ndarray | None] = lambda _: None  # a latent sample's true picture, if known
        self._stale = True

    def changed(self) -> None:
        """What was composed no longer holds."""
        self._stale = True

    def lay_out(self) -> None:
        """Find the grid for the present trace and room."""
        self.grid = None
        if self.trace is not None and len(self.trace.sample_shape) in (3, 4):
            self.grid = layout(self.trace.batch, *self.size, *self.room, self.ratio)
        if self.close_up is not None:
            self.close_up = self.close_up.kept_in(self.size, self.room)
        self.changed()

    @property
    def ready(self) -> bool:
        """Whether there is a record to show."""
        return self.trace is not None and self.grid is not None and 0 <= self.k < len(self.trace)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a sample."""
        return (self.trace.sample_shape[-1], self.trace.sample_shape[-2]) if self.trace else (1, 1)

    @property
    def view(self) -> CloseUp:
        """How a single sample is drawn."""
        return self.close_up or fitted(self.size, self.room, round(MARGIN * self.ratio))

    @property
    def zoom(self) -> float:
        """Device pixels for a pixel of a sample."""
        return self.view.scale if self.single or self.grid is None else self.grid.width / self.size[0]

    def under(self, x: float, y: float) -> tuple[int, int, int] | None:
        """Sample, column and row of its pixel at a position."""
        if self.grid is None or y >= self.room[1]:
            return None
        wide, tall = self.size
        if self.single:
            column, row = self.view.at(x, y)
            return (self.sample, column, row) if 0 <= column < wide and 0 <= row < tall else None
        found = self.grid.at(x, y, self.scroll)
        return (found[0], int(found[1] * wide), int(found[2] * tall)) if found else None

    def value_text(self, index: int, x: int, y: int) -> str:
        """(14, 9) = −0.83: the recorded value, of all channels; not what the screen clips it to."""
        assert self.trace is not None
        try:
            values = self._values(self.trace, index)[:, y, x]
        except (BadFile, IndexError):
            return f"({x}, {y})"
        shown = ", ".join(number(float(v)) for v in values[:MAX_CHANNELS])
        shown += ", …" if len(values) > MAX_CHANNELS else ""
        return f"({x}, {y}) = {shown}" if len(values) == 1 else f"({x}, {y}) = ({shown})"

    def compose(self) -> None:
        """Bring `picture`, `at`, `raster`, `values` and `problem` up to date."""
        if not self._stale:
            return
        self._stale, self.picture, self.raster, self.values, self.problem = False, None, None, None, ""
        if not self.ready:
            return
        assert self.trace is not None and self.grid is not None
        try:
            if self.single:
                self._compose_single(self.trace)
            else:
                self._compose_grid(self.trace, self.grid)
        except (BadFile, IndexError) as error:
            self.problem = str(error)

    def _compose_grid(self, trace: Trace, grid: Grid) -> None:
        first, last = grid.visible(self.scroll)
        if first == last:
            return  # the view is lower than its margin
        self.raster = raster(trace, self.k, self.tensor, slice(first, last), self.tokens.dark, self.frame)
        pixels = tiled(self.raster.pixels, grid, self.tokens.bg)
        for i in range(first, last):
            true = self.decoded(i)
            if true is not None:
                y, x = (at * pitch for at, pitch in zip(divmod(i - first, grid.columns), _pitch(grid), strict=True))
                cell = shrunk(true[None], grid.width, grid.height)[0]
                pixels[y : y + grid.height, x : x + grid.width] = cell
        self.picture = to_image(pixels, self.ratio)
        self.at = grid.cell(first, self.scroll)[:2]

    def _compose_single(self, trace: Trace) -> None:
        self.raster = raster(trace, self.k, self.tensor, self.sample, self.tokens.dark, self.frame)
        pixels, view = self.raster.pixels[0], self.view
        true = self.decoded(self.sample)
        if true is not None:
            self._compose_decoded(true, view)
            return
        if view.scale < 1:
            wide, tall = (max(1, int(side * view.scale)) for side in self.size)
            self.picture, self.at = to_image(shrunk(pixels[None], wide, tall)[0], self.ratio), (view.x, view.y)
            return
        left, right, top, bottom = view.window(self.size, self.room)
        if left < right and top < bottom:
            scale = int(view.scale)
            self.picture = to_image(enlarged(pixels[top:bottom, left:right], scale), self.ratio)
            self.at = view.x + left * scale, view.y + top * scale
        if pixel_values.fits(view.scale, self.ratio, trace.sample_shape[-3]):
            self.values = self._values(trace, self.sample)

    def _compose_decoded(self, true: np.ndarray, view: CloseUp) -> None:
        """The part of a latent's true picture that is visible, where its latents would lie."""
        left, right, top, bottom = view.window(self.size, self.room)
        if left < right and top < bottom:
            fine = true.shape[0] // self.size[1]  # pixels for a latent
            part = true[top * fine : bottom * fine, left * fine : right * fine]
            wide, tall = (max(1, int(many * view.scale)) for many in (right - left, bottom - top))
            self.picture = to_image(shrunk(part[None], wide, tall)[0], self.ratio)
            self.at = view.x + int(left * view.scale), view.y + int(top * view.scale)

    def _values(self, trace: Trace, index: int) -> np.ndarray:
        """(C, H, W) as recorded."""
        values = fields.tensor(trace, self.k, self.tensor, index)
        return values if self.frame is None else values[self.frame]

    def without_notes(self) -> QImage:
        """What is shown, alone: for the clipboard."""
        self.compose()
        if self.picture is None:
            return QImage()
        if self.single or self.grid is None:
            return self.picture.copy()
        return self.picture.copy(0, 0, self.grid.span, self.picture.height() - self.grid.gap)


def _pitch(grid: Grid) -> tuple[int, int]:
    """From a cell to the next: down, and to the right."""
    return grid.height + grid.gap, grid.width + grid.gap
