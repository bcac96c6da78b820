"""What the canvas asks of a view, whatever the modality."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from diffstudio.gui.kit.theme import Tokens
from diffstudio.traces.reader import Trace

# The kinds of questions that a view may put to the model; `gui.inquiries` says what their parts and answers are.
SCORE, DENSITY, PICTURES = "score", "density", "pictures"


class View(QWidget):
    """Draws one record of a trace. Where a view has nothing of a kind (no sound, no text), it need not say so.

    options: of the header's switches (`options.OPTIONS`), those that it has.
    """

    readoutChanged = Signal()
    sampleClicked = Signal(int)
    singleWanted = Signal(bool)
    wanted = Signal(str, object)  # kind, question for `gui.background`; the answer comes by `take_answer`
    modelWanted = Signal(str, object, object)  # kind, about, parts for `gui.inquiries`: `take_found`, `take_problem`
    options: tuple[str, ...] = ()

    @staticmethod
    def problem(trace: Trace) -> str:
        """Why this view can't show a trace: a sentence, or ""."""
        raise NotImplementedError

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

    def text(self, every: bool) -> str:
        """What is shown as plain text, of all samples or the selected one; "" of what is no text."""
        return ""

    # -- answers

    def take_answer(self, kind: str, answer: object) -> None:
        """An answer to `wanted`; those to others come here too."""

    def take_found(self, kind: str, about: object, found: object) -> None:
        """An answer to `modelWanted`."""

    def take_problem(self, kind: str, about: object, sentence: str) -> None:
        """Why `modelWanted` has no answer."""

    # -- what plays

    def toggle_clip(self) -> None:
        """Play or pause the frames."""

    def step_frame(self, delta: int) -> None:
        """So many frames on."""

    def toggle_sound(self) -> None:
        """Play the selected sample's sound at the playhead, or be silent."""
