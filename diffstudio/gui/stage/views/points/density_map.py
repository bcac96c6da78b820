"""The density map of the points view: when to ask for log p, which answers to keep, how it lies on the plane."""

from __future__ import annotations

import json
import math

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QImage, QPainter

from diffstudio.gui.kit.words import number, tr
from diffstudio.gui.stage.views.points import heat, lattice
from diffstudio.gui.stage.views.points.lattice import Lattice
from diffstudio.gui.stage.views.points.points_scene import PointsScene
from diffstudio.traces.reader import Trace

PAUSE_MS = 120  # of rest before a map is asked for
KEPT = 24  # maps, for going back and forth between runs and views
# What of a request decides the density, beside the checkpoint.
DECIDING = (
    "model", "path", "label", "guidance", "guidance_interval", "guidance_rescale", "guidance_model", "negative",
    "clip", "clip_params",
)  # fmt: skip
About = tuple[str, Lattice]


class DensityMap(QObject):
    """Asks for log p on a lattice over the view, and keeps what is found for every model, class, guidance and path.

    From coarse to fine, a stride at a time: what lies far below the highest is interpolated and not asked for.
    """

    wanted = Signal(object, object)  # about and stride, parts: list of (indices (N,), positions (N, 2) float32)
    changed = Signal()

    def __init__(self, scene: PointsScene, parent: QObject) -> None:
        super().__init__(parent)
        self._scene = scene
        self._maps: dict[About, np.ndarray] = {}
        self._interpolated: dict[About, np.ndarray] = {}  # which of them were not asked for
        self._problems: dict[str, str] = {}
        self._shown: About | None = None
        self._picture: tuple[object, QImage] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)

    # -- asking

    def update(self) -> None:
        """Something has changed: show what is known, ask for what is not."""
        self._timer.stop()
        about = self._about()
        if about is None:
            self._problems.clear()  # switched off and on is asked anew
            return
        values = self._maps.get(about)
        if values is not None and lattice.known(values) is not None:
            self._shown = about
        if about[0] not in self._problems and (values is None or np.isnan(values).any()):
            self._timer.start(PAUSE_MS)

    def answer(self, asked: tuple[About, int], indices: np.ndarray, values: np.ndarray) -> None:
        """log p at some points of a lattice; an answer to an old question is kept, it still holds."""
        about, stride = asked
        if about not in self._maps:
            return
        # −∞ and worse are as low as can be; NaN would be asked for again.
        self._maps[about].flat[indices] = np.nan_to_num(values, nan=-np.inf, neginf=-np.inf)
        whole = not np.isnan(self._maps[about][::stride, ::stride]).any()
        if whole and stride > 1:
            self._interpolate(about, stride)
        if about == self._about() and lattice.known(self._maps[about]) is not None:
            self._shown = about
            if whole and stride > 1:
                self._timer.start(0)  # the next stride, if there is more to ask
        self.changed.emit()

    def fail(self, asked: tuple[About, int], sentence: str) -> None:
        """Why there is no map for that model."""
        self._problems[asked[0][0]] = sentence
        self.changed.emit()

    def _interpolate(self, about: About, stride: int) -> None:
        """Where nothing can rise to what is seen, the points between those of the stride are not asked for."""
        values = self._maps[about]
        skipped = lattice.far_below(values, stride, heat.NATS) & np.isnan(values)
        values[skipped] = lattice.filled(values, stride)[skipped]
        self._interpolated[about] |= skipped

    def _about(self) -> About | None:
        scene = self._scene
        if scene.trace is None or not scene.options["log_p"] or min(scene.room) < 8:
            return None
        left, top = scene.plane.to_world(0, 0)
        right, bottom = scene.plane.to_world(*scene.room)
        return subject(scene.trace), lattice.over(left, bottom, right, top)

    def _ask(self) -> None:
        about = self._about()
        if about is None:
            return
        while about not in self._maps and len(self._maps) >= KEPT:
            oldest = next(iter(self._maps))
            del self._maps[oldest], self._interpolated[oldest]
        on = about[1]
        shape = (on.rows, on.columns)
        values = self._maps.setdefault(about, np.full(shape, np.nan))
        self._interpolated.setdefault(about, np.zeros(shape, bool))
        stride, parts = lattice.missing(values)
        if stride:
            self.wanted.emit((about, stride), [(part, on.points(part)) for part in parts])

    # -- what is known

    @property
    def note(self) -> str:
        """How far it is, or why it is not possible; "" when there is nothing to say."""
        about = self._about()
        if about is None:
            return ""
        if about[0] in self._problems:
            return tr("no log p: {}").format(self._problems[about[0]])
        values = self._maps.get(about)
        share = 0.0 if values is None else float(np.mean(~np.isnan(values)))
        return "" if share == 1 else tr("log p: {} %").format(number(100 * share, 0))

    def value(self, x: float, y: float) -> float:
        """log p in nats at a place of the plane; NaN where it is not known."""
        if self._current() is None:
            return math.nan
        assert self._shown is not None
        return lattice.at(self._shown[1], self._maps[self._shown], x, y)

    def is_interpolated(self, x: float, y: float) -> bool:
        """Whether the value at a place comes from points further away, because it is far below the highest."""
        if self._current() is None:
            return False
        assert self._shown is not None
        on, skipped = self._shown[1], self._interpolated[self._shown]
        row, column = round((y - on.bottom) / on.cell), round((x - on.left) / on.cell)
        return 0 <= row < on.rows and 0 <= column < on.columns and bool(skipped[row, column])

    @property
    def highest(self) -> float | None:
        """The highest log p of the map that is shown."""
        values = self._current()
        finite = values[np.isfinite(values)] if values is not None else np.zeros(0)
        return float(finite.max()) if finite.size else None

    def _current(self) -> np.ndarray | None:
        """The values that are shown: while the view moves those of the last one, but never another model's."""
        about = self._about()
        if about is None or self._shown is None or self._shown[0] != about[0] or about[0] in self._problems:
            return None
        return self._maps.get(self._shown)

    # -- drawing

    def paint(self, painter: QPainter, corner: QPointF) -> None:
        """Draw the map; corner: of the plot, in the painter's logical pixels."""
        values, highest, scene = self._current(), self.highest, self._scene
        if values is None or highest is None or self._shown is None:
            return
        stride = lattice.known(values)
        if stride is None:
            return
        key = (self._shown, stride, scene.tokens.dark)
        if self._picture is None or self._picture[0] != key:
            grid = values[::stride, ::stride]
            self._picture = key, heat.picture(_finer(grid), highest, scene.tokens.dark)
        on = self._shown[1]
        half = on.cell * stride / FINER / 2  # a point is the middle of its pixel
        ends = np.array(
            [
                [on.left - half, on.bottom + (on.rows - 1) * on.cell + half],
                [on.left + (on.columns - 1) * on.cell + half, on.bottom - half],
            ]
        )
        (x0, y0), (x1, y1) = scene.plane.to_screen(ends) / scene.ratio
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(corner.x() + x0, corner.y() + y0, x1 - x0, y1 - y0), self._picture[1])
        painter.restore()


FINER = 4  # pixels of the picture between two points: what is between them is interpolated as log p, not as colour


def _finer(grid: np.ndarray) -> np.ndarray:
    """(R, C) → (FINER·(R−1)+1, FINER·(C−1)+1), bilinear."""
    rows, columns = grid.shape
    spread = np.full((FINER * (rows - 1) + 1, FINER * (columns - 1) + 1), np.nan)
    spread[::FINER, ::FINER] = grid
    return lattice.filled(spread, FINER)


def subject(trace: Trace) -> str:
    """What decides a run's density, as a text: equal for runs whose maps are equal."""
    request = trace.header.request
    deciding = {name: request.get(name) for name in DECIDING}
    return json.dumps([trace.header.checkpoint_sha256, deciding], sort_keys=True, default=str)
