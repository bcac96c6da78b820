"""What the image view shows, without the widget: the batch or one sample, laid out and composed into one picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import number
from diffstudio.gui.stage.views.close_up import SCALES, CloseUp, fitted
from diffstudio.gui.stage.views.grid import Grid, Zoom, layout, zoomed
from diffstudio.gui.stage.views.image import pixel_values
from diffstudio.gui.stage.views.raster import Raster, enlarged, raster, shrunk, tiled, to_image
from diffstudio.traces.reader import Trace

MARGIN = 8
MOST_ROOMS = 2  # a cell of a zoomed grid is at most so many times as large as the view: then it is better seen alone
MAX_CHANNELS = 4  # of a value in the readout


class ImageScene:
    """Composes a picture of a record when something has changed, and answers what lies where. All in device pixels.

    room: width and height for the samples.  ratio: device pixels for a logical one.  scroll: of the grid.
    frame: which one of clips, None for pictures.  stretch: each sample from its own lowest value to its highest.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.trace: Trace | None = None
        self.k = -1
        self.tensor = "xt"
        self.frame: int | None = None
        self.stretch = False
        self.sample = 0
        self.single = False
        self.room: tuple[int, int] = (1, 1)
        self.ratio = 1.0
        self.scroll = 0
        self.grid: Grid | None = None
        self.grid_zoom = Zoom()  # of the grid
        self._fitted: Grid | None = None
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
        self.grid = self._fitted = None
        if self.trace is not None and len(self.trace.sample_shape) in (3, 4):
            self.grid = self._fitted = layout(self.trace.batch, *self.size, *self.room, self.ratio)
            if self.grid_zoom.level:
                scale = self._larger(self._fitted)[min(self.grid_zoom.level, self.top_level) - 1]
                cell = tuple(max(1, round(side * scale)) for side in self.size)
                self.grid = zoomed(self._fitted, (cell[0], cell[1]), int(scale), self.grid_zoom, self.room)
        if self.close_up is not None:
            self.close_up = self.close_up.kept_in(self.size, self.room)
        self.changed()

    @property
    def top_level(self) -> int:
        """The largest zoom of the grid: a cell is then some times as large as the room."""
        return len(self._larger(self._fitted)) if self._fitted is not None else 0

    @property
    def fitted_width(self) -> int:
        """Width of a cell where the grid is not zoomed."""
        return self._fitted.width if self._fitted is not None else 1

    def _larger(self, fitted: Grid) -> list[float]:
        """The scales that a zoom of the grid goes through; the first is always there, so that a zoom has an effect."""
        own, most = fitted.width / self.size[0], MOST_ROOMS * max(self.room) / max(self.size)
        found = [scale for scale in SCALES if scale > own * 1.01]
        return [scale for scale in found if scale <= most] or found[:1] or [2 * own]

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

    def box(self, sample: int) -> QRectF:
        """Where a sample's picture lies, in logical pixels."""
        if self.single or self.grid is None:
            view = self.view
            place = view.x, view.y, self.size[0] * view.scale, self.size[1] * view.scale
        else:
            place = self.grid.cell(sample, self.scroll)
        return QRectF(*(value / self.ratio for value in place))

    def cells(self) -> list[int]:
        """The samples of the grid that are in view."""
        if self.grid is None:
            return []
        (first, last), (left, right) = self.grid.visible(self.scroll), self.grid.columns_in(self.room[0])
        return [i for i in range(first, last) if left <= i % self.grid.columns < right]

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
            elif self.grid_zoom.level:
                first, last = self.grid.visible(0)
                if first < last:
                    self.raster = self._raster(self.trace, slice(first, last))
            else:
                self._compose_grid(self.trace, self.grid)
        except (BadFile, IndexError) as error:
            self.problem = str(error)

    def _raster(self, trace: Trace, samples: int | slice) -> Raster:
        return raster(trace, self.k, self.tensor, samples, self.tokens.dark, self.frame, self.stretch)

    def _compose_grid(self, trace: Trace, grid: Grid) -> None:
        first, last = grid.visible(self.scroll)
        if first == last:
            return  # the view is lower than its margin
        self.raster = self._raster(trace, slice(first, last))
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
        self.raster = self._raster(trace, self.sample)
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

    def paint_cells(self, painter: QPainter) -> None:
        """The samples of a zoomed grid that are in view, one by one: most of a large grid is out of it."""
        if self.grid is None or self.raster is None:
            return
        first = self.grid.visible(0)[0]
        for i in self.cells():
            x, y, width, height = (v / self.ratio for v in self.grid.cell(i))
            true = self.decoded(i)
            pixels = self.raster.pixels[i - first] if true is None else true
            fine = pixels.shape[1] > self.grid.width
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fine)
            painter.drawImage(QRectF(x, y, width, height), to_image(pixels))

    def _values(self, trace: Trace, index: int) -> np.ndarray:
        """(C, H, W) as recorded."""
        values = fields.tensor(trace, self.k, self.tensor, index)
        return values if self.frame is None else values[self.frame]

    def without_notes(self) -> QImage:
        """What is shown, alone: for the clipboard."""
        self.compose()
        if self.grid_zoom.level and not self.single and self.raster is not None:
            out = QImage(*self.room, QImage.Format.Format_RGB32)
            out.setDevicePixelRatio(self.ratio)
            out.fill(QColor(self.tokens.bg))
            with painter_on(out) as painter:
                self.paint_cells(painter)
            return out
        if self.picture is None:
            return QImage()
        if self.single or self.grid is None:
            return self.picture.copy()
        return self.picture.copy(0, 0, self.grid.span, self.picture.height() - self.grid.gap)


def _pitch(grid: Grid) -> tuple[int, int]:
    """From a cell to the next: down, and to the right."""
    return grid.height + grid.gap, grid.width + grid.gap
