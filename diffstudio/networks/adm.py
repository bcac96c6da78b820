"""The U-Net of OpenAI's guided-diffusion (ADM, Dhariwal & Nichol 2021), written anew from the names in its files."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.limits import limit

GROUPS = 32


class ADM(nn.Module):
    """Residual blocks with attention; names of the weights as in its `.pt` files.

    width: channels of the first convolution. widths: of each level. blocks: residual blocks a level. attention: of each
    block on the way down whether it attends. heads: how many, 0 where `head_width` channels make one. scale_shift: time
    scales and shifts after the norm, else it is added. resample: whether levels change by residual blocks or by a
    convolution alone. split_first: q, k and v are split before the heads (the later order of its qkv), not after.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        width: int,
        widths: tuple[int, ...],
        blocks: int,
        attention: tuple[bool, ...],
        attention_up: tuple[bool, ...],
        heads: int = 0,
        head_width: int = 64,
        scale_shift: bool = True,
        resample: bool = True,
        split_first: bool = False,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or not 1 <= len(widths) <= 9:
            raise ValueError(f"widths has {len(widths)} entries, expected 1 to 9, one for each level")
        for name, value, most in (("width", width, 4096), ("blocks", blocks, 16), ("head_width", head_width, 4096)):
            limit(name, value, most)
        for channels in (width, *widths):
            if type(channels) is not int or not 1 <= channels <= 8192 or channels % GROUPS:
                raise ValueError(f"widths has {channels!r}, expected multiples of {GROUPS} up to 8,192")
        if heads:
            limit("heads", heads, 256)
        levels = len(widths)
        if len(attention) != levels * blocks or len(attention_up) != levels * (blocks + 1):
            raise ValueError("attention has not one entry for each block")
        factor = 2 ** (levels - 1)
        if shape[1] % factor or shape[2] % factor:
            raise ValueError(f"a U-Net of {levels} levels needs sides divisible by {factor}, got {shape[1]}×{shape[2]}")
        embed = 4 * width
        self.width = width
        self.time_embed = nn.Sequential(nn.Linear(width, embed), nn.SiLU(), nn.Linear(embed, embed))
        self.label_emb = nn.Embedding(labels, embed) if labels else None

        def residual(inside: int, outside: int, change: int = 0) -> Residual:
            return Residual(inside, outside, embed, scale_shift, change)

        def attend(channels: int) -> Attention:
            return Attention(channels, heads or max(1, channels // head_width), split_first)

        current = width
        self.input_blocks = nn.ModuleList([Stage(nn.Conv2d(shape[0], width, 3, padding=1))])
        skips = [current]
        for level, channels in enumerate(widths):
            for k in range(blocks):
                parts: list[nn.Module] = [residual(current, channels)]
                current = channels
                if attention[level * blocks + k]:
                    parts.append(attend(current))
                self.input_blocks.append(Stage(*parts))
                skips.append(current)
            if level < levels - 1:
                self.input_blocks.append(Stage(residual(current, current, -1) if resample else Down(current)))
                skips.append(current)
        self.middle_block = Stage(residual(current, current), attend(current), residual(current, current))
        self.output_blocks = nn.ModuleList()
        for place, channels in enumerate(reversed(widths)):
            for k in range(blocks + 1):
                parts = [residual(current + skips.pop(), channels)]
                current = channels
                if attention_up[place * (blocks + 1) + k]:
                    parts.append(attend(current))
                if place < levels - 1 and k == blocks:
                    parts.append(residual(current, current, 1) if resample else Up(current))
                self.output_blocks.append(Stage(*parts))
        self.out = nn.Sequential(
            nn.GroupNorm(GROUPS, current), nn.SiLU(), nn.Conv2d(current, outputs * shape[0], 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,) training steps, labels: (B,) → (B, outputs·C, H, W)."""
        c = self.time_embed(sinusoids(t, self.width))
        if self.label_emb is not None:
            c = c + self.label_emb(labels)
        skips = []
        for stage in self.input_blocks:
            x = stage(x, c)
            skips.append(x)
        x = self.middle_block(x, c)
        for stage in self.output_blocks:
            x = stage(torch.cat([x, skips.pop()], dim=1), c)
        return self.out(x)


def sinusoids(t: Tensor, width: int) -> Tensor:
    """cos and sin of t at frequencies from 1 to nearly 1/10,000. (B,) → (B, width)."""
    half = width // 2
    angles = t[:, None] * torch.exp(torch.arange(half, device=t.device) * (-math.log(10_000) / half))
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Stage(nn.Sequential):
    """Layers in turn; those that know of the time are told it."""

    def forward(self, x: Tensor, c: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        for layer in self:
            x = layer(x, c) if isinstance(layer, Residual) else layer(x)
        return x


class Residual(nn.Module):
    """Norm, SiLU and convolution, twice; change: −1 halves the size on the way, 1 doubles it."""

    def __init__(self, inside: int, outside: int, embed: int, scale_shift: bool, change: int) -> None:
        super().__init__()
        self.scale_shift, self.change = scale_shift, change
        self.in_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, inside), nn.SiLU(), nn.Conv2d(inside, outside, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embed, 2 * outside if scale_shift else outside))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, outside), nn.SiLU(), nn.Identity(), nn.Conv2d(outside, outside, 3, padding=1)
        )
        self.skip_connection = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.in_layers[2](self._resized(self.in_layers[1](self.in_layers[0](x))))
        c = self.emb_layers(c)[:, :, None, None]
        if self.scale_shift:
            scale, shift = c.chunk(2, dim=1)
            h = self.out_layers[0](h) * (1 + scale) + shift
        else:
            h = self.out_layers[0](h + c)
        h = self.out_layers[3](self.out_layers[1](h))
        return self.skip_connection(self._resized(x)) + h

    def _resized(self, x: Tensor) -> Tensor:
        if self.change == 0:
            return x
        return F.avg_pool2d(x, 2) if self.change < 0 else F.interpolate(x, scale_factor=2.0, mode="nearest")


class Attention(nn.Module):
    """Each place attends to all."""

    def __init__(self, channels: int, heads: int, split_first: bool) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"heads is {heads}, expected a divisor of {channels} channels")
        self.heads, self.split_first = heads, split_first
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        flat = x.flatten(2)
        qkv = self.qkv(self.norm(flat))
        size = channels // self.heads
        # (B, heads, 3, size, N): in the first files each head has its own q, k and v beside each other
        if self.split_first:
            qkv = qkv.view(batch, 3, self.heads, size, -1).transpose(1, 2)
        else:
            qkv = qkv.view(batch, self.heads, 3, size, -1)
        q, k, v = qkv.transpose(3, 4).unbind(2)
        found = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(batch, channels, -1)
        return (flat + self.proj_out(found)).view(batch, channels, height, width)


class Down(nn.Module):
    """Half the size by a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Up(nn.Module):
    """Twice the size, nearest neighbour, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
