"""Weights alone, with a card beside them that says which network of ours they belong to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diffstudio import options
from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.parts import stored_weights
from diffstudio.checkpoints.adapters.sidecar import ENDING, completed, sidecar
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor


def recognises(look: Look) -> bool:
    """A card beside the file that names a network."""
    return look.kind in ("torch", "safetensors") and "network" in sidecar(look.path)


def card(look: Look) -> Card:
    """The card beside the file, with what the file itself says. Raises: BadFile."""
    tensors = look.tensors
    name, step = name_and_step(look.path)
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "data": {"dataset": ""},
        "step": step,
        "parameters": sum(math.prod(tensor.shape) for tensor in tensors.values()),
        "dtype": next(iter(tensors.values())).dtype if tensors else "",
        "format": "bare",
    }
    card = completed(look.path, found)
    if card.network not in options.NETWORKS:
        known = ", ".join(options.NETWORKS)
        raise BadFile(f"{shown(look.path, 400)}: network is '{shown(card.network)}', expected one of {known}")
    return card


def weights(look: Look) -> dict[str, Tensor]:
    """All tensors of the file. Raises: NotFound, BadFile."""
    return floats(look.path, stored_weights(look))


BARE = Adapter(
    name="bare",
    label="bare weights, `.pt` or `.safetensors`",
    opens="any network in our registry",
    recognised=f"a file `NAME{ENDING}` beside it that names a network",
    asks="that card: modality, shape, path, prediction, network and network_args",
    refuses="weights that are not those of the network; entries that no card has",
    recognises=recognises,
    card=card,
    weights=weights,
)
