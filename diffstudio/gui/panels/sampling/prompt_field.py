"""Prompts: what to draw, in words, or the letters of a text that stay, which are checked while they are typed."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadInput
from diffstudio.gui.kit.widgets import Note, label
from diffstudio.gui.kit.words import count, tr
from diffstudio.gui.panels.sampling.prompt_edit import PromptEdit
from diffstudio.modalities.text_file import read_prompt

MOST = 10_000  # characters, as a request takes them
WORDS = 2  # lines that a prompt in words has at least


class PromptField(QWidget):
    """Words or letters; of letters how many there are, where the cursor stands, and what is wrong with them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._card: Card | None = None
        self.mistake = ""
        self.edit = PromptEdit()
        self.counter, self.place = label("", "dim"), label("", "dim")
        self.note = Note("wrong")
        self.note.hide()
        self._foot = QWidget()
        line = QHBoxLayout(self._foot)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.place, 1)
        line.addWidget(self.counter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.edit)
        layout.addWidget(self._foot)
        layout.addWidget(self.note)
        self.edit.textChanged.connect(self._on_text)
        self.edit.cursorPositionChanged.connect(self._on_cursor)
        self.edit.editingFinished.connect(self.changed)

    def set_card(self, card: Card) -> None:
        """Who is told it: of letters how many there can be."""
        self._card = card if card.text is not None else None
        words = card.prompts is not None
        self.edit.set_cells(0 if self._card is None else self._card.shape[1])
        example = tr("Say what to draw, e.g. a red fox in the snow") if words else _example(self._card)
        self.edit.setPlaceholderText(example)
        self._foot.setVisible(not words)
        self._on_text()

    def value(self) -> str:
        """What is typed, also what can't be used: a run with it is refused with the sentence."""
        return self.edit.text()[:MOST]

    def set_value(self, prompt: str) -> None:
        """Show a prompt."""
        if prompt != self.value():
            self.edit.setText(prompt)
            self.changed.emit()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.edit.setToolTip(text)

    @Slot()
    def _on_text(self) -> None:
        text, card = self.edit.text(), self._card
        length = card.shape[1] if card is not None else MOST
        self.counter.setText(tr("{} / {}").format(count(len(text)), count(length)))
        self.mistake = _too_long(text, MOST)
        if card is not None and card.text is not None:
            try:
                read_prompt(text, card.text, length)
            except BadInput as error:
                self.mistake = str(error)
        self.note.setText(self.mistake)
        self.note.setVisible(bool(self.mistake))
        self._on_cursor()

    @Slot()
    def _on_cursor(self) -> None:
        self.place.setText(tr("letter {}").format(count(self.edit.place)))
        self.edit.viewport().update()


class NegativeField(PromptEdit):
    """What guidance leads away from, in words."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText(tr("what it should not be"))
        self.editingFinished.connect(self.changed)

    @property
    def mistake(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return _too_long(self.text(), MOST)

    def value(self) -> str:
        """What is typed."""
        return self.text()[:MOST]

    def set_value(self, prompt: str) -> None:
        """Show a negative prompt."""
        if prompt != self.value():
            self.setText(prompt)
            self.changed.emit()


def _example(card: Card | None) -> str:
    """What may be typed for a text, by an example that fits in it."""
    if card is not None and card.shape[1] >= 40:
        return tr("the ____ of: these letters stay, each _ is filled in")
    return tr("th_ng: _ is filled")


def _too_long(text: str, most: int) -> str:
    if len(text) <= most:
        return ""
    sentence = tr("the prompt has {} characters, expected at most {}: shorten it")
    return sentence.format(count(len(text)), count(most))
