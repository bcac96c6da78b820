"""denoising-diffusion-pytorch: the trainer's `model-12.pt`, with the weights twice (plain and averaged), or less."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

SIGNS = ("init_conv.weight", "time_mlp.1.weight")
MEMORY = "mid_attn.mem_kv"  # which no older version and no other tool's Unet of these names has
ASSUMED_SIDE = 64
STEPS = 1000


def recognises(look: Look) -> bool:
    """The first convolution and the time's layers of its Unet, and the tables of its diffusion or its memory."""
    found = weight_set(look, SIGNS)
    return found is not None and (MEMORY in found.names or f"{_beside(found)}betas" in look.tensors)


def card(look: Look) -> Card:
    """What the names and shapes say, and the tables of betas and of the loss's weights. Raises: BadFile."""
    found_in = _weights(look)
    tensors = found_in.tensors
    args, channels, outputs = _architecture(look, tensors)
    name, milestone = name_and_step(look.path)
    step = look.pickled.values.get("step") if look.kind == "torch" else None
    betas = look.numbers(f"{_beside(found_in)}betas")
    assumed = f"The size of its pictures is not in the file: {ASSUMED_SIDE}×{ASSUMED_SIDE} is taken."
    if betas is None:
        assumed += f" Nor is its chain: the package's sigmoid table of {STEPS:,} steps and v are taken."
    prediction = _prediction(look, found_in, betas) if betas else "v"
    betas = betas or sigmoid_betas(STEPS)
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "description": f"A Unet of denoising-diffusion-pytorch. {assumed} Data set, licence and classes are not known.",
        "modality": "image",
        "shape": (channels, ASSUMED_SIDE, ASSUMED_SIDE),
        "path": {"name": "vp_table", "betas": betas},
        "prediction": prediction,
        "learned_range": outputs == 2,
        "time": "timestep",
        "network": "lucidrains_unet",
        "network_args": args,
        "data": {"dataset": ""},
        "step": step if type(step) is int and 0 <= step <= 10**9 else milestone,
        "parameters": found_in.parameters,
        "dtype": tensors["init_conv.weight"].dtype,
        "defaults": {"solver": "ddim", "steps": min(50, len(betas)), "grid": "trailing", "clip": "static"},
        "format": "lucidrains",
        **found_in.told(),
    }
    return completed(look.path, found)


def weights(look: Look) -> dict[str, Tensor]:
    """The averaged weights, which its own sampling uses, or the plain ones. Raises: BadFile."""
    return floats(look.path, _weights(look).load())


def sigmoid_betas(steps: int) -> tuple[float, ...]:
    """The package's own table: ᾱ falls as a sigmoid from −3 to 3, less its ends (Jabri et al. 2022, figure 4)."""

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    low, high = sigmoid(-3.0), sigmoid(3.0)
    kept = [(high - sigmoid(6 * k / steps - 3)) / (high - low) for k in range(steps + 1)]
    return tuple(min(0.999, 1 - kept[k + 1] / kept[k]) for k in range(steps))


LUCIDRAINS = Adapter(
    name="lucidrains",
    label="denoising-diffusion-pytorch `model-N.pt`, or its Unet alone",
    opens="the Unet with its averaged weights, its own table of betas, its objective (told from the loss's weights)",
    recognised=f"`{SIGNS[0]}` and `{SIGNS[1]}`, behind any prefix, with a table `betas` beside them or `{MEMORY}`",
    asks=f"the size of the pictures, which the file does not say: {ASSUMED_SIDE} is taken, a card beside the file "
    "replaces it; of a Unet alone the chain too: the package's sigmoid table and v are taken",
    refuses="files from before the RMS norm (version 1.9), random Fourier features, everything but dense tensors",
    recognises=recognises,
    card=card,
    weights=weights,
    tensors=lambda look: _weights(look).tensors,
)


def _weights(look: Look) -> WeightSet:
    found = weight_set(look, SIGNS)
    assert found is not None, "recognised before"
    return found


def _beside(found: WeightSet) -> str:
    """How the names of the tables begin that the diffusion keeps beside its Unet."""
    return found.prefix.removesuffix("model.")


def _architecture(look: Look, tensors: dict[str, Stored]) -> tuple[dict[str, Any], int, int]:
    """The arguments of our network, the colours, and the outputs for each of them. Raises: BadFile."""
    where = shown(look.path, 400)

    def shape(name: str, axes: int) -> tuple[int, ...]:
        tensor = tensors.get(name)
        if tensor is None or len(tensor.shape) != axes:
            raise BadFile(f"{where}: '{shown(name)}' is missing or of another shape: not a Unet that is known here")
        return tensor.shape

    levels = 1 + max((int(m[1]) for name in tensors if (m := re.match(r"downs\.(\d{1,2})\.", name))), default=-1)
    if not 1 <= levels <= 9 or "downs.0.0.block1.norm.g" not in tensors:
        raise BadFile(f"{where}: a Unet of another version of denoising-diffusion-pytorch, which is not known here")
    widths = [shape("init_conv.weight", 4)[0]]
    widths += [shape(f"downs.{k}.3.{'1.' if k < levels - 1 else ''}weight", 4)[0] for k in range(levels)]
    full = [f"downs.{k}.2.to_out.weight" in tensors for k in range(levels)]
    _, heads, memory, head_dim = shape("mid_attn.mem_kv", 4)
    entering, leaving = shape("init_conv.weight", 4)[1], shape("final_conv.weight", 4)[0]
    conditioned = entering == 2 * leaving
    channels = leaving if conditioned else entering
    if leaving not in (channels, 2 * channels):
        raise BadFile(f"{where}: it takes {entering} channels and gives {leaving}: not a Unet that is known here")
    args = {
        "dim": shape("time_mlp.1.weight", 2)[1],
        "widths": widths,
        "full": full,
        "heads": heads,
        "head_dim": head_dim,
        "memory": memory,
        "self_condition": conditioned,
    }
    return args, channels, leaving // channels


def _prediction(look: Look, found: WeightSet, betas: tuple[float, ...]) -> str:
    """The objective, by the weights of its loss: 1 for ε, SNR for x0, SNR/(SNR + 1) for v (Hang et al. 2023 may bound
    the SNR at 5, so it is read where the SNR is near 3)."""
    loss = look.numbers(f"{_beside(found)}loss_weight")
    if not loss:
        return "eps"  # what the package predicted before it had these weights
    kept, snrs = 1.0, []
    for beta in betas:
        kept *= 1 - beta
        snrs.append(kept / max(1e-12, 1 - kept))
    k = min(range(min(len(snrs), len(loss))), key=lambda i: abs(snrs[i] - 3))
    expected = {"eps": 1.0, "x0": snrs[k], "v": snrs[k] / (snrs[k] + 1)}
    return min(expected, key=lambda name: abs(expected[name] - loss[k]))
