"""DiT in one file as its authors publish it (`DiT-XL-2-256x256.pt`): the DiT of diffusers by other names.

Source of the names: facebookresearch/DiT (Peebles & Xie 2023). Its autoencoder lies beside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, invalid, numbered
from diffstudio.checkpoints.adapters.components import decoded, found_decoder
from diffstudio.checkpoints.adapters.config import DiTConfig, KLConfig
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.parts import load, parts
from diffstudio.checkpoints.adapters.schedule import SchedulerConfig, schedule_of
from diffstudio.checkpoints.adapters.sidecar import asked_size, asked_where, completed
from diffstudio.checkpoints.adapters.single_file_parts import Shapes
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

SIGNS = (
    "y_embedder.embedding_table.weight",
    "x_embedder.proj.weight",
    "t_embedder.mlp.0.weight",
    "blocks.0.adaLN_modulation.1.weight",
    "final_layer.linear.weight",
)
VAE = "vae"  # the folder of its autoencoder
# Heads of the published widths, which no tensor tells; others have 64 numbers a head.
_HEADS = {1152: 16, 1024: 16, 768: 12, 384: 6}
_GUIDANCE = 4.0
_TOP = {
    "x_embedder.proj": "pos_embed.proj",
    "final_layer.linear": "proj_out_2",
    "final_layer.adaLN_modulation.1": "proj_out_1",
}
_BLOCK = {
    "attn.proj": "attn1.to_out.0",
    "mlp.fc1": "ff.net.0.proj",
    "mlp.fc2": "ff.net.2",
    "adaLN_modulation.1": "norm1.linear",
}
# What diffusers has once in every block.
_EVERYWHERE = {
    "t_embedder.mlp.0": "timestep_embedder.linear_1",
    "t_embedder.mlp.2": "timestep_embedder.linear_2",
    "y_embedder.embedding_table": "class_embedder.embedding_table",
}


def recognises(look: Look) -> bool:
    """Its tables of classes and times, and its first block."""
    return weight_set(look, SIGNS) is not None


def card(look: Look) -> Card:
    """What the names and shapes say; heads and chain are those of the published models. Raises: BadFile."""
    found = _weights(look)
    config = _config(look, found)
    vae, folder = _autoencoder(look, config)
    try:
        height, width = config.size(asked_size(look.path, vae.factor))
    except ValueError as error:
        raise BadFile(f"{shown(asked_where(look.path), 400)}: {error}") from error
    schedule = schedule_of(SchedulerConfig.model_validate({"_class_name": "DDIMScheduler", "clip_sample": False}))
    decoder = parts(folder)
    name, step = name_and_step(look.path)
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": "A DiT as its authors publish it, on the latents of the AutoencoderKL beside it; its heads "
            "and its chain (the linear table of 1,000 steps, ε with a learned variance) are those of the published "
            "models. Data set and licence are not known.",
            "modality": "image",
            "shape": (config.in_channels, height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "learned_range": config.outputs == 2,
            "time": schedule.time,
            "decoded": decoded(vae, height, width),
            "network": "diffusers_dit",
            "network_args": {**config.for_card(), "freq_shift": 0, "vae": {"kind": vae.kind, **vae.for_card()}},
            "labels": numbered(config.num_embeds_ada_norm),
            "data": {"dataset": ""},
            "step": step,
            "parameters": found.parameters + decoder.parameters,
            "decoder_parameters": decoder.parameters,
            "dtype": found.tensors[SIGNS[0]].dtype,
            "defaults": {**schedule.defaults, "label": "each", "guidance": _GUIDANCE},
            "format": "dit_file",
            **found.told(),
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network and of its autoencoder, by the names of ours. Raises: NotFound, BadFile."""
    found = _weights(look)
    config = _config(look, found)
    _, folder = _autoencoder(look, config)
    named = _renamed(found.load(), config.num_layers)
    return floats(
        look.path, {f"transformer.{name}": t for name, t in named.items()} | load(parts(folder), "vae.model.")
    )


DIT_FILE = Adapter(
    name="dit_file",
    label="DiT in one file, `DiT-XL-2-256x256.pt`",
    opens="the DiT of facebookresearch/DiT with its classes and its learned variance",
    recognised=", ".join(f"`{sign}`" for sign in SIGNS) + ", behind any prefix",
    asks=f"its autoencoder: a folder `{VAE}` of diffusers beside the file (stabilityai/sd-vae-ft-ema is the published "
    "one); heads and chain are those of the published models, a card beside the file replaces them",
    refuses="files without that folder, SiT, which has the same names and another chain",
    recognises=recognises,
    card=card,
    weights=weights,
)


def _weights(look: Look) -> WeightSet:
    found = weight_set(look, SIGNS)
    assert found is not None, "recognised before"
    return found


def _config(look: Look, found: WeightSet) -> DiTConfig:
    """The arguments of diffusers' class. Raises: BadFile."""
    where = shown(look.path, 400)
    if re.search(r"(^|[^a-z])sit([^a-z]|$)", look.path.stem.lower()):
        raise BadFile(
            f"{where} is a SiT by its name: a DiT that was trained on a flow whose time runs from noise to data, which "
            "does not open here; a DiT of another name does"
        )
    shapes = Shapes(look, found.tensors)
    width, channels, patch, _ = shapes.of("x_embedder.proj.weight", 4)
    heads = _HEADS.get(width, max(1, width // 64))
    tokens = shapes.of("pos_embed", 3)[1] if "pos_embed" in found.tensors else 0
    args = {
        "num_attention_heads": heads,
        "attention_head_dim": width // heads,
        "in_channels": channels,
        "out_channels": shapes.of("final_layer.linear.weight", 2)[0] // patch**2,
        "num_layers": shapes.count("blocks."),
        "patch_size": patch,
        "num_embeds_ada_norm": shapes.of(SIGNS[0], 2)[0] - 1,
        **({"sample_size": patch * math.isqrt(tokens)} if tokens else {}),
    }
    try:
        return DiTConfig.model_validate(args)
    except ValidationError as error:
        raise invalid(look.path, error) from error


def _autoencoder(look: Look, config: DiTConfig) -> tuple[KLConfig, Path]:
    """The autoencoder beside the file, and its folder. Raises: BadFile."""
    where, beside = shown(look.path, 400), Look(look.path.parent)
    vae, folder = found_decoder(beside) if VAE in beside.names else (None, look.path)
    if not isinstance(vae, KLConfig):
        raise BadFile(
            f"{where} is a DiT without its autoencoder: put that beside it as a folder '{VAE}' of diffusers "
            "(stabilityai/sd-vae-ft-ema is the published one), or open DiT as a folder of diffusers"
        )
    if vae.channels != config.in_channels:
        raise BadFile(
            f"{where}: the latents of the autoencoder beside it have {vae.channels} channels, its network has "
            f"{config.in_channels}"
        )
    return vae, folder


def _renamed(stored: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """By the names of diffusers; its table of positions is computed there."""
    out: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        module, _, kind = name.rpartition(".")
        place = re.fullmatch(r"blocks\.(\d{1,3})\.(.+)", module)
        if module in _EVERYWHERE:
            out |= {f"transformer_blocks.{i}.norm1.emb.{_EVERYWHERE[module]}.{kind}": tensor for i in range(layers)}
        elif place is not None and place[2] == "attn.qkv":
            at = f"transformer_blocks.{place[1]}.attn1.to_"
            out |= {f"{at}{which}.{kind}": rows.clone() for which, rows in zip("qkv", tensor.chunk(3), strict=True)}
        elif place is not None:
            out[f"transformer_blocks.{place[1]}.{_BLOCK.get(place[2], place[2])}.{kind}"] = tensor
        elif name != "pos_embed":
            out[f"{_TOP.get(module, module)}.{kind}"] = tensor
    return out
