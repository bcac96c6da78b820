"""Embeddings that the networks share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from diffstudio.networks.limits import limit


def sinusoidal(t: Tensor, dim: int, scale: float = 1000.0) -> Tensor:
    """Sines and cosines of scale·t at dim/2 frequencies from 1 to 1e-4 (Vaswani et al. 2017). t: (B,) → (B, dim)."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=t.device, dtype=t.dtype) / half)
    angles = scale * t[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class TimeAndLabel(nn.Module):
    """The conditioning vector of a network: time, plus a learned vector for each label and one for "any"."""

    def __init__(self, dim: int, labels: int) -> None:
        super().__init__()
        limit("embed", dim, 8192)
        if dim % 2:
            raise ValueError(f"embed is {dim}, expected an even number: half of it are sines, half cosines")
        self.dim = dim
        self.any_label = labels
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.label = nn.Embedding(labels + 1, dim) if labels else None

    def forward(self, t: Tensor, labels: Tensor | None) -> Tensor:
        """t: (B,) in [0, 1]; labels: (B,) with `any_label` for "any", None is "any" for all → (B, dim)."""
        out = self.mlp(sinusoidal(t, self.dim))
        if self.label is None:
            return out
        if labels is None:
            labels = torch.full((t.shape[0],), self.any_label, device=t.device)
        return out + self.label(labels)
