"""What the points view shows, without the widget: cloud, trails, the data below and contours, composed in layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QImage, QPainter

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.stage.views.points import axes, splat
from diffstudio.gui.stage.views.points.contours import SHARES, contours
from diffstudio.gui.stage.views.points.plane import Plane, fitted
from diffstudio.gui.stage.views.points.splat import Box, Sheet, Taps
from diffstudio.gui.stage.views.points.trails import Trails
from diffstudio.gui.stage.views.points.underlay import fresh_data
from diffstudio.gui.stage.views.raster import rgb
from diffstudio.modalities import points
from diffstudio.modalities.points import Bounds
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

POINTS_OPTIONS = ("trails", "underlay", "arrows", "density", "log_p")
Layer = tuple[QImage, int]  # and its first row
# Radius (logical pixels) and opacity of a dot, by the number of points.
DOTS = ((150, 3.2, 0.95), (600, 2.6, 0.9), (2_000, 2.1, 0.85), (6_000, 1.5, 0.7), (10**9, 1.0, 0.55))
DATA_DOT = 1.0, 0.16
MOST_LINES = 2_000  # of a signed tensor
EPS_SHARE = 0.1  # of ε̂ is drawn: whole it would be as long as the plane is wide
INNER = 0.97  # share of pure noise that must be in view: its far tail would make everything small
KEPT = 1.15  # while a run goes, what stands out of its square by less does not make it larger
FAINT = 0.22  # ink of the other points where one is shown alone


class PointsScene:
    """room: width and height of the plot. All in device pixels; ratio: how many for a logical one."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.trace: Trace | None = None
        self.k = -1
        self.tensor = "xt"
        self.sample = 0
        self.single = False
        self.options = {name: OPTIONS[name] for name in POINTS_OPTIONS}
        self.room: tuple[int, int] = (1, 1)
        self.ratio = 1.0
        self.moved: Plane | None = None  # by the user; None: fitted to the bounds
        self.data: np.ndarray | None = None
        self.at: np.ndarray = np.zeros((0, 2))  # the points on the screen
        self.lost = 0  # how many have no place: NaN or infinite
        self.problem = ""
        self.layers: list[Layer] = []
        self._sheets: list[Sheet] = []
        self._trails = Trails()
        self._bounds: Bounds = (-3.0, -3.0, 3.0, 3.0)
        self._reaches: dict[int, float] = {}  # how far the cloud of a record reaches
        self._base: QImage | None = None
        self._stale = True

    # -- state

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace: nothing until a record is chosen."""
        model = (trace and trace.header.card.get("name")) or None
        if self.trace is None or model != self.trace.header.card.get("name"):
            self.moved = None  # between runs of one model the eye stays where it was
            self._bounds = (0.0, 0.0, 0.0, 0.0)
        self.trace, self.k = trace, -1
        self.data = None if trace is None else fresh_data(trace)
        self._reaches = {}
        self.find_bounds()
        self.changed(True)

    def changed(self, base: bool = False) -> None:
        """What was composed no longer holds; base: nor do the axes and the data below."""
        self._stale = True
        if base:
            self._base = None

    def find_bounds(self) -> None:
        """The square that is fitted: data and samples whole, of the noise what is not far out."""
        before, trace, reach = self._bounds, self.trace, 3.0
        if trace is not None and len(trace):
            ends = _ends(trace)
            try:
                self._reaches |= {k: _reach(trace, k) for k in ends - self._reaches.keys()}
            except BadFile:
                return  # composing will say so
            reach = max(self._reaches[k] for k in ends)
            if not trace.complete and reach <= KEPT * before[2]:
                return  # a run that goes need not stand exactly in its square
        self._bounds = -reach, -reach, reach, reach
        if self._bounds != before and self.moved is None:
            self.changed(True)

    @property
    def ready(self) -> bool:
        """Whether there is a record to show."""
        return self.trace is not None and 0 <= self.k < len(self.trace)

    @property
    def plane(self) -> Plane:
        """Where coordinates lie in the plot."""
        return self.moved or fitted(self._bounds, *self.room)

    @property
    def zoom(self) -> float:
        """How much larger than fitted."""
        return self.plane.scale / fitted(self._bounds, *self.room).scale

    def nearest(self, x: float, y: float, within: float) -> int | None:
        """The point nearest to a position of the plot, if it is within some pixels."""
        if not len(self.at):
            return None
        apart = ((self.at - (x, y)) ** 2).sum(1)
        apart[~np.isfinite(apart)] = np.inf
        best = int(apart.argmin())
        return best if apart[best] <= within * within else None

    # -- composing

    def compose(self) -> None:
        """Bring `layers`, `at` and `problem` up to date."""
        if not self._stale:
            return
        self._stale, self.layers, self.problem, self.at = False, [], "", np.zeros((0, 2))
        if not self.ready:
            return
        assert self.trace is not None
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite has no place, and is counted
                self._compose(self.trace)
        except (BadFile, IndexError) as error:
            self.problem = str(error)

    def _compose(self, trace: Trace) -> None:
        plane, t = self.plane, self.tokens
        place = pictures.displayed(trace, self.k, self.shown, None)
        self.at = plane.to_screen(place)
        self.lost = len(self.at) - int(np.count_nonzero(np.isfinite(self.at[:, 0]) & np.isfinite(self.at[:, 1])))
        box = Box(0, 0, *self.room)
        if self.options["density"]:
            self._add([self._contour_taps(place, plane, box)], splat.ramp(t.lane_c, t.lane_c))
        if self.tensor in pictures.SIGNED:
            some = slice(0, min(trace.batch, MOST_LINES))
            along = fields.tensor(trace, self.k, self.tensor, some) * np.float32(self.line_share)
            lines = splat.lines(self.at[some], plane.to_screen(place[some] + along), box, self._faded(0.8))
            self._add([lines], splat.ramp(t.lane_b, t.lane_b))
        at, ink = splat.dots(self.at, box, *self._dot(trace.batch, plane))
        drawn = [(at, ink * self._faded(1.0))]
        if self.options["trails"] and self.tensor not in pictures.SIGNED:
            drawn += self._trails.taps(trace, self.k, self.tensor, plane, box, self._faded(1.0))
        self._add(drawn, splat.ramp(t.accent, t.lane_a))

    def _contour_taps(self, place: np.ndarray, plane: Plane, box: Box) -> Taps:
        """The lines of equal density, the innermost strongest."""
        starts, ends, which = contours(place, self._bounds)
        return splat.lines(plane.to_screen(starts), plane.to_screen(ends), box, 0.35 + 0.65 * (which + 1) / len(SHARES))

    @property
    def shown(self) -> str:
        """The tensor whose positions are drawn: ε̂ and Δ are lines from x_t, the split from x̂0 free to x̂0 class."""
        return pictures.LINES_FROM.get(self.tensor, self.tensor)

    @property
    def line_share(self) -> float:
        """What of a signed tensor is drawn: predictions are never scaled, so neither is what lies between two."""
        assert self.trace is not None
        shares = {"eps_hat": EPS_SHARE, "split": 1.0}
        return shares.get(self.tensor, pictures.display_gain(self.trace, self.k))

    def _faded(self, ink: float) -> float:
        return ink * FAINT if self.single else ink

    def _dot(self, many: int, plane: Plane) -> tuple[float, float]:
        _, radius, opacity = next(row for row in DOTS if many <= row[0])
        return radius * self.ratio * min(2.0, max(1.0, self.zoom**0.4)), opacity

    def _add(self, taps: list[Taps], colours: np.ndarray) -> None:
        """One more layer, on a sheet of its own."""
        index, box = len(self.layers), Box(0, 0, *self.room)
        if index == len(self._sheets):
            self._sheets.append(Sheet(box))
        elif self._sheets[index].box != box:
            self._sheets[index] = Sheet(box)
        self.layers.append(self._sheets[index].picture(taps, colours, self.ratio))

    def base(
        self, width: int, height: int, font: QFont, under: Callable[[QPainter, QPointF], None] | None = None
    ) -> QImage:
        """Axes and data, for a widget of some logical pixels: drawn anew only when they change.

        under: paints what lies between them, from the plot's corner on.
        """
        if self._base is None:
            picture = QImage(int(width * self.ratio), int(height * self.ratio), QImage.Format.Format_RGB32)
            picture.setDevicePixelRatio(self.ratio)
            picture.fill(int(rgb(self.tokens.bg)))
            plot = axes.plot_box(width, height)
            with painter_on(picture) as painter:
                axes.paint_grid(painter, plot, self.plane, self.ratio, self.tokens)
                painter.setClipRect(plot.adjusted(1, 1, -1, -1))
                if under is not None:
                    under(painter, plot.topLeft())
                if self.data is not None and self.options["underlay"]:
                    self._paint_data(painter, self.data, plot.topLeft())
                painter.setClipping(False)
                axes.paint_labels(painter, plot, self.plane, self.ratio, self.tokens, font, self._unit())
            self._base = picture
        return self._base

    def _paint_data(self, painter: QPainter, data: np.ndarray, corner: QPointF) -> None:
        box = Box(0, 0, *self.room)
        radius, opacity = DATA_DOT
        ink = splat.dots(self.plane.to_screen(data), box, radius * self.ratio, opacity)
        sheet = Sheet(box)  # it owns the pixels until they are drawn
        self._draw(
            painter, sheet.picture([ink], splat.ramp(self.tokens.lane_b, self.tokens.lane_b), self.ratio), corner
        )

    def _unit(self) -> str:
        return self.trace.header.fields[0].unit if self.trace is not None else ""

    def paint(
        self,
        painter: QPainter,
        width: int,
        height: int,
        font: QFont,
        under: Callable[[QPainter, QPointF], None] | None = None,
    ) -> None:
        """Draw everything that belongs to the record, into a painter of logical pixels; under: as for `base`."""
        self.compose()
        painter.drawImage(QPointF(0, 0), self.base(width, height, font, under))
        plot = axes.plot_box(width, height)
        painter.setClipRect(plot.adjusted(1, 1, -1, -1))
        for layer in self.layers:
            self._draw(painter, layer, plot.topLeft())
        painter.setClipping(False)

    def _draw(self, painter: QPainter, layer: Layer, corner: QPointF) -> None:
        picture, first = layer
        painter.drawImage(corner + QPointF(0, first / self.ratio), picture)


def _ends(trace: Trace) -> set[int]:
    """The first and the last record of both chains, as far as they are recorded."""
    chains = trace.scalars("chain")
    return {0, len(trace) - 1} | {int(k) + i for k in np.flatnonzero(np.diff(chains)) for i in (0, 1)}


def _reach(trace: Trace, k: int) -> float:
    """How far a record's cloud reaches, of noise only its inner part."""
    noisy = trace.scalar(k, "s") * pictures.display_gain(trace, k) > 0.5
    return points.bounds_of(pictures.displayed(trace, k, "xt"), share=INNER if noisy else 0.998)[2]
