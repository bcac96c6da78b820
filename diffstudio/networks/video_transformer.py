"""A transformer over the patches of a clip: every square of every frame attends to every other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffstudio.networks.embedding import TimeAndLabel
from diffstudio.networks.limits import limit
from diffstudio.networks.transformer import gated_width, rotated


class VideoTransformer(nn.Module):
    """The diffusion transformer (Peebles & Xie 2023) for clips: (B, T, C, H, W) → (B, T, C, H, W).

    Squares of patch×patch pixels of each frame are the tokens; they know where they are by learned places and by rotary
    positions along time, height and width. Time and label shift, scale and gate each part of a block, by one layer for
    all blocks and a learned offset for each (Chen et al. 2024, PixArt-α): one layer a block would be a third of the
    weights. Queries and keys are normalised, so that long steps of the training do no harm (Dehghani et al. 2023).

    The sides of the frames must be divisible by patch, the width by twice the heads.
    """

    def __init__(
        self, shape: tuple[int, ...], labels: int, width: int = 192, depth: int = 6, heads: int = 6, patch: int = 7
    ) -> None:
        super().__init__()
        frames, colours, height, across = shape
        limit("width", width, 4096)
        limit("depth", depth, 64)
        limit("heads", heads, 64)
        limit("patch", patch, 64)
        if width % heads or (width // heads) % 2:
            raise ValueError(f"width is {width}, expected an even share for each of the {heads} heads")
        if height % patch or across % patch:
            raise ValueError(f"patch is {patch}, expected a divisor of both sides of {height}×{across}")
        self.patch, self.heads = patch, heads
        self.grid = frames, height // patch, across // patch
        self.condition = TimeAndLabel(width, labels)
        self.enter = nn.Linear(colours * patch**2, width)
        self.place = nn.ParameterList(nn.Parameter(torch.randn(count, width) * 0.02) for count in self.grid)
        self.modulation = nn.Linear(width, PARTS * width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.last = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, colours * patch**2)
        self.through = nn.Linear(width, 1)
        for layer in (self.modulation, self.last, self.out, self.through):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, T, C, H, W), t: (B,), labels: (B,) → (B, T, C, H, W)."""
        condition = functional.silu(self.condition(t, labels))
        over_time, down, across = self.place
        place = over_time[:, None, None] + down[:, None] + across
        h = self.enter(self._tokens(x)) + place.flatten(0, 2)
        turns = rotations(h.shape[-1] // self.heads, self.grid, h.device)
        modulation = self.modulation(condition).unflatten(1, (PARTS, 1, -1))
        for block in self.blocks:
            h = block(h, modulation, turns)
        shift, scale = self.last(condition)[:, None].chunk(2, dim=-1)
        out = self._clip(self.out(self.norm(h) * (1 + scale) + shift), x.shape)
        # How much of x_t belongs into the output follows from t alone; the network need not learn to pass it through.
        return out + self.through(condition)[:, :, None, None, None] * x

    def _tokens(self, x: Tensor) -> Tensor:
        """(B, T, C, H, W) → (B, T·h·w, C·patch²)."""
        squares = functional.pixel_unshuffle(x, self.patch)
        return squares.permute(0, 1, 3, 4, 2).flatten(1, 3)

    def _clip(self, tokens: Tensor, shape: torch.Size) -> Tensor:
        """(B, T·h·w, C·patch²) → (B, T, C, H, W)."""
        squares = tokens.unflatten(1, self.grid).permute(0, 1, 4, 2, 3)
        return functional.pixel_shuffle(squares, self.patch).reshape(shape)


PARTS = 6  # shift, scale and gate of the attention, then of the MLP


class Block(nn.Module):
    """Attention over all tokens, then a gated MLP, each modulated and added to what was there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        hidden = gated_width(width)
        self.offset = nn.Parameter(torch.zeros(PARTS, 1, width))  # the gates too begin at zero: a block as the identity
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.mixed = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, h: Tensor, modulation: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """h: (B, N, D); modulation: (B, 6, 1, D), the same for all blocks → (B, N, D)."""
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = (modulation + self.offset).unbind(1)
        h = h + gate * self._attention(self.norm(h) * (1 + scale) + shift, turns)
        opened, value = self.up(self.norm(h) * (1 + mlp_scale) + mlp_shift).chunk(2, dim=-1)
        return h + mlp_gate * self.down(functional.silu(opened) * value)

    def _attention(self, h: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        q, k, v = self.qkv(h).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        size = (q.shape[-1],)
        q, k = rotated(functional.rms_norm(q, size), turns), rotated(functional.rms_norm(k, size), turns)
        # Written out, as in the transformer of texts: torch's fused attention takes longer on a CPU.
        seen = (q @ k.mT * size[0] ** -0.5).softmax(-1).to(v.dtype) @ v
        return self.mixed(seen.transpose(1, 2).flatten(2))


def rotations(dim: int, grid: tuple[int, int, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines of a token's position × frequency, (T·h·w, dim/2) each.

    A third of a head's pairs turns with each axis; the frequencies of an axis fall from 1 to about 1/30, since no axis
    has more than some ten positions.
    """
    pairs = dim // 2
    shares = (pairs - 2 * (pairs // 3), pairs // 3, pairs // 3)
    axes = torch.meshgrid(*(torch.arange(count, device=device) for count in grid), indexing="ij")
    angles = [
        position.flatten()[:, None] * torch.exp(-math.log(30) * torch.arange(share, device=device) / max(1, share))
        for position, share in zip(axes, shares, strict=True)
    ]
    joined = torch.cat(angles, dim=1)
    return joined.cos(), joined.sin()
