"""A card for weights without one: what they tell, what the user tells, and whether both fit. It needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffstudio.checkpoints.adapters import adapter_of
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.sidecar import trying
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile
from diffstudio.networks import build


def check_fits(path: Path, found: Mapping[str, Any]) -> None:
    """Whether the weights are those of the network that a card beside them with these entries describes.

    No weight is loaded. Weights that are renamed before they fit are not compared, their network is made alone.

    Raises:
        NotFound, BadFile: they are not, or the file can't be read; the first tensor that differs is named.
    """
    look, where = Look(path), shown(path, 400)
    with trying(path, found):
        adapter = adapter_of(look)
        expected = {name: tuple(tensor.shape) for name, tensor in build(adapter.card(look), where).state_dict().items()}
        if adapter.tensors is None:
            return
        stored = {name: tuple(tensor.shape) for name, tensor in adapter.tensors(look).items()}
    for name in sorted(expected.keys() | stored.keys()):
        if expected.get(name) != stored.get(name):
            has, wants = stored.get(name, "nothing"), expected.get(name, "nothing")
            raise BadFile(f"{where}: tensor '{shown(name)}' is {has}, the card's network has {wants} of that name")
