"""The seed: a whole number, dice, a new one for each run, and a lock that keeps it."""

from __future__ import annotations

import random

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from diffstudio.gui.kit import actions, icons
from diffstudio.gui.kit.number_box import MAX_SEED, NumberBox
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr

DIGITS = 9  # of a seed that the dice roll: short enough to be read and told


class SeedField(QWidget):
    """The lock keeps the seed: neither the dice nor "new seed each run" change it then."""

    changed = Signal()
    mistakeChanged = Signal()

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.edit = NumberBox(0, MAX_SEED)
        self.edit.setMinimumWidth(self.edit.fontMetrics().horizontalAdvance("0" * DIGITS) + 16)
        self.dice, self.each, self.lock = QToolButton(), QToolButton(), QToolButton()
        for button in (self.dice, self.each, self.lock):
            button.setProperty("slim", True)
        self.each.setCheckable(True)
        self.lock.setCheckable(True)
        self.dice.setToolTip(actions.tooltip("new_seed"))
        self.each.setToolTip(actions.tooltip("seed_each_run"))
        self.lock.setToolTip(actions.tooltip("lock_seed"))
        self.dice.setAccessibleName(tr("Roll the dice"))
        self.each.setAccessibleName(tr("New seed each run"))
        self.lock.setAccessibleName(tr("Lock the seed"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.edit, 1)
        for button in (self.dice, self.each, self.lock):
            layout.addWidget(button)
        self.edit.changed.connect(self.changed)
        self.edit.mistakeChanged.connect(self.mistakeChanged)
        self.dice.clicked.connect(self.roll)
        self.each.toggled.connect(self._show_buttons)
        self.lock.toggled.connect(self._show_buttons)
        self.apply_theme(tokens)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self._tokens = tokens
        self.dice.setIcon(icons.icon("dice", tokens))
        self._show_buttons()

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.edit.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.edit.setToolTip(text)

    @property
    def mistake(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return self.edit.mistake

    def value(self) -> int:
        """The seed."""
        return int(self.edit.value())

    def set_value(self, seed: float) -> None:
        """Set the seed."""
        self.edit.set_value(int(seed))

    @Slot()
    def roll(self) -> None:
        """Another seed, unless locked."""
        if not self.lock.isChecked():
            self.set_value(random.SystemRandom().randrange(10**DIGITS))

    def begin_run(self) -> None:
        """A run is to start: where each has a new seed it gets one, which stays in sight."""
        if self.each.isChecked():
            self.roll()

    @Slot()
    def _show_buttons(self) -> None:
        locked = self.lock.isChecked()
        inks = {on: self._tokens.on_accent if on else None for on in (False, True)}
        self.lock.setIcon(icons.icon("lock" if locked else "unlock", self._tokens, inks[locked]))
        self.each.setIcon(icons.icon("each", self._tokens, inks[self.each.isChecked() and not locked]))
        self.dice.setEnabled(not locked)
        self.each.setEnabled(not locked)
