"""Weights alone, with a card beside them that says which network of ours they belong to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diffstudio import options
from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.parts import common_prefix
from diffstudio.checkpoints.adapters.sidecar import ENDING, completed, sidecar
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

# Tensors that each network surely has, by which it is found behind any wrapping.
SIGNS: dict[str, tuple[str, ...]] = {
    "mlp": ("enter.weight", "condition.mlp.0.weight"),
    "unet": ("enter.weight", "condition.mlp.0.weight"),
    "video_unet": ("enter.weight", "condition.mlp.0.weight"),
    "video_transformer": ("enter.weight", "condition.mlp.0.weight"),
    "transformer": ("cells.weight", "norm.weight"),
    "diffusers_unet": ("conv_in.weight", "time_embedding.linear_1.weight"),
    "diffusers_dit": ("pos_embed.proj.weight", "transformer_blocks.0.norm1.linear.weight"),
    "lucidrains_unet": ("init_conv.weight", "time_mlp.1.weight"),
    "adm": ("input_blocks.0.0.weight", "time_embed.0.weight"),
    "k_diffusion_unet": ("timestep_embed.weight", "proj_in.weight"),
    "k_diffusion_transformer": ("time_emb.weight", "time_in_proj.weight"),
    "k_diffusion_hourglass": ("time_emb.weight", "time_in_proj.weight"),
    "smalldiffusion_mlp": ("net.0.weight", "net.2.weight"),
    "smalldiffusion_unet": ("conv_in.weight", "sig_embed.mlp.0.weight"),
    "smalldiffusion_dit": ("x_embed.proj.weight", "sig_embed.mlp.0.weight"),
}
# Within a class of ours these networks have a name, which a file of the class that they are from lacks.
WITHIN = {"diffusers_unet": "unet.", "diffusers_dit": "transformer."}


def recognises(look: Look) -> bool:
    """A card beside the file that names a network."""
    return look.kind in ("torch", "safetensors") and "network" in sidecar(look.path)


def weights_of(look: Look, network: str) -> WeightSet:
    """The weights of a network of the registry, by its own names, wherever they lie in the file.

    Where nothing tells, these are all tensors of the file, without what all their names begin with.
    """
    signs, within = SIGNS.get(network, ()), WITHIN.get(network, "")
    found = weight_set(look, signs) if signs else None
    if found is None:
        prefix = "" if network in SIGNS else common_prefix(look.tensors.keys())
        return WeightSet(look, prefix, {name.removeprefix(prefix): name for name in look.tensors})
    if not within:
        return found
    # What lies beside the network within the same class of ours, an autoencoder for example, belongs to it.
    outer = found.prefix.removesuffix(within)
    beside = {n.removeprefix(outer): n for n in look.tensors if n.startswith(outer)} if outer != found.prefix else {}
    names = {f"{within}{name}": at for name, at in found.names.items()}
    return WeightSet(look, found.prefix, {**beside, **names}, found.kind, found.other)


def card(look: Look) -> Card:
    """The card beside the file, with what the file itself says. Raises: BadFile."""
    network = sidecar(look.path)["network"]
    if not isinstance(network, str) or network not in options.NETWORKS:
        known = ", ".join(options.NETWORKS)
        raise BadFile(f"{shown(look.path, 400)}: network is '{shown(network)}', expected one of {known}")
    tensors = weights_of(look, network).tensors
    name, step = name_and_step(look.path)
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "data": {"dataset": ""},
        "step": step,
        "parameters": sum(math.prod(tensor.shape) for tensor in tensors.values()),
        "dtype": next(iter(tensors.values())).dtype if tensors else "",
        "format": "bare",
        **weights_of(look, network).told(),
    }
    return completed(look.path, found)


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of its network. Raises: NotFound, BadFile."""
    return floats(look.path, weights_of(look, str(sidecar(look.path)["network"])).load())


BARE = Adapter(
    name="bare",
    label="bare weights, `.pt` or `.safetensors`",
    opens="any network in our registry, under any key and behind any prefix, averaged weights first",
    recognised=f"a file `NAME{ENDING}` beside it that names a network",
    asks="that card: modality, shape, path, prediction, network and network_args",
    refuses="weights that are not those of the network; entries that no card has",
    recognises=recognises,
    card=card,
    weights=weights,
    tensors=lambda look: weights_of(look, str(sidecar(look.path)["network"])).tensors,
)
