"""The seed: a whole number, dice, and a lock."""

from __future__ import annotations

import random

from PySide6.QtCore import QRegularExpression, Signal, Slot
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from diffstudio.gui.kit import actions, icons
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr

MAX_SEED = 2**63 - 1


class SeedField(QWidget):
    """A whole number, dice, and a lock that keeps the dice from changing it."""

    changed = Signal()

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.edit = QLineEdit("0")
        self.edit.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]{1,19}"), self.edit))
        self.dice, self.lock = QToolButton(), QToolButton()
        for button in (self.dice, self.lock):
            button.setProperty("field", True)
        self.lock.setCheckable(True)
        self.dice.setToolTip(actions.tooltip("new_seed"))
        self.lock.setToolTip(tr("Keep this seed: the dice leave it alone."))
        self.dice.setAccessibleName(tr("Roll the dice"))
        self.lock.setAccessibleName(tr("Lock the seed"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.dice)
        layout.addWidget(self.lock)
        self.edit.editingFinished.connect(self.changed)
        self.dice.clicked.connect(self.roll)
        self.lock.toggled.connect(self._on_lock)
        self.apply_theme(tokens)

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        self._tokens = tokens
        self.dice.setIcon(icons.icon("dice", tokens))
        self._on_lock(self.lock.isChecked())

    def value(self) -> int:
        """The seed, 0 where the field is empty."""
        return min(int(self.edit.text() or 0), MAX_SEED)

    def set_value(self, seed: float) -> None:
        """Set the seed."""
        self.edit.setText(str(int(seed)))
        self.changed.emit()

    @Slot()
    def roll(self) -> None:
        """Another seed, unless locked."""
        if not self.lock.isChecked():
            self.set_value(random.SystemRandom().randrange(2**31))

    @Slot(bool)
    def _on_lock(self, locked: bool) -> None:
        colour = self._tokens.on_accent if locked else None
        self.lock.setIcon(icons.icon("lock" if locked else "unlock", self._tokens, colour))
        self.dice.setEnabled(not locked)
