"""What the names and shapes in a Stable Diffusion file say of its network, its text encoders and its autoencoder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

Family = Literal["1", "2", "XL"]
UNET, VAE = "model.diffusion_model.", "first_stage_model."
# Where the text encoders of each family lie: OpenAI's CLIP ends with "transformer.", OpenCLIP with "model.".
_PLACES: dict[Family, tuple[str, ...]] = {
    "1": ("cond_stage_model.transformer.",),
    "2": ("cond_stage_model.model.",),
    "XL": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
}
_NAMES = ("text_encoder", "text_encoder_2")
HEAD = 64  # numbers of a head, but in the U-Net of Stable Diffusion 1, which has eight heads everywhere
LENGTH = 77


@dataclass(frozen=True)
class Architecture:
    """unet, vae: arguments as diffusers has them. encoders: of ours, by name. prefixes: where these lie in the file.

    factor: pixels a side for a place of a latent.
    """

    family: Family
    unet: dict[str, Any]
    vae: dict[str, Any]
    encoders: dict[str, dict[str, Any]]
    prefixes: dict[str, str]

    @property
    def factor(self) -> int:
        """Pixels a side for one place of a latent."""
        return 2 ** (len(self.vae["block_out_channels"]) - 1)


def architecture(look: Look, tensors: Mapping[str, Stored]) -> Architecture:
    """The parts of a Stable Diffusion in one file, by its tensors without what wraps them. Raises: BadFile."""
    shapes = Shapes(look, tensors)
    found: list[tuple[Family, tuple[str, ...]]] = [
        (family, places)
        for family, places in _PLACES.items()
        if all(any(key.startswith(place) for key in tensors) for place in places)
    ]
    if any(key.startswith("conditioner.embedders.0.model.") for key in tensors):
        raise shapes.refuse("it is the refiner of Stable Diffusion XL, which goes on from another model: open its base")
    if not any(key.endswith(".attn2.to_k.weight") for key in tensors) and any(key.startswith(VAE) for key in tensors):
        raise shapes.refuse(
            "it is a latent diffusion that takes no prompt, in one file as its authors had it: open it as a folder of "
            "diffusers, as CompVis/ldm-celebahq-256 is"
        )
    if not found or not any(key.startswith(VAE) for key in tensors):
        raise BadFile(
            f"{shown(look.path, 400)} has a network of Stable Diffusion without the text encoders or the autoencoder "
            "that go with it: open the whole model, in one file or as a folder of diffusers"
        )
    family, places = found[0]
    prefixes: dict[str, str] = dict(zip(_NAMES, places, strict=False))
    encoders = {
        name: openai_clip(shapes, place) if place.endswith("transformer.") else _openclip(shapes, place, family)
        for name, place in prefixes.items()
    }
    return Architecture(family, _unet(shapes, family), autoencoder(shapes, VAE), encoders, prefixes)


class Shapes:
    """The shapes in a file, each checked when it is asked for. tensors: those looked at, all of the file without."""

    def __init__(self, look: Look, tensors: Mapping[str, Stored] | None = None) -> None:
        self._where, self.tensors = shown(look.path, 400), look.tensors if tensors is None else tensors

    def of(self, name: str, axes: int) -> tuple[int, ...]:
        """Raises: BadFile, where it is missing or has another number of axes."""
        tensor = self.tensors.get(name)
        if tensor is None or len(tensor.shape) != axes or 0 in tensor.shape:
            raise BadFile(f"{self._where}: '{shown(name)}' is missing or of another shape: not one that is known here")
        return tensor.shape

    def count(self, start: str) -> int:
        """How many numbers follow a name, from 0: of blocks, of layers."""
        pattern = re.compile(re.escape(start) + r"(\d{1,3})\.")
        return 1 + max((int(m[1]) for name in self.tensors if (m := pattern.match(name))), default=-1)

    def refuse(self, what: str) -> BadFile:
        """The sentence."""
        return BadFile(f"{self._where}: {what}")


def pixels(look: Look, side: int, step: int, most: int = 4096) -> tuple[int, int]:
    """Height and width of the pictures: what the metadata (ModelSpec) say, if multiples of step, else side twice.

    most: the largest side that the network can draw.
    """
    width, _, height = look.metadata.get("modelspec.resolution", "").partition("x")
    sides = [int(word) if word.isdecimal() and len(word) <= 5 else 0 for word in (height, width)]
    if not all(64 <= each <= most and each % step == 0 for each in sides):
        return side, side
    return sides[0], sides[1]


def _unet(shapes: Shapes, family: str) -> dict[str, Any]:
    inputs = f"{UNET}input_blocks."
    first, channels = shapes.of(f"{inputs}0.0.weight", 4)[:2]
    leaving = shapes.of(f"{UNET}out.2.weight", 4)[0]
    if channels != leaving:
        raise shapes.refuse(
            f"its network takes {channels} channels and gives {leaving}: one that is also given a picture or a mask is "
            "not opened"
        )
    count = shapes.count(inputs)
    ends = [i for i in range(count) if f"{inputs}{i}.0.op.weight" in shapes.tensors]
    blocks = ends[0] - 1 if ends else count - 1
    if (
        blocks < 1
        or ends != [(k + 1) * (blocks + 1) for k in range(len(ends))]
        or count != (len(ends) + 1) * (blocks + 1)
    ):
        raise shapes.refuse("the blocks of its network are not those of Stable Diffusion")
    starts = [1 + level * (blocks + 1) for level in range(len(ends) + 1)]
    widths = [shapes.of(f"{inputs}{i}.0.out_layers.3.weight", 4)[0] for i in starts]
    depths = [shapes.count(f"{inputs}{i}.1.transformer_blocks.") for i in starts]
    middle = shapes.count(f"{UNET}middle_block.1.transformer_blocks.")
    if first != widths[0] or not middle or not any(depths):
        raise shapes.refuse("its network has no attention to a prompt where Stable Diffusion has it")
    proj = shapes.tensors.get(f"{UNET}middle_block.1.proj_in.weight")
    linear = proj is not None and len(proj.shape) == 2
    kinds = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths]
    added = {}
    if family == "XL":
        added = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": shapes.of(f"{UNET}label_emb.0.0.weight", 2)[1],
        }
    return {
        "in_channels": channels,
        "out_channels": leaving,
        "block_out_channels": widths,
        "layers_per_block": blocks,
        "down_block_types": kinds,
        "up_block_types": [kind.replace("Down", "Up") for kind in reversed(kinds)],
        # The last is also that of the middle, which attends where the last level does not.
        "transformer_layers_per_block": [max(1, depth) for depth in depths[:-1]] + [middle],
        "cross_attention_dim": shapes.of(f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight", 2)[1],
        "attention_head_dim": 8 if family == "1" else [max(1, width // HEAD) for width in widths],
        "use_linear_projection": linear,
        **added,
    }


def autoencoder(shapes: Shapes, place: str) -> dict[str, Any]:
    """The arguments of the AutoencoderKL whose tensors begin with `place`. Raises: BadFile."""
    levels, blocks = shapes.count(f"{place}encoder.down."), shapes.count(f"{place}encoder.down.0.block.")
    if not levels or not blocks:
        raise shapes.refuse("its autoencoder is not one that is known here")
    return {
        "block_out_channels": [
            shapes.of(f"{place}encoder.down.{i}.block.{blocks - 1}.conv2.weight", 4)[0] for i in range(levels)
        ],
        "layers_per_block": blocks,
        "latent_channels": shapes.of(f"{place}decoder.conv_in.weight", 4)[1],
        "norm_num_groups": 32,
        "use_quant_conv": f"{place}quant_conv.weight" in shapes.tensors,
        "use_post_quant_conv": f"{place}post_quant_conv.weight" in shapes.tensors,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }


def openai_clip(shapes: Shapes, place: str) -> dict[str, Any]:
    """The arguments of a CLIP as transformers names its tensors, all of which begin with `place`. Raises: BadFile."""
    place = f"{place}text_model."
    words, width = shapes.of(f"{place}embeddings.token_embedding.weight", 2)
    return {
        "kind": "clip",
        "vocab_size": words,
        "hidden_size": width,
        "intermediate_size": shapes.of(f"{place}encoder.layers.0.mlp.fc1.weight", 2)[0],
        "num_hidden_layers": shapes.count(f"{place}encoder.layers."),
        "num_attention_heads": max(1, width // HEAD),
        "max_position_embeddings": shapes.of(f"{place}embeddings.position_embedding.weight", 2)[0],
        "hidden_act": "quick_gelu",
        "length": LENGTH,
    }


def _openclip(shapes: Shapes, place: str, family: str) -> dict[str, Any]:
    words, width = shapes.of(f"{place}token_embedding.weight", 2)
    layers = shapes.count(f"{place}transformer.resblocks.")
    projected = {}
    if family == "XL":
        projected = {"projected": True, "projection_dim": shapes.of(f"{place}text_projection", 2)[1]}
    return {
        "kind": "clip",
        "vocab_size": words,
        "hidden_size": width,
        "intermediate_size": shapes.of(f"{place}transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
        # Stable Diffusion 2 reads the last layer but one, so that diffusers leaves the last one out.
        "num_hidden_layers": layers if family == "XL" else layers - 1,
        "num_attention_heads": max(1, width // HEAD),
        "max_position_embeddings": shapes.of(f"{place}positional_embedding", 2)[0],
        "hidden_act": "gelu",
        "length": LENGTH,
        **projected,
    }
