"""Prompts: what to draw, in words, or the letters of a text that stay, which are checked while they are typed."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadInput
from diffstudio.gui.kit.fonts import monospace
from diffstudio.gui.kit.widgets import Note, label
from diffstudio.gui.kit.words import count, tr
from diffstudio.modalities.text_file import read_prompt

LETTERS = 13  # pixels
MOST = 10_000  # characters, as a request takes them


class PromptField(QWidget):
    """A line of words or letters; of letters how many there are, and what is wrong with them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._card: Card | None = None
        self.edit = QLineEdit()
        self.edit.setMaxLength(MOST)
        self._plain = self.edit.font()
        self.counter = label("", "dim")
        self.note = Note("dim")
        self.note.hide()
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.edit, 1)
        line.addWidget(self.counter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.note)
        self.edit.textChanged.connect(self._on_text)
        self.edit.editingFinished.connect(self.changed)

    def set_card(self, card: Card) -> None:
        """Who is told it: of letters how many there can be."""
        self._card = card if card.text is not None else None
        words = card.prompts is not None
        self.edit.setFont(self._plain if words else monospace(LETTERS))
        self.edit.setPlaceholderText(tr("a red fox in the snow") if words else tr("th_ng: _ is free"))
        self.counter.setVisible(not words)
        self._on_text()

    def value(self) -> str:
        """What is typed, also what can't be used: a run with it is refused with the sentence."""
        return self.edit.text()

    def set_value(self, prompt: str) -> None:
        """Show a prompt."""
        if prompt != self.value():
            self.edit.setText(prompt)
            self.edit.setCursorPosition(0)
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
        length = card.shape[1] if card is not None else 0
        self.counter.setText(tr("{} / {}").format(count(len(text)), count(length)))
        problem = ""
        if card is not None and card.text is not None:
            try:
                read_prompt(text, card.text, length)
            except BadInput as error:
                problem = str(error)
        self.note.setText(problem)
        self.note.setVisible(bool(problem))


class NegativeField(QLineEdit):
    """A line of words."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaxLength(MOST)
        self.setPlaceholderText(tr("what it should not be"))
        self.editingFinished.connect(self.changed)

    def value(self) -> str:
        """What is typed."""
        return self.text()

    def set_value(self, prompt: str) -> None:
        """Show a negative prompt."""
        if prompt != self.value():
            self.setText(prompt)
            self.setCursorPosition(0)
            self.changed.emit()
