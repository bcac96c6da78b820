"""Half precision: weights in 16 bits, everything around the network in 32.

A chain adds many small steps, so it stays in float32; so do tables that a network computes its angles from, the time it
is told, and an autoencoder, whose largest values float16 does not hold.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_CASTING = (nn.Linear, nn.modules.conv._ConvNd, nn.GroupNorm, nn.LayerNorm)
_KEPT = "vae."


def half_dtype(place: torch.device) -> torch.dtype:
    """bfloat16, which has the range of float32; float16 on an accelerator without it."""
    if place.type == "cpu" or (place.type == "cuda" and torch.cuda.is_bf16_supported()):
        return torch.bfloat16
    return torch.float16


def convert(network: nn.Module, weights: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Convert the weights for that network one by one, in place, so that never all are there twice.

    Buffers, and in 16 bits the autoencoder, stay float32.
    """
    halved = {name for name, _ in network.named_parameters() if not name.startswith(_KEPT)}
    for name, tensor in weights.items():
        if tensor.is_floating_point():
            weights[name] = tensor.to(dtype if name in halved else torch.float32)


def let_in_float32(network: nn.Module) -> None:
    """Let a network of 16 bits be called with float32, and answer in it.

    Its layers take whatever comes in the precision of their weights; what is made of time and labels on the way may be
    of either.
    """
    for name, module in network.named_modules():
        if isinstance(module, _CASTING) and not f"{name}.".startswith(_KEPT):
            module.register_forward_pre_hook(_as_its_weight)
    network.register_forward_hook(_as_float32)


def _as_its_weight(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    weight = module.weight
    if not isinstance(weight, Tensor):
        return given  # a norm without weights
    return tuple(x.to(weight.dtype) if isinstance(x, Tensor) and x.is_floating_point() else x for x in given)


def _as_float32(_: nn.Module, given: tuple[Any, ...], out: Tensor) -> Tensor:
    return out.float()
