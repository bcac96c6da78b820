"""A small U-Net for clips: convolutions within frames, mixing along time, attention over both at its lowest level."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.embedding import TimeAndLabel
from diffstudio.networks.limits import limit
from diffstudio.networks.unet import Down, Residual, Up


class VideoUNet(nn.Module):
    """Ho et al. 2022's factorised space-time U-Net at the size of a bouncing digit.

    Inside, a clip is a batch of its frames, so that pictures' layers serve: each residual block works within frames and
    is followed by a mixing of neighbouring frames. At the lowest level every place of every frame attends to every
    other, which ties the identity of what moves together.

    channels: of each level, from the finest down. patch: squares of patch×patch pixels become channels first. The sides
    of the frames must be divisible by patch·2^(levels − 1).
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        channels: tuple[int, ...] = (32, 64),
        embed: int = 128,
        heads: int = 4,
        patch: int = 2,
    ) -> None:
        super().__init__()
        frames, colours, height, width = shape
        for size in channels:
            limit("channels", size, 65_536)
        limit("patch", patch, 64)
        limit("heads", heads, 64)
        if channels[-1] % heads:
            raise ValueError(f"heads is {heads}, expected a divisor of the last of channels, {channels[-1]}")
        factor = patch * 2 ** (len(channels) - 1)
        if height % factor or width % factor:
            raise ValueError(
                f"a U-Net of {len(channels)} levels needs sides divisible by {factor}, got {height}×{width}"
            )
        self.patch = patch
        self.condition = TimeAndLabel(embed, labels)
        self.frame = nn.Parameter(torch.zeros(frames, embed))
        self.enter = nn.Conv2d(colours * patch**2, channels[0], 3, padding=1)
        lowest = channels[-1]
        small = (frames, height // factor, width // factor)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        current = channels[0]
        for depth, size in enumerate(channels):
            self.down.append(Block(current, size, embed))
            current = size
            if depth < len(channels) - 1:
                self.down.append(Down(current))
        self.place = nn.ParameterList(nn.Parameter(torch.zeros(count, lowest)) for count in small)
        self.middle = nn.ModuleList()
        for _ in range(2):
            self.middle.extend([JointAttention(lowest, heads), Block(lowest, lowest, embed)])
        for depth, size in reversed(list(enumerate(channels))):
            self.up.append(Block(current + size, size, embed))
            current = size
            if depth > 0:
                self.up.append(Up(current, channels[depth - 1]))
                current = channels[depth - 1]
        self.leave = nn.Sequential(
            nn.GroupNorm(8, current), nn.SiLU(), nn.Conv2d(current, colours * patch**2, 3, padding=1)
        )
        self.through = nn.Linear(embed, 1)
        for layer in (self.leave[-1], self.through):
            nn.init.zeros_(layer.weight)  # pyright: ignore
            nn.init.zeros_(layer.bias)  # pyright: ignore

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, T, C, H, W), t: (B,), labels: (B,) → (B, T, C, H, W)."""
        batch, frames = x.shape[:2]
        condition = self.condition(t, labels)
        c = F.silu(condition[:, None] + self.frame).flatten(0, 1)
        h = F.pixel_unshuffle(x.flatten(0, 1), self.patch).contiguous(memory_format=torch.channels_last)
        h = self.enter(h)
        skips = []
        for layer in self.down:
            h = layer(h, c, frames) if isinstance(layer, Block) else layer(h, c)
            if isinstance(layer, Block):
                skips.append(h)
        over_time, down, across = self.place
        place = over_time[:, :, None, None] + down.T[None, :, :, None] + across.T[None, :, None, :]
        h = h + place.repeat(batch, 1, 1, 1)
        for layer in self.middle:
            h = layer(h, c, frames)
        for layer in self.up:
            h = layer(torch.cat([h, skips.pop()], dim=1), c, frames) if isinstance(layer, Block) else layer(h, c)
        out = F.pixel_shuffle(self.leave(h), self.patch).view(x.shape)
        # How much of x_t belongs into the output follows from t alone; the network need not learn to pass it through.
        return out + self.through(F.silu(condition))[:, :, None, None, None] * x


class Block(nn.Module):
    """A residual block within frames, then a convolution over three frames, place by place."""

    def __init__(self, inside: int, outside: int, embed: int) -> None:
        super().__init__()
        self.within = Residual(inside, outside, embed)
        self.norm = nn.GroupNorm(8, outside)
        self.between = nn.Conv2d(3 * outside, outside, 1)
        nn.init.zeros_(self.between.weight)

    def forward(self, x: Tensor, c: Tensor, frames: int) -> Tensor:
        x = self.within(x, c)
        h = F.silu(self.norm(x)).unflatten(0, (-1, frames))
        nothing = torch.zeros_like(h[:, :1])
        before, after = torch.cat([nothing, h[:, :-1]], 1), torch.cat([h[:, 1:], nothing], 1)
        return x + self.between(torch.cat([before, h, after], 2).flatten(0, 1))


class JointAttention(nn.Module):
    """Self-attention over all places of all frames."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, c: Tensor, frames: int) -> Tensor:
        pictures, channels, height, width = x.shape
        tokens = self.norm(x).permute(0, 2, 3, 1).reshape(pictures // frames, frames * height * width, channels)
        q, k, v = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        h = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + h.view(pictures, height, width, channels).permute(0, 3, 1, 2)
