"""A residual MLP for points."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from diffstudio.networks.embedding import TimeAndLabel
from diffstudio.networks.limits import limit


class MLP(nn.Module):
    """Points (B, D) with Fourier features, so that edges and thin rings can be learned (Tancik et al. 2020).

    width: hidden units; depth: residual blocks; octaves: highest frequency of the features is 2^(octaves − 1)·π/2.
    outputs: values given for each of x; 2 with a learned range of variances.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        width: int = 192,
        depth: int = 4,
        octaves: int = 5,
        embed: int = 96,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        (dim,) = shape
        limit("width", width, 65_536)
        limit("depth", depth, 64)
        limit("octaves", octaves, 16)
        self.condition = TimeAndLabel(embed, labels)
        self.octaves = octaves
        self.enter = nn.Linear(dim * (1 + 2 * octaves), width)
        self.blocks = nn.ModuleList(Block(width, embed) for _ in range(depth))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, outputs * dim))

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, D), t: (B,), labels: (B,) → (B, outputs·D)."""
        frequencies = 2.0 ** torch.arange(self.octaves, device=x.device, dtype=x.dtype) * (math.pi / 2)
        angles = (x[:, :, None] * frequencies).flatten(1)
        h = self.enter(torch.cat([x, angles.sin(), angles.cos()], dim=1))
        c = self.condition(t, labels)
        for block in self.blocks:
            h = block(h, c)
        return self.leave(h)


class Block(nn.Module):
    """h + W2·SiLU(W1·(LN(h)·(1 + scale(c)) + shift(c)))."""

    def __init__(self, width: int, embed: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(embed, 2 * width)
        self.inner = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.modulate(torch.nn.functional.silu(c)).chunk(2, dim=1)
        return h + self.inner(self.norm(h) * (1 + scale) + shift)
