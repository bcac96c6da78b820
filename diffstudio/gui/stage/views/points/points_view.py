"""Points at the playhead: the cloud in the plane with its trails, the data below, contours and the score field."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from diffstudio.errors import BadFile
from diffstudio.gui.kit.painted import painted, painter_on
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.attention import Attention
from diffstudio.gui.stage.views.points import axes, heat, points_words
from diffstudio.gui.stage.views.points.density_map import DensityMap
from diffstudio.gui.stage.views.points.point_path import paint_path, paint_ring
from diffstudio.gui.stage.views.points.points_scene import POINTS_OPTIONS, PointsScene
from diffstudio.gui.stage.views.points.score_field import ScoreField
from diffstudio.gui.stage.views.points.trails import Paths
from diffstudio.gui.stage.views.view import DENSITY, SCORE, View
from diffstudio.gui.stage.views.zoom_chip import ZoomChip
from diffstudio.traces.reader import Trace

NEAR = 10  # logical pixels between the cursor and the point that it means
CLICK = 4  # logical pixels that a click may wander before it is a drag
ZOOM = 1.25  # for one click of a mouse wheel (angleDelta 120)


class PointsView(View):
    """Draws records of points traces."""

    options = POINTS_OPTIONS

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("Points at the playhead"))
        self._scene = PointsScene(tokens)
        self._paths = Paths()
        self._score = ScoreField(self._scene, self)
        self._score.wanted.connect(partial(self.modelWanted.emit, SCORE))
        self.density = DensityMap(self._scene, self)
        self.density.wanted.connect(partial(self.modelWanted.emit, DENSITY))
        self.density.changed.connect(self._on_density)
        self._attention = Attention(self)
        self._attention.moved.connect(self.readoutChanged)
        self._attention.arrow.connect(self._on_arrow)
        self.chip = ZoomChip(self)
        self.chip.clicked.connect(self.fit)
        self._pressed: QPointF | None = None
        self._dragged = False

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        if trace.sample_shape == (2,):
            return ""
        return tr("This trace's samples are not points of the plane: their shape is {}.").format(trace.sample_shape)

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self._scene.set_trace(trace)
        self._changed()

    def show_record(self, k: int) -> None:
        """Show a record."""
        if k != self._scene.k:
            self._scene.k = k
            self._changed()

    def refresh(self) -> None:
        """More records exist: the bounds may be others, the path of a point goes on."""
        self._scene.find_bounds()
        self._changed()

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        self._scene.tensor = name
        self._changed()

    def set_sample(self, index: int) -> None:
        """Ring a point."""
        self._scene.sample = index
        self._changed()

    def sample_under_cursor(self) -> int | None:
        """The point that the mouse means."""
        return self._under_cursor()

    def place_of(self, sample: int) -> QPoint:
        """Where a point is drawn, as far as it is in view."""
        self._scene.compose()
        if sample >= len(self._scene.at) or not np.isfinite(self._scene.at[sample]).all():
            return self.rect().center()
        at = self._plot().topLeft() + QPointF(*self._scene.at[sample]) / self._scene.ratio
        return QPoint(max(0, min(round(at.x()), self.width() - 1)), max(0, min(round(at.y()), self.height() - 1)))

    def neighbour(self, across: int, down: int) -> int:
        """Points have no rows: the next, or the one before."""
        return self._scene.sample + across + down

    def set_single(self, single: bool) -> None:
        """The selected point and its path alone, the others faint; or all."""
        self._scene.single = single
        self._changed()

    def set_option(self, name: str, on: bool) -> None:
        """Switch one of `options`."""
        self._scene.options[name] = on
        self._changed(base=name in ("underlay", "log_p"))

    def missing(self, option: str) -> str:
        """Why an option can't be had of this trace: a sentence, or ""."""
        if option == "underlay" and self._scene.data is None:
            return tr("The data that this model was trained on are not at hand.")
        return ""

    def option(self, name: str) -> bool:
        """Whether an option is on."""
        return self._scene.options[name]

    def take_found(self, kind: str, about: Any, found: Any) -> None:
        """Arrows, or log p at some places."""
        if kind == SCORE:
            self._score.answer(about, found)
            self.update()
        elif kind == DENSITY:
            self.density.answer(about, *found)

    def take_problem(self, kind: str, about: Any, sentence: str) -> None:
        """Without arrows nothing is said; the map has a line for it."""
        if kind == DENSITY:
            self.density.fail(about, sentence)

    @Slot()
    def fit(self) -> None:
        """Undo zoom and pan."""
        self._scene.moved = None
        self._changed(base=True)

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._scene.tokens = tokens
        self._changed(base=True)

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        ratio = self.devicePixelRatioF()
        out = QImage(int(self.width() * ratio), int(self.height() * ratio), QImage.Format.Format_RGB32)
        out.setDevicePixelRatio(ratio)
        with painter_on(out) as painter:
            self._paint_scene(painter)
        return out

    def readout(self) -> str:
        """The point under the cursor (else the selected one) and its recorded coordinates."""
        scene = self._scene
        if not scene.ready or scene.trace is None:
            return ""
        scene.compose()
        hovered = self._under_cursor()
        here = self._log_p_here()
        if here and hovered is None:
            return here
        return points_words.readout(scene, scene.sample if hovered is None else hovered, here)

    def _log_p_here(self) -> str:
        """log p under the cursor, and where that is; "" without a map."""
        cursor = self._attention.cursor
        if cursor is None or self._dragged or not self._plot().contains(cursor):
            return ""
        at = self._in_plot(cursor)
        x, y = self._scene.plane.to_world(at.x(), at.y())
        return points_words.log_p(self.density.value(x, y), x, y, self.density.is_interpolated(x, y))

    def _changed(self, base: bool = False) -> None:
        self._scene.changed(base)
        self.chip.say(None if self._scene.moved is None else self._scene.zoom)
        self._score.update()
        self.density.update()
        self.update()
        self.readoutChanged.emit()

    def _on_density(self) -> None:
        self._scene.changed(base=True)
        self.update()
        self.readoutChanged.emit()

    def _plot(self) -> QRectF:
        return axes.plot_box(self.width(), self.height())

    def _in_plot(self, at: QPointF) -> QPointF:
        """Device pixels from the plot's corner."""
        return (at - self._plot().topLeft()) * self._scene.ratio

    def _under_cursor(self) -> int | None:
        cursor = self._attention.cursor
        if cursor is None or self._dragged or not self._plot().contains(cursor):
            return None
        at = self._in_plot(cursor)
        return self._scene.nearest(at.x(), at.y(), NEAR * self._scene.ratio)

    # -- painting

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        self._paint_scene(painter)
        self._paint_chosen(painter)
        self._paint_notes(painter)
        if self._attention.focus_shown:
            legend.paint_focus(painter, QRectF(self.rect()), self._scene.tokens)

    def _paint_scene(self, painter: QPainter) -> None:
        self._scene.paint(painter, self.width(), self.height(), self.font(), self.density.paint)
        self._paint_arrows(painter)
        if self.density.highest is not None:
            painter.setFont(legend.small(self.font()))
            heat.paint_legend(painter, self._plot(), self.density.highest, self._scene.tokens)

    def _paint_arrows(self, painter: QPainter) -> None:
        plot = self._plot()
        painter.save()
        painter.setClipRect(plot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(plot.topLeft())
        self._score.paint(painter, self._scene.tokens)
        painter.restore()

    def _paint_chosen(self, painter: QPainter) -> None:
        """The selected point, and the one under the cursor with its path."""
        scene = self._scene
        if not len(scene.at) or scene.trace is None:
            return
        plot, hovered = self._plot(), self._under_cursor()
        painter.save()
        painter.setClipRect(plot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(plot.topLeft())
        followed = hovered if hovered is not None else scene.sample if scene.single else None
        try:
            if followed is not None:
                positions, here = self._paths.of(scene.trace, scene.k, scene.shown, followed)
                paint_path(painter, scene.plane.to_screen(positions) / scene.ratio, here, scene.tokens)
        except (BadFile, IndexError) as error:
            scene.problem = str(error)
        paint_ring(painter, scene.at[scene.sample] / scene.ratio, scene.tokens, selected=True)
        if hovered is not None:
            paint_ring(painter, scene.at[hovered] / scene.ratio, scene.tokens, selected=False)
        painter.restore()

    def _paint_notes(self, painter: QPainter) -> None:
        scene, plot = self._scene, self._plot().adjusted(10, 6, -10, -6)
        painter.setFont(legend.small(self.font()))
        if scene.problem:
            legend.paint_message(painter, plot.adjusted(24, 24, -24, -24), scene.problem, scene.tokens)
        if scene.ready:
            note = points_words.note(scene, self._score.longest, self.density.note)
            legend.paint_grounded(painter, QRectF(plot.left(), plot.top(), plot.width(), 16), note, scene.tokens)

    # -- mouse

    def resizeEvent(self, event: QResizeEvent) -> None:
        scene, plot = self._scene, self._plot()
        scene.ratio = self.devicePixelRatioF()
        before, scene.room = scene.room, (int(plot.width() * scene.ratio), int(plot.height() * scene.ratio))
        if scene.moved is not None:
            scene.moved = scene.moved.panned(*((a - b) / 2 for a, b in zip(scene.room, before, strict=True)))
        self._changed(base=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            moved = event.position() - self._pressed
            if self._dragged or moved.manhattanLength() > CLICK:
                self._dragged, self._pressed = True, event.position()
                ratio = self._scene.ratio
                self._scene.moved = self._scene.plane.panned(moved.x() * ratio, moved.y() * ratio)
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self._changed(base=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        was_drag, self._pressed, self._dragged = self._dragged, None, False
        self.unsetCursor()
        found = self._under_cursor()
        if not was_drag and found is not None:
            self.sampleClicked.emit(found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (self._scene.single or self._under_cursor() is not None):
            self.singleWanted.emit(not self._scene.single)

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = self._in_plot(event.position())
        self._scene.moved = self._scene.plane.zoomed(ZOOM ** (event.angleDelta().y() / 120), at.x(), at.y())
        self._changed(base=True)
        event.accept()
