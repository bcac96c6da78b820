"""The card that a checkpoint carries, for the tests of all that write one."""

from __future__ import annotations

from pathlib import Path

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.header import card_of, read_header


def read_card(path: Path) -> Card:
    """The card in the header of a .safetensors file."""
    return card_of(read_header(path))
