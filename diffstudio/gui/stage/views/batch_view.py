"""What the views of a batch of samples share: the grid and its scroll bar, the cursor, choosing a sample."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import SHY, count, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.attention import Attention
from diffstudio.gui.stage.views.grid import Grid, Zoom, about
from diffstudio.gui.stage.views.view import View
from diffstudio.gui.stage.views.zoom_chip import ZoomChip
from diffstudio.traces.reader import Trace

NOTCH = 120  # angleDelta of one click of a mouse wheel
CLICK = 4  # logical pixels that a click may wander before it is a drag


class Scene(Protocol):
    """What is shown, without the widget. room: for the samples.  problem: why they can't be shown, or "".

    grid_zoom: how the grid is zoomed.  top_level: the largest that makes sense of it.
    """

    tokens: Tokens
    trace: Trace | None
    k: int
    tensor: str
    sample: int
    single: bool
    scroll: int
    room: tuple[int, int]
    problem: str
    grid_zoom: Zoom

    @property
    def top_level(self) -> int: ...

    @property
    def fitted_width(self) -> int: ...

    @property
    def grid(self) -> Grid | None: ...

    @property
    def ready(self) -> bool: ...

    def changed(self) -> None: ...

    def lay_out(self) -> None: ...

    def compose(self) -> None: ...


Shown = TypeVar("Shown", bound=Scene)


class BatchView(View, Generic[Shown]):
    """All samples in a grid that scrolls, or one of them. Such a view paints its scene and says what lies where.

    footer: logical pixels below the samples.
    """

    footer = legend.FOOTER

    def __init__(self, scene: Shown, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(name)
        self._scene = scene
        self._attention = Attention(self)
        self._attention.moved.connect(self.readoutChanged)
        self._attention.arrow.connect(self._on_arrow)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.setAccessibleName(tr("Scroll the samples"))
        self._bar.hide()
        self._bar.valueChanged.connect(self._changed)
        self.chip = ZoomChip(self)
        self.chip.clicked.connect(self.fit)
        self._turned = 0
        self._held: QPointF | None = None  # where the mouse took hold of a zoomed grid
        self._dragged = False

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        self._forget_zoom(trace)
        self._scene.trace, self._scene.k = trace, -1
        self._lay_out()

    def show_record(self, k: int) -> None:
        """Show a record."""
        if k != self._scene.k:
            self._scene.k = k
            self._changed()

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        self._scene.tensor = name
        self._changed()

    def set_sample(self, index: int) -> None:
        """Frame a sample, and scroll to it."""
        scene = self._scene
        scene.sample = index
        if scene.grid is not None and scene.grid_zoom.level:
            self._show_cell(scene.grid, index)
        elif scene.grid is not None:
            self._bar.setValue(scene.grid.scroll_to(index, self._bar.value()))
        self._changed()

    def sample_under_cursor(self) -> int | None:
        """The sample under the mouse; in the single view the one that is shown."""
        found = self._under_cursor()
        return found[0] if found else None

    def place_of(self, sample: int) -> QPoint:
        """The middle of its cell, as far as it is in view."""
        scene = self._scene
        if scene.single or scene.grid is None:
            return self.rect().center()
        x, y, width, height = scene.grid.cell(sample, scene.scroll)
        ratio = self._to_scene(QPointF(1, 0)).x()
        at = QPoint(round((x + width / 2) / ratio), round((y + height / 2) / ratio))
        return QPoint(max(0, min(at.x(), self.width() - 1)), max(0, min(at.y(), self.height() - 1)))

    def neighbour(self, across: int, down: int) -> int:
        """The sample so many columns and rows from the selected one; in the single view one after the other."""
        grid = self._scene.grid
        columns = grid.columns if grid is not None and not self._scene.single else 1
        return self._scene.sample + across + down * columns

    def set_single(self, single: bool) -> None:
        """The selected sample alone; or the batch."""
        if single != self._scene.single:
            self._scene.single = single
            self._lay_out()

    @Slot()
    def fit(self) -> None:
        """Undo zoom, pan and scrolling."""
        self._scene.grid_zoom = Zoom()
        self._bar.setValue(0)
        self._lay_out()

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._scene.tokens = tokens
        self._changed()

    def readout(self) -> str:
        """The sample under the cursor (else the selected one), and what the view says of the place."""
        scene = self._scene
        if not scene.ready or scene.trace is None:
            return ""
        scene.compose()
        found = self._under_cursor()
        index = found[0] if found else scene.sample
        first = tr("sample {} of {}").format(count(index + 1), count(scene.trace.batch))
        return f" {SHY} ".join([first, *self._details(found)])

    def _under_cursor(self) -> Any:
        """A tuple that begins with the sample under the cursor, None where there is none."""
        raise NotImplementedError

    def _details(self, found: Any) -> list[str]:
        """What the readout says after the number of the sample; found: what is `_under_cursor`."""
        raise NotImplementedError

    # -- zoom

    def zoom_by(self, steps: int, at: QPointF) -> None:
        """So many sizes larger (or smaller: negative) about a place of the widget, which stays where it is."""
        scene, place = self._scene, self._to_scene(at)
        level = max(0, min(scene.grid_zoom.level + steps, scene.top_level))
        if scene.single or scene.grid is None or level == scene.grid_zoom.level:
            return
        before, scroll = scene.grid, 0 if scene.grid_zoom.level else scene.scroll
        scene.grid_zoom = Zoom(level)
        scene.lay_out()
        if level:
            scene.grid_zoom = Zoom(level, *about(before, scene.grid, place.x(), place.y(), scroll))
        self._lay_out()

    def pan_by(self, dx: float, dy: float) -> None:
        """Move a zoomed grid by so many pixels of the scene."""
        scene = self._scene
        if scene.grid is not None and scene.grid_zoom.level:
            scene.grid_zoom = Zoom(scene.grid_zoom.level, scene.grid.left + dx, scene.grid.top + dy)
            self._lay_out()

    def _show_cell(self, grid: Grid, index: int) -> None:
        """Move a zoomed grid so far that a cell is wholly in view."""
        x, y, width, height = grid.cell(index)
        by = [
            min(0, extent - at - size) if at + size > extent else max(0, -at)
            for at, size, extent in ((x, width, self._scene.room[0]), (y, height, self._scene.room[1]))
        ]
        self.pan_by(*by)

    def _forget_zoom(self, trace: Trace | None) -> None:
        """Another batch is seen whole at first; between runs of one size the eye stays where it was."""
        before = self._scene.trace
        if trace is None or before is None:
            same = False
        else:
            same = (trace.batch, trace.sample_shape) == (before.batch, before.sample_shape)
        if not same:
            self._scene.grid_zoom = Zoom()

    @property
    def _times(self) -> float | None:
        """How many times as large as fitted; None where it is fitted."""
        scene = self._scene
        if scene.single or scene.grid is None or not scene.grid_zoom.level:
            return None
        return scene.grid.width / max(1, scene.fitted_width)

    def _to_scene(self, at: QPointF) -> QPointF:
        """A place of the widget in the scene's pixels."""
        return at

    # -- layout

    def _measure(self) -> tuple[int, int]:
        """Room for the samples, in the scene's pixels."""
        return max(1, self.width()), max(1, self.height() - self.footer)

    @Slot()
    def _changed(self) -> None:
        self._scene.scroll = self._bar.value()
        self._scene.changed()
        self.update()
        self.readoutChanged.emit()

    def _lay_out(self) -> None:
        """The grid for the present room, and the range of the scroll bar."""
        scene = self._scene
        scene.room = self._measure()
        scene.lay_out()
        limit = 0 if scene.grid is None or scene.single or scene.grid_zoom.level else scene.grid.scroll_limit
        self._bar.setVisible(limit > 0)
        self._bar.setRange(0, limit)
        if scene.grid is not None:
            self._bar.setPageStep(scene.grid.view)
            self._bar.setSingleStep(scene.grid.height + scene.grid.gap)
        self.chip.say(self._times)
        self._changed()

    def _paint_problem(self, painter: QPainter) -> None:
        """Why nothing can be shown, where that is so; and the frame that says where the keyboard is."""
        scene = self._scene
        if scene.problem:
            legend.paint_message(painter, QRectF(self.rect()).adjusted(24, 24, -24, -24), scene.problem, scene.tokens)
        if self._attention.focus_shown:
            legend.paint_focus(painter, QRectF(self.rect()), scene.tokens)

    # -- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        width = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - width, 0, width, self.height() - self.footer)
        self.chip.place()
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._scene.single:
            return
        self._held, self._dragged = event.position(), False
        if not self._scene.grid_zoom.level:
            self._click()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None or not self._scene.grid_zoom.level:
            return
        moved = event.position() - self._held
        if self._dragged or moved.manhattanLength() > CLICK:
            moved = self._to_scene(event.position()) - self._to_scene(self._held)
            self._dragged, self._held = True, event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.pan_by(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._held is not None and self._scene.grid_zoom.level and not self._dragged:
            self._click()  # of a zoomed grid only here: until then it may become a drag
        self._held, self._dragged = None, False
        self.unsetCursor()

    def _click(self) -> None:
        found = self._under_cursor()
        if found:
            self.sampleClicked.emit(found[0])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (self._scene.single or self._under_cursor()):
            self.singleWanted.emit(not self._scene.single)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """It zooms; a batch that is longer than the view is scrolled, and zoomed with Ctrl."""
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self._scene.single or (self._bar.isVisible() and not ctrl):
            self._bar.event(event)  # it knows the user's settings for wheels and touchpads
            return
        steps = self._notches(event)
        if steps:
            self.zoom_by(steps, event.position())
        event.accept()

    def _notches(self, event: QWheelEvent) -> int:
        """Whole clicks of the wheel; a touchpad's parts of one are added up."""
        self._turned += event.angleDelta().y()
        steps = int(self._turned / NOTCH)
        self._turned -= steps * NOTCH
        return steps
