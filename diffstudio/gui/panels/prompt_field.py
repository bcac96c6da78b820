"""The letters of a text that the user fixes, checked while they are typed."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadInput
from diffstudio.gui.fonts import monospace
from diffstudio.gui.widgets import Note, label
from diffstudio.gui.words import count, tr
from diffstudio.modalities.text_file import read_prompt

LETTERS = 13  # pixels


class PromptField(QWidget):
    """A line of letters, how many there are, and what is wrong with them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._card: Card | None = None
        self.edit = QLineEdit()
        self.edit.setFont(monospace(LETTERS))
        self.edit.setPlaceholderText(tr("th_ng: _ is free"))
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
        """Whose letters they are, and how many there can be."""
        self._card = card if card.text is not None else None
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
