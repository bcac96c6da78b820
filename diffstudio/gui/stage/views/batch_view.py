"""What the views of a batch of samples share: the grid and its scroll bar, the cursor, choosing a sample."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import SHY, count, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.attention import Attention
from diffstudio.gui.stage.views.grid import Grid
from diffstudio.gui.stage.views.view import View
from diffstudio.traces.reader import Trace


class Scene(Protocol):
    """What is shown, without the widget. room: for the samples.  problem: why they can't be shown, or ""."""

    tokens: Tokens
    trace: Trace | None
    k: int
    tensor: str
    sample: int
    single: bool
    scroll: int
    room: tuple[int, int]
    problem: str

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
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.setAccessibleName(tr("Scroll the samples"))
        self._bar.hide()
        self._bar.valueChanged.connect(self._changed)

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
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
        self._scene.sample = index
        if self._scene.grid is not None:
            self._bar.setValue(self._scene.grid.scroll_to(index, self._bar.value()))
        self._changed()

    def set_single(self, single: bool) -> None:
        """The selected sample alone; or the batch."""
        if single != self._scene.single:
            self._scene.single = single
            self._lay_out()

    def fit(self) -> None:
        """Undo scrolling."""
        self._bar.setValue(0)

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
        limit = 0 if scene.grid is None or scene.single else scene.grid.scroll_limit
        self._bar.setVisible(limit > 0)
        self._bar.setRange(0, limit)
        if scene.grid is not None:
            self._bar.setPageStep(scene.grid.view)
            self._bar.setSingleStep(scene.grid.height + scene.grid.gap)
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
        self._lay_out()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._under_cursor()
        if event.button() == Qt.MouseButton.LeftButton and found and not self._scene.single:
            self.sampleClicked.emit(found[0])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (self._scene.single or self._under_cursor()):
            self.singleWanted.emit(not self._scene.single)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._bar.event(event)  # it knows the user's settings for wheels and touchpads
