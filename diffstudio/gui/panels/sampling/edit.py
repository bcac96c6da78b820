"""The fold for edits: how far data are noised, what of them is kept, and noise between or near others."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from diffstudio.checkpoints.card import Card
from diffstudio.gui.kit.number_box import MAX_SEED
from diffstudio.gui.kit.theme import Tokens
from diffstudio.gui.kit.titles import title
from diffstudio.gui.kit.words import tr
from diffstudio.gui.panels.fields import CheckField, CountField, NumberField
from diffstudio.gui.panels.rows import Row, RowGroup
from diffstudio.gui.panels.sampling.mask_field import MaskField
from diffstudio.gui.panels.sampling.region_field import RegionField
from diffstudio.studio.request.request import Request

SMALLEST = 0.001  # a strength is more than 0


class EditFields(RowGroup):
    """What a run from data keeps of them, and which noise a run from noise begins with."""

    def __init__(self, tokens: Tokens, spacing: int) -> None:
        self.strength = NumberField(SMALLEST, 1, 0.05, decimals=2, even=True)
        self.mask_file = MaskField(tokens)
        self.region = RegionField()
        self.keep_pixels = CheckField(title("keep_pixels"))
        self.resample = CountField(1, 100)
        self.interpolate = OptionalSeed()
        self.variation = NumberField(0, 1, 0.05, decimals=2, even=True)
        self.variation_seed = CountField(0, MAX_SEED)
        super().__init__(
            {
                "strength": Row(
                    title("strength"),
                    self.strength,
                    tr(
                        "The noise level t to which the data are noised, where the chain starts: 1 is pure noise, near "
                        "0 little changes. It takes this share of the steps."
                    ),
                ),
                "mask": Row(title("mask"), self.mask_file, tr("White is drawn anew, black is kept of the source.")),
                "mask_region": Row(
                    title("mask_region"),
                    self.region,
                    tr("The same in words: what is drawn anew. With a mask, where both are."),
                ),
                "keep_pixels": Row(
                    "",
                    self.keep_pixels,
                    tr("Where the mask keeps them, pictures have the source's own pixels, not the autoencoder's."),
                ),
                "resample": Row(
                    title("resample"),
                    self.resample,
                    tr("How often each step is made: more fits the new region to the rest, and takes longer."),
                    short=True,
                ),
                "interpolate": Row(
                    title("interpolate"),
                    self.interpolate,
                    tr("The noise of the samples goes step by step from that of the seed to that of this one."),
                ),
                "variation": Row(
                    title("variation"),
                    self.variation,
                    tr("How far the noise of the samples goes from that of the seed towards others: 0 is off."),
                    short=True,
                ),
                "variation_seed": Row(
                    title("variation_seed"),
                    self.variation_seed,
                    tr("The seed of the first noise that the variations go towards."),
                    short=True,
                ),
            },
            _shown,
            spacing,
        )

        self.keep_pixels.setAccessibleName(self.keep_pixels.text())

    def set_card(self, card: Card) -> None:
        """Some masks are files, all are told in words; only an autoencoder comes near its pixels alone."""
        self.mask_file.set_meaning(card.seen)
        self.region.set_meaning(card.seen)
        self.rows["mask"].setVisible(card.seen.kind.read_mask is not None)
        self.rows["resample"].setVisible(not card.discrete)
        self.rows["keep_pixels"].setVisible(bool(card.decoded))

    def fields(self) -> dict[str, object]:
        """The request's fields."""
        return {name: row.field.value() for name, row in self.rows.items()}

    def apply_theme(self, tokens: Tokens) -> None:
        """Icons in other colours."""
        super().apply_theme(tokens)
        self.mask_file.apply_theme(tokens)


class OptionalSeed(QWidget):
    """On or off, and a seed."""

    changed = Signal()
    mistakeChanged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.on, self.seed = CheckField(""), CountField(0, MAX_SEED)
        self.seed.set_value(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.on, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.seed, 1)
        self.on.changed.connect(self._on_changed)
        self.seed.changed.connect(self._on_changed)
        self.seed.mistakeChanged.connect(self.mistakeChanged)
        self._on_changed()

    @property
    def mistake(self) -> str:
        """Why what is typed can't be used, "" if it can."""
        return self.seed.mistake if self.on.value() else ""

    def value(self) -> int | None:
        """The seed, None where it is off."""
        return int(self.seed.value()) if self.on.value() else None

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
        self.mistakeChanged.emit()
        self.changed.emit()


def _shown(request: Request) -> dict[str, Any]:
    """What the fields show of a request."""
    names = (
        "strength", "mask", "mask_region", "keep_pixels", "resample", "interpolate", "variation", "variation_seed",
    )  # fmt: skip
    return {name: getattr(request, name) for name in names}
