"""The fold for edits: how far data are noised, what of them is kept, and noise between or near others."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRegularExpression, Qt, Signal, Slot
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import CheckField, CountField, NumberField
from diffstudio.gui.panels.rows import Row, RowGroup
from diffstudio.gui.panels.sampling.mask_field import MaskField
from diffstudio.gui.panels.sampling.seed_field import MAX_SEED
from diffstudio.studio.request.request import Request

SMALLEST = 0.001  # a strength is more than 0


class EditFields(RowGroup):
    """What a run from data keeps of them, and which noise a run from noise begins with."""

    def __init__(self, tokens: Tokens, spacing: int) -> None:
        self.strength = NumberField(SMALLEST, 1, 0.05, decimals=2, even=True)
        self.mask_file = MaskField(tokens)
        self.resample = CountField(1, 100)
        self.interpolate = OptionalSeed(tr("to seed"))
        self.variation = NumberField(0, 1, 0.05, decimals=2, even=True)
        self.variation_seed = SeedEdit()
        super().__init__(
            {
                "strength": Row(
                    tr("Strength"),
                    self.strength,
                    tr("The share of the chain that the data go through: 1 all of it, near 0 little changes."),
                ),
                "mask": Row(tr("Mask"), self.mask_file, tr("White is repainted, black is kept of the source.")),
                "resample": Row(
                    tr("Repeat"),
                    self.resample,
                    tr("How often each step is made: more fits the new region to the rest, and takes longer."),
                ),
                "interpolate": Row(
                    tr("Between"), self.interpolate, tr("The noise of the samples goes from the seed to this one.")
                ),
                "variation": Row(
                    tr("Variation"),
                    self.variation,
                    tr("How far the noise of the samples goes from that of the seed towards others: 0 is off."),
                ),
                "variation_seed": Row(
                    tr("towards"), self.variation_seed, tr("The seed of the first noise that the variations go to.")
                ),
            },
            _shown,
            spacing,
        )

    def set_card(self, card: Card) -> None:
        """Only pictures have a mask, of their own size."""
        self.mask_file.set_shape(card.seen.shape)
        for name in ("mask", "resample"):
            self.rows[name].setVisible(card.meaning.kind.masked)

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        return {name: row.field.value() for name, row in self.rows.items()}

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        super().apply_theme(tokens)
        self.mask_file.apply_theme(tokens)


class SeedEdit(QLineEdit):
    """A seed that is typed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__("0")
        self.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]{1,19}"), self))
        self.editingFinished.connect(self.changed)

    def value(self) -> int:
        """The seed."""
        return min(int(self.text() or 0), MAX_SEED)

    def set_value(self, seed: int) -> None:
        """Set the seed."""
        if str(seed) != self.text():
            self.setText(str(seed))
            self.changed.emit()


class OptionalSeed(QWidget):
    """On or off, and a seed."""

    changed = Signal()

    def __init__(self, text: str) -> None:
        super().__init__()
        self.on, self.seed = CheckField(text), SeedEdit()
        self.seed.setText("1")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.on, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.seed, 1)
        self.on.changed.connect(self._on_changed)
        self.seed.changed.connect(self._on_changed)
        self._on_changed()

    def value(self) -> int | None:
        """The seed, None where it is off."""
        return self.seed.value() if self.on.value() else None

    def set_value(self, seed: int | None) -> None:
        """Show a seed; off, the number stays."""
        if seed is not None:
            self.seed.set_value(seed)
        self.on.set_value(seed is not None)

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.on.setAccessibleName(name)
        self.seed.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(text)
        self.on.setToolTip(text)
        self.seed.setToolTip(text)

    @Slot()
    def _on_changed(self) -> None:
        self.seed.setEnabled(self.on.value())
        self.changed.emit()


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    names = ("strength", "mask", "resample", "interpolate", "variation", "variation_seed")
    return {name: getattr(request, name) for name in names}
