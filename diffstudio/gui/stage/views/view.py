"""What the canvas asks of a view, whatever the modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QWidget

from diffstudio.gui.kit.theme import Tokens
from diffstudio.traces.reader import Trace

# The kinds of questions that a view may put to the model; `gui.inquiries` says what their parts and answers are.
SCORE, DENSITY, PICTURES = "score", "density", "pictures"


class View(QWidget):
    """Draws one record of a trace. What only some views can do (play, copy as text) they say themselves, in `verbs`.

    options: of the header's switches (`options.OPTIONS`), those that it has.
    """

    readoutChanged = Signal()
    sampleClicked = Signal(int)
    singleWanted = Signal(bool)
    wanted = Signal(str, object)  # kind, question for `gui.background`; the answer comes by `take_answer`
    modelWanted = Signal(str, object, object)  # kind, about, parts for `gui.inquiries`: `take_found`, `take_problem`
    told = Signal(str)  # a sentence for the status bar
    menuWanted = Signal(QPoint)  # of the selected sample, at a place on the screen
    options: tuple[str, ...] = ()

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        raise NotImplementedError

    def verbs(self) -> Mapping[str, Callable[[], object]]:
        """What of the window's actions this view does, by their ids in `kit.actions`."""
        return {}

    # -- what is shown

    def set_trace(self, trace: Trace | None) -> None:
        """Show another trace; nothing until `show_record`."""
        raise NotImplementedError

    def show_record(self, k: int) -> None:
        """Show a record."""
        raise NotImplementedError

    def refresh(self) -> None:
        """More records exist: what is drawn of one does not change."""

    def set_tensor(self, name: str) -> None:
        """Which of `fields.TENSORS` is shown."""
        raise NotImplementedError

    def set_sample(self, index: int) -> None:
        """Select a sample."""
        raise NotImplementedError

    def sample_under_cursor(self) -> int | None:
        """The sample under the mouse; None where there is none."""
        raise NotImplementedError

    def place_of(self, sample: int) -> QPoint:
        """Where a sample is drawn, for a menu: a place of the widget."""
        return self.rect().center()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        under = None if by_key else self.sample_under_cursor()
        if under is not None:
            self.sampleClicked.emit(under)
        self.menuWanted.emit(QPoint() if by_key else event.globalPos())
        event.accept()

    def neighbour(self, across: int, down: int) -> int:
        """The number of the sample so many columns and rows from the selected one; it may be out of the batch."""
        raise NotImplementedError

    @Slot(int, int)
    def _on_arrow(self, across: int, down: int) -> None:
        self.sampleClicked.emit(max(0, self.neighbour(across, down)))

    def set_single(self, single: bool) -> None:
        """The selected sample alone; or the batch."""
        raise NotImplementedError

    def set_option(self, name: str, on: bool) -> None:
        """Draw something more, or not. ValueError: there is no such option."""
        raise ValueError(f"{type(self).__name__} has no option '{name}'")

    def missing(self, option: str) -> str:
        """Why one of `options` can't be had of this trace: a sentence, or ""."""
        return ""

    def fit(self) -> None:
        """Undo zoom, pan and scrolling."""
        raise NotImplementedError

    def apply_theme(self, tokens: Tokens) -> None:
        """Other colours."""
        raise NotImplementedError

    # -- what is said of it

    def readout(self) -> str:
        """What the header says of the sample under the cursor, else of the selected one."""
        raise NotImplementedError

    def picture(self) -> QImage:
        """What is shown, without selection and notes."""
        raise NotImplementedError

    # -- answers

    def take_answer(self, kind: str, answer: object) -> None:
        """An answer to `wanted`; those to others come here too."""

    def take_found(self, kind: str, about: object, found: object) -> None:
        """An answer to `modelWanted`."""

    def take_problem(self, kind: str, about: object, sentence: str) -> None:
        """Why `modelWanted` has no answer."""
