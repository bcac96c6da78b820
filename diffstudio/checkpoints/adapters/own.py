"""DiffStudio's own checkpoints: one .safetensors file with the card in its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diffstudio.checkpoints.adapters.adapter import Adapter
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.header import CARD_KEY, card_of
from diffstudio.checkpoints.store import load_weights

if TYPE_CHECKING:
    from torch import Tensor


def recognises(look: Look) -> bool:
    """A header with a card."""
    return look.kind == "safetensors" and CARD_KEY in look.header.metadata


def card(look: Look) -> Card:
    """The card in the header. Raises: as `card_of`."""
    return card_of(look.header)


def weights(look: Look) -> dict[str, Tensor]:
    """The weights, once their sha256 is the card's. Raises: as `load_weights`."""
    return load_weights(look.path)


OWN = Adapter(
    name="",
    label="DiffStudio .safetensors",
    opens="every network in our registry, trained here or written by `store.save`",
    recognised=f"the key {CARD_KEY} in the header's metadata",
    asks="nothing",
    refuses="weights that do not fit the card, that are not finite, or whose sha256 differs",
    recognises=recognises,
    card=card,
    weights=weights,
)
