"""A transformer over the cells of a text, which reads in both directions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffstudio.networks.embedding import sinusoidal
from diffstudio.networks.limits import limit


class Transformer(nn.Module):
    """What each cell of a text may be: (B, C, L) → logits (B, V, L).

    A text of tokens is (B, 1, L) with the numbers 0..V − 1, and V for a masked cell; a text of embeddings is (B, C, L).
    Rotary positions (Su et al. 2021): with learned absolute ones such a model stays at the plateau of the single
    letters for a thousand steps. Norms before each part, and a gated MLP (Shazeer 2020).

    timed: it is told the time. A masked text shows by itself how far it is, so it needs no clock (Sahoo et al. 2024).
    near: an odd number of cells; each block first adds to a cell what a convolution of each channel sees of its
    neighbours (as So et al. 2021 do to queries, keys and values). Spelling is local: with it letters take fewer steps.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int = 0,
        *,
        vocabulary: int = 0,
        width: int = 256,
        depth: int = 6,
        heads: int = 4,
        timed: bool = False,
        near: int = 0,
    ) -> None:
        super().__init__()
        limit("width", width, 4096)
        limit("depth", depth, 64)
        limit("heads", heads, 64)
        limit("vocabulary", vocabulary, 65_536)
        if not (near == 0 or (0 < near <= 65 and near % 2)):
            raise ValueError(f"near is {near}, expected an odd number up to 65, or 0 for none")
        if labels:
            raise ValueError("a transformer of texts takes no classes")
        if width % heads or (width // heads) % 2:
            raise ValueError(f"width is {width}, expected an even share for each of the {heads} heads")
        channels, length = shape
        self.vocabulary = vocabulary
        self.cells = nn.Embedding(vocabulary + 1, width) if channels == 1 else nn.Conv1d(channels, width, 1)
        self.clock = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) if timed else None
        self.blocks = nn.ModuleList(Block(width, heads, near) for _ in range(depth))
        self.norm = nn.LayerNorm(width, bias=False)
        self.out = nn.Linear(width, vocabulary)
        self._rotations = width // heads, length

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, 1, L) or (B, C, L); t: (B,) → (B, V, L)."""
        h = self.cells(x[:, 0].long()) if isinstance(self.cells, nn.Embedding) else self.cells(x).transpose(1, 2)
        if self.clock is not None:
            h = h + self.clock(sinusoidal(t.float(), h.shape[-1]))[:, None]
        turns = rotations(*self._rotations, device=h.device)
        for block in self.blocks:
            h = block(h, turns)
        return self.out(self.norm(h)).transpose(1, 2)


class Block(nn.Module):
    """A look at the neighbours, attention over all cells, then a gated MLP, each added to what was there."""

    def __init__(self, width: int, heads: int, near: int = 0) -> None:
        super().__init__()
        self.heads = heads
        hidden = gated_width(width)
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.mixed = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)
        self.near = (
            nn.Conv2d(width, width, (1, near), padding=(0, near // 2), groups=width, bias=False) if near else None
        )
        for last in (self.mixed, self.down, self.near):
            if last is not None:
                nn.init.zeros_(last.weight)  # each block begins as the identity

    def forward(self, h: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """(B, L, D) → (B, L, D)."""
        if self.near is not None:
            # As a picture of one row with its channels last: torch's Conv1d of single channels takes three times as
            # long, and so does this one in half precision.
            with torch.autocast(h.device.type, enabled=False):
                h = h + self.near(h.mT.unsqueeze(2)).squeeze(2).mT
        q, k, v = self.qkv(self.norm_attention(h)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # Written out: at these lengths torch's fused attention takes four times as long on a CPU, most of it backwards.
        near = rotated(q, turns) @ rotated(k, turns).mT * (q.shape[-1] ** -0.5)
        seen = near.softmax(-1).to(v.dtype) @ v
        h = h + self.mixed(seen.transpose(1, 2).flatten(2))
        gate, value = self.up(self.norm_mlp(h)).chunk(2, dim=-1)
        return h + self.down(functional.silu(gate) * value)


def gated_width(width: int) -> int:
    """Of a gated MLP: the gate is a third matrix, so two thirds of the usual 4·width, in whole thirty-twos."""
    return -(-8 * width // 3 // 32) * 32


def rotations(dim: int, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines of position × frequency, (L, dim/2) each; the frequencies fall from 1 to 1/10,000."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=device) / (dim // 2))
    angles = torch.arange(length, device=device)[:, None] * frequencies
    return angles.cos(), angles.sin()


def rotated(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Each pair of numbers of a head turned by its position's angle: (B, H, L, dim) → the same."""
    cos, sin = turns
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
