"""A card for a file that does not say all of itself: what it tells, what is asked, and how the card is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffstudio.checkpoints.adapters import ADAPTERS, card_at, reason, unknown
from diffstudio.checkpoints.adapters.adapter import Adapter, Preset
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.own_networks import Proposal, own_proposal, proposal_of
from diffstudio.checkpoints.adapters.sidecar import card_beside, sidecar, trying
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile, BadInput
from diffstudio.files import write_bytes
from diffstudio.user_files import exists

__all__ = ["Proposal", "amendable", "entries", "proposal_of", "propose", "write_card"]


def propose(path: Path, again: bool = False) -> Proposal:
    """Look at a file of weights, without torch. again: also where a card is beside it.

    Raises:
        NotFound, BadFile: it can't be read, or is not a network that can be told by its tensors.  BadInput: it needs no
            card, or has one.
    """
    look = Look(path)
    where, known = shown(path, 400), _known(look)
    if known is not None and known.assumes and (again or not sidecar(path)):
        return _of_card(known.card(look), known.presets)
    if known is not None and not (again and known.name == "bare"):
        beside = known.name == "bare" or known.assumes
        has = f"has a card beside it, {shown(card_beside(path).name)}" if beside else "opens as it is"
        raise BadInput(f"{where} {has}: nothing is to be written")
    if look.kind not in ("torch", "safetensors"):
        raise BadFile(f"{where} {reason(look) or 'is no file of weights: expected one of torch.save, or .safetensors'}")
    found = own_proposal(look)
    if found is None:
        raise BadFile(f"{where} {unknown(look)}")
    return found


def amendable(path: Path) -> bool:
    """Whether a file or folder opens as it is, so that a card beside it says no more than what it should replace.

    Raises:
        NotFound, BadFile: it can't be read.
    """
    known = _known(Look(path))
    return known is not None and known.name != "" and not known.assumes


def _known(look: Look) -> Adapter | None:
    return next((adapter for adapter in ADAPTERS if adapter.recognises(look)), None)


def _of_card(card: Card, presets: Mapping[str, Preset]) -> Proposal:
    """What another tool's file says by itself, and what was taken for the rest."""
    side = "×".join(str(n) for n in card.shape[1:])
    heads = {"heads", "head_width", "attention_head_dim", "norm_num_groups"} & card.network_args.keys()
    told = tuple(f"{key.replace('_', ' ')} {card.network_args[key]}" for key in sorted(heads))
    return Proposal(
        card.modality,
        card.network,
        dict(card.network_args),
        card.shape,
        len(card.labels),
        card.learned_range,
        (f"pictures of {side}", *told),
        {"prediction": card.prediction, "path": card.path.name, "time": card.time},
        presets,
        opens=True,
        sets=("averaged", "raw") if card.weights else (),
    )


def entries(proposal: Proposal, **told: Any) -> dict[str, Any]:
    """The entries of a card beside the weights. told: fields of a card that replace what is proposed."""
    found = {
        "modality": proposal.modality,
        "shape": list(proposal.shape),
        "network": proposal.network,
        "network_args": proposal.network_args,
        "labels": [str(i) for i in range(proposal.labels)],
        "learned_range": proposal.learned_range,
    }
    return {key: value for key, value in (found | told).items() if value not in ([], False, None)}


def write_card(path: Path, found: Mapping[str, Any], overwrite: bool = False) -> Path:
    """Write `NAME.card.json` beside a file of weights or a folder, atomically; returns where.

    Raises:
        BadFile: the entries are not a card.  BadInput: there is one already, or it can't be written.
    """
    beside = card_beside(path)
    if exists(beside) and not overwrite:
        raise BadInput(f"{shown(beside, 400)} is there already; it was not replaced")
    with trying(path, found):
        card_at(path)
    write_bytes(beside, (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode())
    return beside
