"""The sentence for weights that no adapter recognises: what can be done with them."""

from __future__ import annotations

import re

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.own_networks import own_proposal
from diffstudio.checkpoints.adapters.sidecar import ENDING
from diffstudio.checkpoints.names import shown


def unknown(look: Look) -> str:
    """After the name of a file of weights: of a network of ours that lacks a card, or of one that does not run here."""
    name = shown(look.path.name)
    if own_proposal(look) is not None:
        return (
            f"has no DiffStudio card: it holds the weights of a network of ours, and nothing says what that predicts; "
            f"`diffstudio card {name}`, or in the window File → Write a card for weights…, writes one beside it"
        )
    shard = re.search(r"-\d{5}-of-(\d{5})(\.|$)", look.path.name)
    if shard is not None:
        return (
            f"is one of {int(shard[1]):,} shards of a network, which opens as a folder: put its config.json, its index "
            "and all of its shards beside it"
        )
    tensors = look.tensors
    first, many = next(iter(tensors), ""), f"{len(tensors):,} tensor{'s' * (len(tensors) != 1)}"
    return (
        f"has no DiffStudio card, and the network whose {many} it holds is not known here (the first is "
        f"'{shown(first)}'): only networks of the registry run, and no code of yours yet; formats.md in the docs "
        f"lists what opens; if it is one of these, put a card beside it ({name}{ENDING}) that says which"
    )
