"""Files of OpenAI's guided-diffusion and improved-diffusion: weights whose names say the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from diffstudio.checkpoints.adapters.adapter import Adapter, Preset, floats, numbered
from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

FIRST, TIME = "input_blocks.0.0.weight", "time_embed.0.weight"
SIGNS = (FIRST, TIME, "out.2.weight")
ATTENDS = ".attn2.to_k.weight"  # to a prompt: what Stable Diffusion's U-Net has, and these never
LOWEST = 8  # the side of the lowest level in every published model: 64 has four levels, 256 has six
# Chains that the file does not tell: the published model of 64×64 was trained on the cosine, the others on the line.
COSINE, LINEAR = "vp_cosine_table", "vp_linear"
PRESETS = {
    "ImageNet 64×64 (cosine)": Preset(64, COSINE),
    "ImageNet 128×128 (linear)": Preset(128, LINEAR),
    "ImageNet, LSUN 256×256 (linear)": Preset(256, LINEAR),
    "ImageNet 512×512 (linear)": Preset(512, LINEAR),
    "CIFAR-10 32×32 of improved-diffusion (cosine)": Preset(32, COSINE),
}


def recognises(look: Look) -> bool:
    """The names of its first convolution and of its time's layers, and no attention to a prompt."""
    found = weight_set(look, SIGNS)
    return found is not None and not any(name.endswith(ATTENDS) for name in found.names)


def card(look: Look) -> Card:
    """What the names and shapes say; the rest is taken from the published models. Raises: BadFile."""
    found_in = _weights(look)
    tensors = found_in.tensors
    args, channels, outputs = _architecture(look, tensors)
    labels = _shape(look, tensors, "label_emb.weight", 2)[0] if "label_emb.weight" in tensors else 0
    side = LOWEST * 2 ** (len(args["widths"]) - 1)
    path, table = (COSINE, "cosine") if side == 64 else (LINEAR, "linear")
    name, step = name_and_step(look.path)
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "description": "A network of guided-diffusion. The file does not say its size and its chain: "
        f"{side}×{side} and the {table} table of 1,000 steps are taken, and ε. Data set and licence are not known.",
        "modality": "image",
        "shape": (channels, side, side),
        "path": {"name": path},
        "prediction": "eps",
        "learned_range": outputs == 2,
        "time": "timestep",
        "any_label": not labels,
        "network": "adm",
        "network_args": args,
        "labels": numbered(labels),
        "data": {"dataset": ""},
        "step": step,
        "parameters": found_in.parameters,
        "dtype": tensors[FIRST].dtype,
        **found_in.told(),
        "defaults": {"solver": "ddim", "steps": 50, "grid": "trailing", "clip": "static"}
        | ({"label": "each"} if labels else {}),
        "format": "guided-diffusion",
    }
    return completed(look.path, found)


def weights(look: Look) -> dict[str, Tensor]:
    """The weights. Raises: NotFound, BadFile."""
    return floats(look.path, _weights(look).load())


def _weights(look: Look) -> WeightSet:
    found = weight_set(look, SIGNS)
    assert found is not None, "recognised before"
    return found


GUIDED_DIFFUSION = Adapter(
    name="guided-diffusion",
    label="guided-diffusion `.pt`, also as .safetensors",
    opens="the U-Net of ADM and improved-diffusion, with classes and with a learned variance",
    recognised=f"`{FIRST}`, `{TIME}` and `out.2.weight`, behind any prefix, and no `…{ATTENDS}`",
    asks="size, chain and heads, which the file does not say: those of the published model with as many levels are "
    "taken; `diffstudio card FILE` asks, with the published models as presets, and keeps it in a card beside the file",
    refuses="classifiers, the upsamplers' low-resolution input, levels without weights of their own",
    recognises=recognises,
    card=card,
    weights=weights,
    presets=PRESETS,
    assumes=True,
    tensors=lambda look: _weights(look).tensors,
)


def _shape(look: Look, tensors: Mapping[str, Stored], name: str, axes: int) -> tuple[int, ...]:
    tensor = tensors.get(name)
    if tensor is None or len(tensor.shape) != axes or 0 in tensor.shape:
        where = shown(look.path, 400)
        raise BadFile(f"{where}: '{shown(name)}' is missing or of another shape: not a network that is known here")
    return tensor.shape


def _architecture(look: Look, tensors: Mapping[str, Stored]) -> tuple[dict[str, Any], int, int]:
    """The arguments of our network, the colours, and the outputs for each of them. Raises: BadFile.

    The last block on the way up of each level but the finest has a part that doubles the size; its place gives the
    blocks a level, their number the levels.
    """
    where = shown(look.path, 400)

    def has(name: str) -> bool:
        return f"{name}.weight" in tensors

    down = 1 + max((int(m[1]) for n in tensors if (m := re.match(r"input_blocks\.(\d{1,3})\.", n))), default=0)
    up = 1 + max((int(m[1]) for n in tensors if (m := re.match(r"output_blocks\.(\d{1,3})\.", n))), default=0)
    growing = [
        i
        for i in range(up)
        if any(has(f"output_blocks.{i}.{j}.{part}") for j in (1, 2) for part in ("in_layers.0", "conv"))
    ]
    levels = len(growing) + 1
    blocks = up // levels - 1
    fits = blocks >= 1 and up == levels * (blocks + 1) and down == 1 + levels * blocks + levels - 1
    if not fits or growing != [(k + 1) * (blocks + 1) - 1 for k in range(levels - 1)]:
        raise BadFile(f"{where}: its blocks are not those of a network of guided-diffusion that is known here")
    places = [1 + level * (blocks + 1) + k for level in range(levels) for k in range(blocks)]
    widths = [
        _shape(look, tensors, f"input_blocks.{1 + level * (blocks + 1)}.0.out_layers.3.weight", 4)[0]
        for level in range(levels)
    ]
    width, channels = _shape(look, tensors, FIRST, 4)[:2]
    leaving = _shape(look, tensors, "out.2.weight", 4)[0]
    if leaving not in (channels, 2 * channels):
        raise BadFile(f"{where}: it takes {channels} channels and gives {leaving}, expected as many or twice as many")
    first = places[0]
    embed = _shape(look, tensors, f"input_blocks.{first}.0.emb_layers.1.weight", 2)[0]
    resample = levels == 1 or not has(f"input_blocks.{first + blocks}.0.op")
    head = 64 if all(w % 64 == 0 for w in widths) else 32
    args = {
        "width": width,
        "widths": widths,
        "blocks": blocks,
        "attention": [has(f"input_blocks.{i}.1.qkv") for i in places],
        "attention_up": [has(f"output_blocks.{i}.1.qkv") for i in range(up)],
        # The published model of 128×128 is the one with four heads.
        **({"heads": 4} if levels == 5 or not resample else {"head_width": head}),
        "scale_shift": embed == 2 * widths[0],
        "resample": resample,
    }
    return args, channels, leaving // channels
