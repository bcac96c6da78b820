"""The canvas: the centre of the window, a header and the view that fits the trace's modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QStackedWidget, QVBoxLayout, QWidget

from diffstudio.analysis.fields import TENSORS, available, meaningless
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.stage.header import Header
from diffstudio.gui.stage.overlay import Busy, EmptyPage
from diffstudio.gui.stage.run_bar import RunBar
from diffstudio.gui.stage.views.audio.audio_view import AudioView
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.options import OPTIONS, PASSING
from diffstudio.gui.stage.views.points.points_view import PointsView
from diffstudio.gui.stage.views.text.text_view import TextView
from diffstudio.gui.stage.views.video.video_view import VideoView
from diffstudio.gui.stage.views.view import View
from diffstudio.studio.export.pictures import tensor_title
from diffstudio.traces.reader import Trace

# The view of each modality; a new modality is a new row.
VIEWS: dict[str, type[PointsView | ImageView | VideoView | TextView | AudioView]] = {
    "points": PointsView,
    "image": ImageView,
    "video": VideoView,
    "text": TextView,
    "audio": AudioView,
}


class Canvas(QWidget):
    """Shows the record at the playhead. Tensor, sample, single and options are kept from one trace to the next."""

    tensorChanged = Signal(str)
    sampleChanged = Signal(int)
    singleChanged = Signal(bool)
    optionChanged = Signal(str, bool)
    wanted = Signal(str, object)  # as those of `View`
    modelWanted = Signal(str, object, object)
    told = Signal(str)
    menuWanted = Signal(QPoint)  # of the selected sample, at a place on the screen

    def __init__(self, playhead: Playhead, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Canvas"))
        self._playhead = playhead
        self._tokens = tokens
        self._trace: Trace | None = None
        self._tensor = "xt"
        self._sample = 0
        self._single = False
        self._options = dict(OPTIONS)
        self._views: dict[str, View] = {}
        self._view: View | None = None
        self.header = Header(tokens, self.readout, self)
        self.run_bar = RunBar()
        self.empty = EmptyPage(tokens)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.run_bar)
        layout.addWidget(self.header)
        layout.addWidget(self._stack, 1)
        self._busy = Busy(self)
        self._busy.apply_theme(tokens)
        self.header.tensorWanted.connect(self.set_tensor)
        self.header.singleWanted.connect(self._set_single)
        self.header.optionWanted.connect(self.set_option)
        playhead.moved.connect(self.show_step)
        self.header.set_tensor(self._tensor)
        for name, on in self._options.items():
            self.header.set_option(name, on)
        self.header.setVisible(False)

    # -- the trace

    def set_trace(self, trace: Trace | None) -> None:
        """Show a trace at the playhead, or the empty page."""
        self._trace = trace
        previous, self._view = self._view, None if trace is None else self._view_for(trace)
        if previous is not None and previous is not self._view:
            previous.set_trace(None)
        if trace is None or self._view is None:
            self._show_page(None)
            return
        self._offer(trace)
        for name in PASSING:
            self.set_option(name, False)
        self._view.set_trace(trace)
        self.set_sample(self._sample)  # a smaller batch may not have it
        self._view.set_tensor(self._tensor)
        self._view.set_sample(self._sample)
        self._view.set_single(self._single)
        for name in self._view.options:
            self._view.set_option(name, self._options[name])
            self.header.set_option_reason(name, self._view.missing(name))
        self.header.set_options(self._view.options, tr("All") if trace.meaning.kind.cloud else tr("Grid"))
        self._show_page(self._view)
        self.show_step(self._playhead.position)

    def refresh(self) -> None:
        """The trace has grown: at most 30 times a second."""
        if self._view is not None:
            self._view.refresh()
            self.show_step(self._playhead.position)

    def show_step(self, k: int) -> None:
        """Show record k; a record that the trace does not have (yet) leaves what is shown."""
        if self._view is None or self._trace is None or not 0 <= k < len(self._trace):
            return
        self.header.set_titles({name: tensor_title(self._trace, k, name) for name in TENSORS})
        self._view.show_record(k)

    def _view_for(self, trace: Trace) -> View | None:
        """The view that can show a trace; None, and the empty page says why, where there is none."""
        kind = VIEWS.get(trace.modality)
        problem = kind.problem(trace) if kind else tr("There is no view for traces of {} yet.").format(trace.modality)
        if problem:
            self.empty.set_text(problem)
            return None
        return self._view_of(trace.modality)

    def _view_of(self, modality: str) -> View:
        """The view, made when it is first needed."""
        if modality not in self._views:
            view = VIEWS[modality](self._tokens)
            view.readoutChanged.connect(self.header.readout.update)
            view.sampleClicked.connect(self.set_sample)
            view.singleWanted.connect(self._set_single)
            view.wanted.connect(self.wanted)
            view.modelWanted.connect(self.modelWanted)
            view.told.connect(self.told)
            view.menuWanted.connect(self._on_menu)
            self._views[modality] = view
            self._stack.addWidget(view)
            stops = [*self.header.findChildren(QAbstractButton)[-1:], view, *view.findChildren(QWidget)]
            for before, after in pairwise(stops):
                QWidget.setTabOrder(before, after)  # a view is made late, and Tab would reach it last of all
        return self._views[modality]

    def _offer(self, trace: Trace) -> None:
        """Enable what the trace holds; leave a tensor that it lacks."""
        held = available(trace)
        self.header.set_available(held, meaningless(trace))
        if self._tensor not in held and held:
            self.set_tensor(held[0])

    def _show_page(self, page: View | None) -> None:
        self._stack.setCurrentWidget(page or self.empty)
        self.header.setVisible(page is not None)

    # -- what is shown of it

    @property
    def tensor(self) -> str:
        """Which of `fields.TENSORS` is shown."""
        return self._tensor

    def set_tensor(self, name: str) -> None:
        """Show another tensor; one that the trace does not hold changes nothing. ValueError: none of TENSORS."""
        if name not in TENSORS:
            raise ValueError(f"no tensor '{name}': choose one of {', '.join(TENSORS)}")
        if self._view is not None and self._trace is not None and name not in available(self._trace):
            self.header.set_tensor(self._tensor)
            return
        self.header.set_tensor(name)
        if name != self._tensor:
            self._tensor = name
            if self._view is not None:
                self._view.set_tensor(name)
            self.tensorChanged.emit(name)

    def flip(self) -> None:
        """From x_t to x̂0; from any other to x_t."""
        self.set_tensor("x0_hat" if self._tensor == "xt" else "xt")

    @property
    def sample(self) -> int:
        """The selected sample."""
        return self._sample

    def set_sample(self, index: int) -> None:
        """Select a sample, within the batch."""
        index = max(0, min(index, (self._trace.batch if self._trace is not None else index + 1) - 1))
        if index != self._sample:
            self._sample = index
            if self._view is not None:
                self._view.set_sample(index)
            self.sampleChanged.emit(index)

    def step_sample(self, across: int, down: int) -> None:
        """Select the sample so many columns and rows further, where there is one."""
        if self._view is not None and self._trace is not None:
            index = self._view.neighbour(across, down)
            if 0 <= index < self._trace.batch:
                self.set_sample(index)

    @property
    def single(self) -> bool:
        """Whether one sample is shown alone."""
        return self._single

    def toggle_single(self) -> None:
        """The batch, or one sample alone."""
        self._set_single(not self._single)

    def _set_single(self, single: bool) -> None:
        self.header.set_single(single)
        if single != self._single:
            self._single = single
            if self._view is not None:
                self._view.set_single(single)
            self.singleChanged.emit(single)

    def option(self, name: str) -> bool:
        """Whether something more is drawn: one of `options.OPTIONS`."""
        return self._options[name]

    def set_option(self, name: str, on: bool) -> None:
        """Draw something more, or not; a view that can't does not. KeyError: no such option."""
        changed = self._options[name] != on
        self._options[name] = on
        self.header.set_option(name, on)
        if changed:
            if self._view is not None and name in self._view.options:
                self._view.set_option(name, on)
            self.optionChanged.emit(name, on)

    def fit(self) -> None:
        """Undo zoom, pan and scrolling."""
        if self._view is not None:
            self._view.fit()

    def verbs(self) -> Mapping[str, Callable[[], object]]:
        """What of the window's actions the view that is shown does, by their ids."""
        return {} if self._view is None else self._view.verbs()

    def offered(self) -> set[str]:
        """The ids of the window's actions that are the view's, and that make sense now: its verbs and its options."""
        if self._view is None:
            return set()
        return {*self._view.verbs(), *(name for name in self._view.options if not self._view.missing(name))}

    def act(self, action_id: str) -> None:
        """Let the view do an action; one that it has not changes nothing."""
        verb = self.verbs().get(action_id)
        if verb is not None:
            verb()

    # -- answers

    @Slot(str, object)
    def take_answer(self, kind: str, answer: object) -> None:
        """An answer to `wanted`; a view that is not seen has sounds to end."""
        for view in self._views.values():
            view.take_answer(kind, answer)

    @Slot(str, object, object)
    def take_found(self, kind: str, about: object, found: object) -> None:
        """An answer to `modelWanted`."""
        if self._view is not None:
            self._view.take_found(kind, about, found)

    @Slot(str, object, str)
    def take_problem(self, kind: str, about: object, sentence: str) -> None:
        """Why `modelWanted` has no answer."""
        if self._view is not None:
            self._view.take_problem(kind, about, sentence)

    # -- around it

    def readout(self) -> str:
        """What the header says of the sample under the cursor."""
        return "" if self._view is None else self._view.readout()

    def place_of_sample(self) -> QPoint:
        """Where the selected sample is drawn, on the screen."""
        if self._view is None:
            return self.mapToGlobal(self.rect().center())
        return self._view.mapToGlobal(self._view.place_of(self._sample))

    @Slot(QPoint)
    def _on_menu(self, at: QPoint) -> None:
        self.menuWanted.emit(self.place_of_sample() if at.isNull() else at)

    def picture(self) -> QImage:
        """What is shown, for the clipboard; null where nothing is."""
        return QImage() if self._view is None else self._view.picture()

    def show_empty(self, text: str) -> None:
        """What the empty page says."""
        self.empty.set_text(text)

    def set_busy(self, text: str | None) -> None:
        """A quiet word over the canvas while something is under way; None takes it away."""
        self._busy.say(text)
        self._place_busy()

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = self.empty.tokens = tokens
        self.header.apply_theme(tokens)
        self._busy.apply_theme(tokens)
        self.empty.update()
        for view in self._views.values():
            view.apply_theme(tokens)

    def state(self) -> dict[str, Any]:
        """What `restore` needs: plain values."""
        return {"tensor": self._tensor, "single": self._single, "options": dict(self._options)}

    def restore(self, state: dict[str, Any]) -> None:
        """Set what `state` gave; what is missing or not understood stays as it is."""
        if state.get("tensor") in TENSORS:
            self.set_tensor(str(state["tensor"]))
        if isinstance(state.get("single"), bool):
            self._set_single(state["single"])
        options = state.get("options")
        for name, on in options.items() if isinstance(options, dict) else ():
            if name in OPTIONS and isinstance(on, bool):
                self.set_option(name, on)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if not plain or self._view is None:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggle_single()
        elif event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.step_sample(1 if event.key() == Qt.Key.Key_PageDown else -1, 0)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_busy()

    def _place_busy(self) -> None:
        self._busy.move((self.width() - self._busy.width()) // 2, self.header.height() + 12)
        self._busy.raise_()
