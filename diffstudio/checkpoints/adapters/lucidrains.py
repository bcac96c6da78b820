"""`model-12.pt` of denoising-diffusion-pytorch: the trainer's file, with the weights twice (plain and averaged)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.checkpoints.pickled import StoredTensor
from diffstudio.checkpoints.sandbox import pickled_weights
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

# The averaged weights are the ones that its own sampling uses.
_PREFIXES = ("ema.ema_model.model.", "model.model.")
ASSUMED_SIDE = 64


def recognises(look: Look) -> bool:
    """The trainer's step, and the first convolution and the time's layers of the Unet under "model"."""
    if look.kind != "torch":
        return False
    tensors = look.pickled.tensors
    return "model.model.init_conv.weight" in tensors and "model.model.time_mlp.1.weight" in tensors


def card(look: Look) -> Card:
    """What the names and shapes say, and the tables of betas and of the loss's weights. Raises: BadFile."""
    prefix = _prefix(look)
    tensors = look.pickled.within(prefix)
    args, channels, outputs = _architecture(look, tensors)
    name, milestone = name_and_step(look.path)
    step = look.pickled.values.get("step")
    betas = _table(look, "betas")
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "description": "A Unet of denoising-diffusion-pytorch. The size of its pictures is not in the file: "
        f"{ASSUMED_SIDE}×{ASSUMED_SIDE} is taken. Data set, licence and classes are not known.",
        "modality": "image",
        "shape": (channels, ASSUMED_SIDE, ASSUMED_SIDE),
        "path": {"name": "vp_table", "betas": betas},
        "prediction": _prediction(look, betas),
        "learned_range": outputs == 2,
        "time": "timestep",
        "network": "lucidrains_unet",
        "network_args": args,
        "data": {"dataset": ""},
        "step": step if type(step) is int and 0 <= step <= 10**9 else milestone,
        "parameters": sum(_count(tensor) for tensor in tensors.values()),
        "dtype": tensors["init_conv.weight"].dtype,
        "defaults": {"solver": "ddim", "steps": min(50, len(betas)), "grid": "trailing", "clip": "static"},
        "format": "lucidrains",
    }
    return completed(look.path, found)


def weights(look: Look) -> dict[str, Tensor]:
    """The averaged weights, or the plain ones where there are no others. Raises: BadFile."""
    prefix = _prefix(look)
    found = pickled_weights(look.path, [prefix])
    return floats(look.path, {name.removeprefix(prefix): tensor for name, tensor in found.items()})


LUCIDRAINS = Adapter(
    name="lucidrains",
    label="denoising-diffusion-pytorch `model-N.pt`",
    opens="the Unet with its averaged weights, its own table of betas, its objective (told from the loss's weights)",
    recognised="a torch file with `model.model.init_conv.weight` and `model.model.time_mlp.1.weight`",
    asks=f"the size of the pictures, which the file does not say: {ASSUMED_SIDE} is taken, a card beside the file "
    "replaces it",
    refuses="files from before the RMS norm (version 1.9), random Fourier features, everything but dense tensors",
    recognises=recognises,
    card=card,
    weights=weights,
)


def _prefix(look: Look) -> str:
    return next(p for p in _PREFIXES if f"{p}init_conv.weight" in look.pickled.tensors)


def _architecture(look: Look, tensors: dict[str, StoredTensor]) -> tuple[dict[str, Any], int, int]:
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


def _table(look: Look, name: str) -> tuple[float, ...]:
    """A table that the diffusion keeps beside the network. Raises: BadFile."""
    for at in (f"ema.ema_model.{name}", f"model.{name}"):
        numbers = look.numbers(at)
        if numbers:
            return numbers
    raise BadFile(f"{shown(look.path, 400)}: it has no table '{name}', which says of which chain it was trained on")


def _prediction(look: Look, betas: tuple[float, ...]) -> str:
    """The objective, by the weights of its loss: 1 for ε, SNR for x0, SNR/(SNR + 1) for v (Hang et al. 2023 may bound
    the SNR at 5, so it is read where the SNR is near 3)."""
    try:
        loss = _table(look, "loss_weight")
    except BadFile:
        return "eps"  # what the package predicted before it had these weights
    kept, snrs = 1.0, []
    for beta in betas:
        kept *= 1 - beta
        snrs.append(kept / max(1e-12, 1 - kept))
    k = min(range(min(len(snrs), len(loss))), key=lambda i: abs(snrs[i] - 3))
    expected = {"eps": 1.0, "x0": snrs[k], "v": snrs[k] / (snrs[k] + 1)}
    return min(expected, key=lambda name: abs(expected[name] - loss[k]))


def _count(tensor: StoredTensor) -> int:
    count = 1
    for side in tensor.shape:
        count *= side
    return count
