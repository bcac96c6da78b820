"""Other people's formats, one file each: how a file is recognised, and how it becomes a card and weights.

Nothing else in the application knows about formats. The list is explicit: a new format is a file here and a row there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diffstudio.checkpoints.adapters.adapter import Adapter
from diffstudio.checkpoints.adapters.bare import BARE
from diffstudio.checkpoints.adapters.components import STEP_FOLDER
from diffstudio.checkpoints.adapters.diffusers import DIFFUSERS, may_be_model
from diffstudio.checkpoints.adapters.dit_file import DIT_FILE
from diffstudio.checkpoints.adapters.flow_file import FLOW_FILE
from diffstudio.checkpoints.adapters.guided_diffusion import GUIDED_DIFFUSION
from diffstudio.checkpoints.adapters.k_diffusion import K_DIFFUSION
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.lucidrains import LUCIDRAINS
from diffstudio.checkpoints.adapters.own import OWN
from diffstudio.checkpoints.adapters.refused import reason
from diffstudio.checkpoints.adapters.sidecar import ENDING
from diffstudio.checkpoints.adapters.single_file import SINGLE_FILE
from diffstudio.checkpoints.adapters.smalldiffusion import SMALLDIFFUSION
from diffstudio.checkpoints.adapters.text_to_image import TEXT_TO_IMAGE
from diffstudio.checkpoints.adapters.unet2d import UNET2D
from diffstudio.checkpoints.adapters.unknown import unknown
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ADAPTERS",
    "ENDING",
    "Adapter",
    "Vocabulary",
    "adapter_of",
    "card_and_weights",
    "card_at",
    "is_step_folder",
    "may_be_model",
    "reason",
    "unknown",
    "vocabularies",
]

# Bare weights first: a card beside them that names a network is surer than names alone.
ADAPTERS: tuple[Adapter, ...] = (
    OWN,
    TEXT_TO_IMAGE,
    DIFFUSERS,
    SINGLE_FILE,
    FLOW_FILE,
    DIT_FILE,
    LUCIDRAINS,
    GUIDED_DIFFUSION,
    K_DIFFUSION,
    UNET2D,
    BARE,
    SMALLDIFFUSION,
)


def is_step_folder(name: str) -> bool:
    """Whether a folder of that name is a step of a training: "checkpoint-500"."""
    return STEP_FOLDER.fullmatch(name) is not None


def card_at(at: Path | Look) -> Card:
    """The card of whatever checkpoint lies at a path, without its weights and without torch.

    at: the path, or a look at it, of which each part is read once, whoever asks.

    Raises:
        NotFound: nothing is there.  BadFile: nothing that can be used, in one sentence.
    """
    look = _look(at)
    return adapter_of(look).card(look)


def card_and_weights(at: Path | Look) -> tuple[Card, dict[str, Tensor]]:
    """The card and the weights of a checkpoint, named as the card's network has them. Raises: as `card_at`."""
    look = _look(at)
    adapter = adapter_of(look)
    return adapter.card(look), adapter.weights(look)


def vocabularies(at: Path | Look) -> dict[str, Vocabulary]:
    """What the text encoders of a checkpoint can read, by their names; {} where it has none. Raises: as `card_at`."""
    look = _look(at)
    return adapter_of(look).words(look)


def _look(at: Path | Look) -> Look:
    return at if isinstance(at, Look) else Look(at)


def adapter_of(look: Look) -> Adapter:
    """The adapter that recognises it. Raises: as `card_at`."""
    for adapter in ADAPTERS:
        if adapter.recognises(look):
            return adapter
    where = shown(look.path, 400)
    why = reason(look)
    if why:
        raise BadFile(f"{where} {why}")
    if look.kind == "folder":
        raise BadFile(f"{where} is a folder without a model that is known here")
    raise BadFile(f"{where} {unknown(look)}")
