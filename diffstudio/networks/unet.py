"""A small U-Net for images, with self-attention at its lowest level and class conditioning."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.embedding import TimeAndLabel
from diffstudio.networks.limits import limit


class UNet(nn.Module):
    """Ho et al. 2020's U-Net at the size of a digit: each level halves the picture.

    channels: of each level, from the finest down. blocks: residual blocks a level. patch: squares of patch×patch pixels
    become channels first, which saves the costly work at full size. The sides of the picture must be divisible by
    patch·2^(levels − 1). outputs: channels given for each of x; 2 with a learned range of variances.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        channels: tuple[int, ...] = (48, 96),
        blocks: int = 1,
        embed: int = 128,
        heads: int = 4,
        patch: int = 2,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        colours, height, width = shape
        for size in channels:
            limit("channels", size, 65_536)
        limit("blocks", blocks, 16)
        limit("patch", patch, 64)
        limit("heads", heads, 64)
        if channels[-1] % heads:
            raise ValueError(f"heads is {heads}, expected a divisor of the last of channels, {channels[-1]}")
        factor = patch * 2 ** (len(channels) - 1)
        if height % factor or width % factor:
            raise ValueError(
                f"a U-Net of {len(channels)} levels needs sides divisible by {factor}, got {height}×{width}"
            )
        self.condition = TimeAndLabel(embed, labels)
        self.patch = patch
        self.enter = nn.Conv2d(colours * patch**2, channels[0], 3, padding=1)
        self.down = nn.ModuleList()
        skips = []
        current = channels[0]
        for depth, size in enumerate(channels):
            for _ in range(blocks):
                self.down.append(Residual(current, size, embed))
                current = size
                skips.append(current)
            if depth < len(channels) - 1:
                self.down.append(Down(current))
        self.middle = nn.ModuleList(
            [Residual(current, current, embed), Attention(current, heads), Residual(current, current, embed)]
        )
        self.up = nn.ModuleList()
        for depth, size in reversed(list(enumerate(channels))):
            for _ in range(blocks):
                self.up.append(Residual(current + skips.pop(), size, embed))
                current = size
            if depth > 0:
                self.up.append(Up(current, channels[depth - 1]))
                current = channels[depth - 1]
        self.leave = nn.Sequential(
            nn.GroupNorm(8, current), nn.SiLU(), nn.Conv2d(current, outputs * colours * patch**2, 3, padding=1)
        )
        nn.init.zeros_(self.leave[-1].weight)  # pyright: ignore
        nn.init.zeros_(self.leave[-1].bias)  # pyright: ignore

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,), labels: (B,) → (B, outputs·C, H, W)."""
        c = F.silu(self.condition(t, labels))
        h = self.enter(F.pixel_unshuffle(x, self.patch))
        skips = []
        for layer in self.down:
            h = layer(h, c)
            if isinstance(layer, Residual):
                skips.append(h)
        for layer in self.middle:
            h = layer(h, c)
        for layer in self.up:
            h = layer(h, c) if isinstance(layer, Up) else layer(torch.cat([h, skips.pop()], dim=1), c)
        return F.pixel_shuffle(self.leave(h), self.patch)


class Residual(nn.Module):
    """Two 3×3 convolutions; the conditioning scales and shifts between them (FiLM)."""

    def __init__(self, inside: int, outside: int, embed: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.modulate = nn.Linear(embed, 2 * outside)
        self.norm2 = nn.GroupNorm(8, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.modulate(c)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Attention(nn.Module):
    """Self-attention over all places of the picture."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        qkv = self.qkv(self.norm(x)).view(batch, 3, self.heads, channels // self.heads, height * width)
        q, k, v = qkv.transpose(3, 4).unbind(1)
        h = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(batch, channels, height, width)
        return x + self.out(h)


class Down(nn.Module):
    """Half the size by a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.conv(x)


class Up(nn.Module):
    """Twice the size, nearest neighbour, then a convolution to the channels of the level above."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
