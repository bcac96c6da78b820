"""A card for weights without one: what they tell, what the user tells, and whether both fit. It needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.networks import build


def check_fits(path: Path, found: Mapping[str, Any]) -> None:
    """Whether the weights are those of the network that a card's entries describe; no weight is loaded.

    Raises:
        NotFound, BadFile: they are not, or the file can't be read; the first tensor that differs is named.
    """
    card = Card.model_validate({"name": "weights", "step": 0, "data": {"dataset": ""}, **found})
    where = shown(path, 400)
    expected = {name: tuple(weight.shape) for name, weight in build(card, where).state_dict().items()}
    stored = {name: tuple(tensor.shape) for name, tensor in Look(path).tensors.items()}
    for name in sorted(expected.keys() | stored.keys()):
        if expected.get(name) != stored.get(name):
            has, wants = stored.get(name, "nothing"), expected.get(name, "nothing")
            raise BadFile(f"{where}: tensor '{shown(name)}' is {has}, the card's network has {wants} of that name")
