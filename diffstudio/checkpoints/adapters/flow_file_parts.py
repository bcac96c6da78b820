"""What the names and shapes in a file of Stable Diffusion 3 or Flux say of its parts, and where those parts lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.beside import PUBLISHED, beside
from diffstudio.checkpoints.adapters.families import family_of_file
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.prompted_config import FluxConfig, SD3Config
from diffstudio.checkpoints.adapters.quantised import check_floats
from diffstudio.checkpoints.adapters.single_file_parts import HEAD, Shapes, autoencoder, openai_clip
from diffstudio.checkpoints.adapters.text_to_image import T5_LENGTH
from diffstudio.checkpoints.adapters.weight_sets import weight_set

Part = Literal["network", "vae", "clip_l", "clip_g", "t5"]
Family = Literal["3", "Flux"]
# The first tensor of either transformer, by the name that it has after its prefix.
FIRST: dict[Family, str] = {
    "3": "joint_blocks.0.x_block.attn.qkv.weight",
    "Flux": "double_blocks.0.img_attn.qkv.weight",
}
NETWORK_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "")
_PREFIXES: dict[Part, tuple[str, ...]] = {
    "vae": ("vae.", "first_stage_model."),
    "clip_l": ("text_encoders.clip_l.transformer.",),
    "clip_g": ("text_encoders.clip_g.transformer.",),
    "t5": ("text_encoders.t5xxl.transformer.",),
}
# A tensor that each part has, by which it is found, after its prefix.
_SIGNS: dict[Part, tuple[str, ...]] = {
    "vae": ("decoder.conv_in.weight",),
    "clip_l": ("text_model.embeddings.token_embedding.weight",),
    "clip_g": ("text_model.embeddings.token_embedding.weight",),
    "t5": ("shared.weight", "encoder.embed_tokens.weight"),
}
# What goes with either, the text encoders in the order of their names; T5 can be left out of Stable Diffusion 3.
_OTHERS: dict[Family, tuple[Part, ...]] = {"3": ("vae", "clip_l", "clip_g", "t5"), "Flux": ("vae", "clip_l", "t5")}
_NAMES = ("text_encoder", "text_encoder_2", "text_encoder_3")
_CALLED = {"vae": "autoencoder", "clip_l": "CLIP-L text encoder", "clip_g": "CLIP-G text encoder", "t5": "T5"}
_TITLES: dict[Family, str] = {"3": "Stable Diffusion 3", "Flux": "Flux"}
# How the latents of each autoencoder lie: published with them, and said by no tensor.
_LATENTS: dict[Family, dict[str, float]] = {
    "3": {"scaling_factor": 1.5305, "shift_factor": 0.0609},
    "Flux": {"scaling_factor": 0.3611, "shift_factor": 0.1159},
}
_ROPE = (16, 56, 56)  # numbers of a head that turn with the three places of a token; no tensor says them either
LATENT = 128  # places of a latent a side, as the published models were trained


@dataclass(frozen=True)
class Place:
    """Where a part lies: in which file, and how the names of its tensors begin there."""

    look: Look
    prefix: str


@dataclass(frozen=True)
class FlowArchitecture:
    """network: as checked. vae, encoders: arguments of ours. parts: the part behind each encoder's name."""

    family: Family
    network: SD3Config | FluxConfig
    vae: dict[str, Any]
    encoders: dict[str, dict[str, Any]]
    parts: dict[str, Part]
    places: dict[Part, Place]

    @property
    def factor(self) -> int:
        """Pixels a side for one place of a latent."""
        return 2 ** (len(self.vae["block_out_channels"]) - 1)


def family_of(look: Look) -> tuple[Family, str, str] | None:
    """Which of the two it is, how the names of its transformer begin, and what of that wraps all; None for others.

    Their relatives, Chroma, Flux 2 and such, have the same first tensor and others beside it.
    """
    for family, first in FIRST.items():
        found = weight_set(look, (first,))
        if found is not None and family_of_file(look) is None:
            own = next(prefix for prefix in NETWORK_PREFIXES if found.prefix.endswith(prefix))
            return family, found.prefix, found.prefix.removesuffix(own)
    return None


def flow_architecture(look: Look) -> FlowArchitecture:
    """The parts of a Stable Diffusion 3 or Flux, in the file or beside it. Raises: BadFile."""
    found = family_of(look)
    assert found is not None, "recognised before"
    family, prefix, root = found
    check_floats(look, prefix)
    places: dict[Part, Place] = {"network": Place(look, prefix)}
    for part in _OTHERS[family]:
        place = _place(look, part, family, root)
        if place is not None:
            places[part] = place
    shapes = Shapes(look)
    _check_whole(shapes, family, places)
    network = _network(look, shapes, family, prefix)
    vae = {**autoencoder(*_shapes(places["vae"])), **_LATENTS[family]}
    if vae["latent_channels"] != network.channels:
        raise shapes.refuse(
            f"the latents of its autoencoder have {vae['latent_channels']} channels, its network has {network.channels}"
        )
    told = zip(_NAMES, _OTHERS[family][1:], strict=False)
    parts: dict[str, Part] = {name: part for name, part in told if part in places}
    encoders = {name: _encoder(part, places[part], family) for name, part in parts.items()}
    return FlowArchitecture(family, network, vae, encoders, parts, places)


def _place(look: Look, part: Part, family: Family, root: str) -> Place | None:
    """Where a part lies: in the file itself, else in one beside it under the name that it was published with."""
    for prefix in _PREFIXES[part]:
        if any(f"{root}{prefix}{sign}" in look.tensors for sign in _SIGNS[part]):
            return Place(look, root + prefix)
    for path in beside(look.path, part) if _apart(part, family) else ():
        other = Look(path)
        if other.kind == "safetensors" and any(sign in other.tensors for sign in _SIGNS[part]):
            return Place(other, "")
    return None


def _check_whole(shapes: Shapes, family: Family, places: dict[Part, Place]) -> None:
    """Raises: BadFile, that names each part which is missing, and under which name it is looked for."""
    missing: list[Part] = [
        part for part in _OTHERS[family] if part not in places and (part != "t5" or family == "Flux")
    ]
    if not missing:
        return
    named = [f"its {_CALLED[part]}" + (f" ({PUBLISHED[part][0]})" if _apart(part, family) else "") for part in missing]
    way = "put what is missing beside it under its name, or " if all(_apart(part, family) for part in missing) else ""
    raise shapes.refuse(
        f"it is the transformer of {_TITLES[family]} without {', '.join(named)}: {way}open the whole model, in one "
        "file or as a folder of diffusers"
    )


def _apart(part: Part, family: Family) -> bool:
    """Whether a part is published as a file of its own: the autoencoder of Flux is, and looks like the other."""
    return part != "vae" or family == "Flux"


def _shapes(place: Place) -> tuple[Shapes, str]:
    return Shapes(place.look), place.prefix


def _network(look: Look, shapes: Shapes, family: Family, prefix: str) -> SD3Config | FluxConfig:
    args = _sd3(shapes, prefix) if family == "3" else _flux(shapes, prefix)
    try:
        return SD3Config.model_validate(args) if family == "3" else FluxConfig.model_validate(args)
    except ValidationError as error:
        raise invalid(look.path, error) from error


def _sd3(shapes: Shapes, at: str) -> dict[str, Any]:
    width, channels, patch, _ = shapes.of(f"{at}x_embedder.proj.weight", 4)
    blocks = f"{at}joint_blocks."
    side = math.isqrt(shapes.of(f"{at}pos_embed", 3)[1])
    qk = f"{blocks}0.x_block.attn.ln_q.weight"
    head = shapes.of(qk, 1)[0] if qk in shapes.tensors else HEAD
    count = shapes.count(blocks)
    return {
        "sample_size": min(LATENT, side * patch),
        "patch_size": patch,
        "in_channels": channels,
        "out_channels": shapes.of(f"{at}final_layer.linear.weight", 2)[0] // patch**2,
        "num_layers": count,
        "attention_head_dim": head,
        "num_attention_heads": max(1, width // head),
        "joint_attention_dim": shapes.of(f"{at}context_embedder.weight", 2)[1],
        "caption_projection_dim": width,
        "pooled_projection_dim": shapes.of(f"{at}y_embedder.mlp.0.weight", 2)[1],
        "pos_embed_max_size": side,
        "dual_attention_layers": [i for i in range(count) if f"{blocks}{i}.x_block.attn2.qkv.weight" in shapes.tensors],
        **({"qk_norm": "rms_norm"} if qk in shapes.tensors else {}),
    }


def _flux(shapes: Shapes, at: str) -> dict[str, Any]:
    width, channels = shapes.of(f"{at}img_in.weight", 2)
    leaving = shapes.of(f"{at}final_layer.linear.weight", 2)[0]
    if channels != leaving:
        raise shapes.refuse(
            f"its network takes {channels} channels and gives {leaving}: one that is also given a picture or a mask is "
            "not opened"
        )
    head = shapes.of(f"{at}double_blocks.0.img_attn.norm.query_norm.scale", 1)[0]
    if head != sum(_ROPE):
        raise shapes.refuse(
            f"its heads have {head} numbers, expected Flux's {sum(_ROPE)}: open the folder of diffusers"
        )
    return {
        "latent_size": LATENT,
        "in_channels": channels,
        "num_layers": shapes.count(f"{at}double_blocks."),
        "num_single_layers": shapes.count(f"{at}single_blocks."),
        "attention_head_dim": head,
        "num_attention_heads": max(1, width // head),
        "joint_attention_dim": shapes.of(f"{at}txt_in.weight", 2)[1],
        "pooled_projection_dim": shapes.of(f"{at}vector_in.in_layer.weight", 2)[1],
        "guidance_embeds": f"{at}guidance_in.in_layer.weight" in shapes.tensors,
        "axes_dims_rope": list(_ROPE),
    }


def _encoder(part: Part, place: Place, family: Family) -> dict[str, Any]:
    """An encoder's arguments. CLIP-L is read without its projection, CLIP-G, of Stable Diffusion 3 alone, with it."""
    shapes, at = _shapes(place)
    if part == "t5":
        return _t5(shapes, at, T5_LENGTH["diffusers_sd3" if family == "3" else "diffusers_flux"])
    found = openai_clip(shapes, at)
    if part == "clip_l":
        return found
    width = shapes.of(f"{at}text_projection.weight", 2)[0]
    return {**found, "hidden_act": "gelu", "projected": True, "projection_dim": width}


def _t5(shapes: Shapes, at: str, length: int) -> dict[str, Any]:
    table = next(f"{at}{name}" for name in _SIGNS["t5"] if f"{at}{name}" in shapes.tensors)
    words, width = shapes.of(table, 2)
    first = f"{at}encoder.block.0.layer."
    buckets, heads = shapes.of(f"{first}0.SelfAttention.relative_attention_bias.weight", 2)
    gated = f"{first}1.DenseReluDense.wi_0.weight" in shapes.tensors
    inner = shapes.of(f"{first}1.DenseReluDense.{'wi_0' if gated else 'wi'}.weight", 2)[0]
    return {
        "kind": "t5",
        "vocab_size": words,
        "d_model": width,
        "d_kv": max(1, shapes.of(f"{first}0.SelfAttention.q.weight", 2)[0] // heads),
        "d_ff": inner,
        "num_layers": shapes.count(f"{at}encoder.block."),
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "length": length,
    }
