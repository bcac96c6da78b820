"""The track: film strip, lanes and playhead as one widget that keeps its still layer and takes the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from diffstudio.gui.kit.painted import painted
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.timeline import overlay
from diffstudio.gui.timeline.axis import Axis, fitted_side
from diffstudio.gui.timeline.clocks import Span, spans
from diffstudio.gui.timeline.compared import Compared, Comparison, compared, lanes_of
from diffstudio.gui.timeline.compared_painting import paint_numbers, paint_partings
from diffstudio.gui.timeline.hand import Hand
from diffstudio.gui.timeline.layer import Layer
from diffstudio.gui.timeline.reading import hover_text, read, trouble_of
from diffstudio.gui.timeline.rows import rows_for
from diffstudio.gui.timeline.scene import Scene, fonts
from diffstudio.gui.timeline.strip import paint_empty
from diffstudio.gui.timeline.thumbnails import Thumbnails
from diffstudio.traces.moment import Clock
from diffstudio.traces.reader import Trace

Records = Callable[[], dict[int, int | None]]  # of each run beside the leading one, by its mark
MARGIN = 24.0  # px that the playhead keeps from the view's edges when zoomed
NOTCH = 120  # of a mouse wheel
ZOOM_A_NOTCH = 1.25
GROWTH_MS = 100  # between repaints of the still layer while a run appends: sampling needs the processor too
AFTER_CANVAS_MS = 12  # a run's first picture is painted before the track: both at once would hold up the window


class Track(QAbstractSlider):
    """Paints the still layer and what moves over it; every move repaints only the places that changed.

    To a screen reader it is a slider over the records of both chains: that is all that it takes of Qt's own.
    """

    taken = Signal()  # the user took hold of the playhead
    menuWanted = Signal(QPoint)  # of the step at the playhead, at a place on the screen

    def __init__(self, playhead: Playhead, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playhead, self._tokens = playhead, tokens
        self._clock: Clock = "step"
        self._trace: Trace | None = None
        self._lead, self._runs = 0, ()  # the mark of the leading run, and those beside it
        self._records: Records = dict
        self._axis = Axis((), 1.0, 1.0)
        self._scene: Scene | None = None
        self._painted = QRegion()  # where the playhead was painted last
        self._stale = True  # the axis is not of this trace, clock or size
        self._wheel = 0
        self._growth = QTimer(self)
        self._growth.setSingleShot(True)
        self._growth.setInterval(GROWTH_MS)
        self._growth.timeout.connect(self._rebuild)
        self._more = QTimer(self)  # the next part of the still layer, when the window has seen to other events
        self._more.setSingleShot(True)
        self._more.setInterval(0)
        self._more.timeout.connect(self.update)
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(AFTER_CANVAS_MS)
        self._turn.timeout.connect(self._on_turn)
        self._thumbnails = Thumbnails(tokens, self)
        self._layer = Layer(self._thumbnails)
        self._hand = Hand(playhead)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._ringed = False  # it was reached with Tab
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Playhead: film strip and curves of both chains"))
        self._thumbnails.ready.connect(self._on_ready)
        playhead.moved.connect(self._on_moved)
        playhead.grew.connect(self._on_length)
        self.valueChanged.connect(self._on_value)
        playhead.rangeChanged.connect(self.update)
        playhead.markersChanged.connect(self.update)

    @property
    def axis(self) -> Axis:
        """What is in view."""
        return self._axis

    @property
    def spans(self) -> tuple[Span, ...]:
        """The chains as the axis has them."""
        self._current()
        return self._axis.spans

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace, whole."""
        self._trace = trace
        self._growth.stop()
        self._thumbnails.set_trace(trace)
        self._axis = Axis((), 1.0, 1.0)
        if trace is not None and not trace.complete and self.isVisible():
            self.setUpdatesEnabled(False)
            self._turn.start()
        self._rebuild()

    def refresh(self) -> None:
        """The trace has more records: the still layer follows a few times a second, the playhead at once."""
        self._thumbnails.refresh()
        if self._trace is None or self._trace.complete:
            self._rebuild()
        elif not self._growth.isActive():
            self._growth.start()

    @Slot()
    def _on_turn(self) -> None:
        self.setUpdatesEnabled(True)

    def hold_pictures(self, held: bool) -> None:
        """Let the film strip as it is, or go on with it."""
        self._thumbnails.hold(held)

    def set_what(self, tensor: str, sample: int) -> None:
        """Show another tensor or sample in the film strip."""
        self._thumbnails.set_what(tensor, sample)
        self._rebuild()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colours of another theme."""
        self._tokens = tokens
        self._thumbnails.set_tokens(tokens)
        self._rebuild()

    def set_runs(self, lead: int, runs: tuple[Compared, ...], records: Records) -> None:
        """Draw other runs beside the leading one, () none. records: which record of each stands at the playhead."""
        self._lead, self._runs, self._records = lead, runs, records
        self._rebuild()

    def set_clock(self, clock: str) -> None:
        """What the places along the axis mean."""
        self._clock = cast(Clock, clock)
        self._rebuild()

    def zoom(self, factor: float, anchor: float | None = None) -> None:
        """Zoom about a place in the view, or about the playhead."""
        if self._current() is None:
            return
        record = self._position()
        axis = self._axis.zoomed(factor, self._axis.x_of(record) if anchor is None else anchor)
        self._see(axis.showing(record, MARGIN, page=False) if anchor is None else axis)

    def zoom_fit(self) -> None:
        """Show everything."""
        self._see(self._axis.zoomed(0.0, 0.0))

    def sizeHint(self) -> QSize:
        return QSize(1000, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 110)

    @painted
    def paintEvent(self, painter: QPainter, event: QPaintEvent) -> None:
        scene = self._current()
        if scene is None:
            paint_empty(painter, self._tokens, self.size(), self.font())
            return
        painter.drawPixmap(0, 0, self._layer.pixmap(scene, self.size(), self.devicePixelRatioF()))
        if self._layer.unfinished:
            self._more.start()
        first, last = self._hand.range_of(scene)
        is_set = self._playhead.range_in is not None or self._playhead.range_out is not None
        overlay.paint_range(painter, scene, first, last, is_set)
        overlay.paint_markers(painter, scene, self._playhead.markers, event.rect())
        overlay.paint_trouble(painter, scene)
        record = self._position()
        x = scene.axis.x_of(record)
        if scene.comparison is not None:
            paint_partings(painter, scene, scene.comparison)
        overlay.paint_playhead(painter, scene, x)
        if scene.comparison is not None:
            paint_numbers(painter, scene, scene.comparison, record, self._records())
        else:
            overlay.paint_values(painter, scene, record, x)
        if self._ringed and self.hasFocus():
            painter.setPen(self._tokens.lane_a)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        self._painted = QRegion(overlay.playhead_rect(scene, x))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._rebuild()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._rebuild()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._hover_text(event.pos()), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        scene = self._current()
        if scene is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self.taken.emit()
        self._hand.press(scene, _at(event), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        scene = self._current()
        if scene is None:
            return
        if self._hand.grip:
            self._hand.move(scene, _at(event))
        elif QToolTip.isVisible():
            QToolTip.showText(event.globalPosition().toPoint(), self._hover_text(_at(event)), self)
        shape = self._hand.cursor(scene, _at(event))
        if shape != self.cursor().shape():
            self.setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        scene = self._current()
        if scene is not None and event.button() == Qt.MouseButton.LeftButton and self._hand.grip:
            self._hand.release(scene, _at(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        scene = self._current()
        if scene is not None and event.button() == Qt.MouseButton.LeftButton:
            self._hand.double(scene, _at(event))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Of the step under the mouse: the playhead goes there, so that it is seen what is meant."""
        scene, at = self._current(), event.globalPos()
        if scene is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            place = QPoint(round(scene.axis.x_of(self._position())), scene.rows.strip.center().y())
            at = self.mapToGlobal(place)
        else:
            self.taken.emit()
            self._hand.go(scene, event.pos())
        self.menuWanted.emit(at)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl zooms about the mouse; otherwise the wheel pans what is zoomed, or steps."""
        if self._current() is None:
            return
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(ZOOM_A_NOTCH ** (turn.y() / NOTCH), event.position().x())
        elif self._axis.zoom > 1:
            along = event.pixelDelta().x() or event.pixelDelta().y() or turn.x() or turn.y()
            self._see(self._axis.scrolled_to(self._axis.offset - along))
        else:
            self._wheel -= turn.y() or turn.x()
            steps = int(self._wheel / NOTCH)
            self._wheel -= steps * NOTCH
            if steps:
                self.taken.emit()
                self._playhead.move_by(steps)
        event.accept()

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        """Nothing: Qt would paint all of it anew at every move."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the arrows are the window's own keys

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._ringed:
            self.update()

    @Slot(int)
    def _on_length(self, length: int) -> None:
        self.setRange(0, max(0, length - 1))

    @Slot(int)
    def _on_value(self, value: int) -> None:
        """A screen reader moves the playhead."""
        if value != self._playhead.position:
            self.taken.emit()
            self._playhead.move_to(value)

    @Slot(int)
    def _on_moved(self, position: int) -> None:
        self._tell(position)
        scene = self._current()
        if scene is None:
            return
        record = self._position()
        axis = self._axis.showing(record, MARGIN, page=not self._hand.grip) if self._axis.zoom > 1 else self._axis
        if axis is not self._axis:
            self._see(axis)
            return
        if scene.comparison is not None:  # dots of other runs stand anywhere
            self.update()
            return
        region = QRegion(self._painted)
        region += overlay.playhead_rect(scene, scene.axis.x_of(record))
        for rect in overlay.value_rects(scene):
            region += rect
        self.update(region)

    def _tell(self, position: int) -> None:
        """Where the playhead is, for a screen reader."""
        self.blockSignals(True)
        self.setValue(position)
        self.blockSignals(False)
        trace = self._trace
        if QAccessible.isActive() and trace is not None and position < len(trace):
            self.setAccessibleDescription(hover_text(read(trace, self.spans, position)))

    @Slot(int)
    def _on_ready(self, record: int) -> None:
        self.update(self._layer.update_record(record))

    def _position(self) -> int:
        """The playhead's record; the trace may have changed a moment before the playhead does."""
        length = len(self._trace) if self._trace is not None else 0
        return max(0, min(self._playhead.position, length - 1))

    def _see(self, axis: Axis) -> None:
        self._axis = axis
        self._scene = None
        self.update()

    @Slot()
    def _rebuild(self) -> None:
        """Lay everything out anew before the next paint."""
        self._scene = None
        self._stale = True
        self.update()

    def _current(self) -> Scene | None:
        """The scene, laid out if need be; None while there is nothing to show."""
        if self._trace is None or not len(self._trace):
            return None
        if self._scene is None:
            self._scene = self._laid_out(self._trace)
        return self._scene

    def _laid_out(self, trace: Trace) -> Scene:
        font, small = fonts(self.font())
        lanes = lanes_of(trace, self._runs)
        line = QFontMetrics(font).height()
        chains = spans(trace, self._clock) if self._stale else self._axis.spans
        rows = rows_for(self.width(), self.height(), line, len(lanes))
        fitted = fitted_side(chains, self.width(), rows.side)
        rows = rows_for(self.width(), self.height(), line, len(lanes), fitted)
        if self._stale:
            self._axis = self._axis.fitted(chains, float(self.width()), float(rows.side))
            self._stale = False
        curves, lines = compared(trace, self._axis, self._clock, lanes[: len(rows.lanes)], self._runs)
        beside = Comparison(self._lead, self._runs, lines) if self._runs else None
        return Scene(trace, self._axis, rows, curves, self._tokens, self._clock, font, small, trouble_of(trace), beside)

    def _hover_text(self, at: QPoint) -> str:
        scene = self._current()
        if scene is None:
            return ""
        record = scene.axis.record_at(at.x())
        if record >= len(scene.trace):
            return tr("Not there yet.")
        return hover_text(read(scene.trace, scene.axis.spans, record))


def _at(event: QMouseEvent) -> QPoint:
    return event.position().toPoint()
