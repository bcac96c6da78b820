"""The U-Net "image_v1" of the package k-diffusion, written anew from the names and shapes in its files.

It is told c_noise = ln(σ)/4 and gives EDM's F (Karras et al. 2022).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.limits import limit

GROUP, HEAD = 32, 64  # channels of a group of the norms, and of a head of the attention
_KERNEL = (1 / 8, 3 / 8, 3 / 8, 1 / 8)


class KDiffusionUNet(nn.Module):
    """Residual blocks whose norms are told the noise, a level a number of them, attention behind each where wanted.

    embed: numbers that tell the noise. depths, channels, attention: of each level. patch: side of the squares of pixels
    that are one place. skipped: finest levels that are not used. augmented: it was also told of nine augmentations, and
    now that there are none. variance: one channel more, an estimate of the error, which is left aside.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        embed: int,
        depths: tuple[int, ...],
        channels: tuple[int, ...],
        attention: tuple[bool, ...],
        patch: int = 1,
        skipped: int = 0,
        augmented: bool = True,
        variance: bool = False,
    ) -> None:
        super().__init__()
        levels = len(depths)
        if not 1 <= levels <= 10 or len(channels) != levels or len(attention) != levels:
            raise ValueError("depths, channels and attention have one entry for each of 1 to 10 levels")
        limit("embed", embed, 16_384)
        limit("patch", patch, 64)
        for depth, width in zip(depths, channels, strict=True):
            limit("depths", depth, 64)
            limit("channels", width, 8192)
            heads, groups = max(1, width // HEAD), max(1, width // GROUP)
            if width % heads or width % groups:
                raise ValueError(f"channels has {width}, expected less than {GROUP} or multiples of it")
        if type(skipped) is not int or not 0 <= skipped < levels:
            raise ValueError(f"skipped is {skipped!r}, expected a whole number below {levels}")
        factor = patch * 2 ** (levels - 1 - skipped)
        if len(shape) != 3 or labels or shape[1] % factor or shape[2] % factor:
            raise ValueError(f"it makes pictures without classes whose sides are multiples of {factor}, not {shape}")
        self.patch, self.variance = patch, variance
        before = [channels[max(0, i - 1)] for i in range(levels)]
        values = shape[0] * patch**2
        self.timestep_embed = Fourier(1, embed)
        self.mapping_cond = nn.Linear(9, embed, bias=False) if augmented else None
        self.mapping = nn.Sequential(nn.Linear(embed, embed), nn.GELU(), nn.Linear(embed, embed), nn.GELU())
        self.proj_in = nn.Conv2d(values, before[skipped], 1)
        self.proj_out = nn.Conv2d(before[skipped], values + variance, 1)
        down, up = nn.ModuleList(), nn.ModuleList()
        for i, (depth, width, attends) in enumerate(zip(depths, channels, attention, strict=True)):
            resized = i > skipped
            wide = 2 * width if i < levels - 1 else width
            on_the_way_down = blocks(depth, embed, before[i], width, width, attends)
            on_the_way_up = blocks(depth, embed, wide, width, before[i], attends)
            down.append(nn.ModuleList([Halve() if resized else Same(), *on_the_way_down]))
            up.insert(0, nn.ModuleList([*on_the_way_up, Double() if resized else Same()]))
        self.skipped, self.u_net = skipped, nn.ModuleDict({"d_blocks": down, "u_blocks": up})

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W) of variance 1, c_noise: (B,) → (B, C, H, W)."""
        c = self.mapping(self.timestep_embed(c_noise[:, None]))
        h, skips = self.proj_in(F.pixel_unshuffle(x, self.patch)), []
        down, up = (list(self.u_net[name].children()) for name in ("d_blocks", "u_blocks"))
        for level in down[self.skipped :]:
            h = applied(level, h, c)
            skips.append(h)
        h = skips.pop()
        for i, level in enumerate(up[: len(up) - self.skipped]):
            h = applied(level, torch.cat([h, skips.pop()], dim=1) if i else h, c)
        h = self.proj_out(h)
        return F.pixel_shuffle(h[:, :-1] if self.variance else h, self.patch)


class Fourier(nn.Module):
    """cos and sin of 2π·W·v: (B, inside) → (B, outside), with W as it was drawn."""

    weight: Tensor

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        if outside % 2:
            raise ValueError(f"it needs an even number of features, not {outside}")
        self.register_buffer("weight", torch.zeros(outside // 2, inside))

    def forward(self, values: Tensor) -> Tensor:
        angles = 2 * math.pi * values @ self.weight.T
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Norm(nn.Module):
    """Group norm, scaled and shifted by what is told of the noise."""

    def __init__(self, embed: int, channels: int, groups: int) -> None:
        super().__init__()
        self.groups, self.mapper = groups, nn.Linear(embed, 2 * channels)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.mapper(c)[:, :, None, None].chunk(2, dim=1)
        return F.group_norm(x, self.groups) * (1 + scale) + shift


class Residual(nn.Module):
    """Norm, GELU, convolution, twice; `main` counts the package's dropouts too."""

    def __init__(self, embed: int, inside: int, middle: int, outside: int) -> None:
        super().__init__()
        first, second = (Norm(embed, width, max(1, width // GROUP)) for width in (inside, middle))
        enter, leave = nn.Conv2d(inside, middle, 3, padding=1), nn.Conv2d(middle, outside, 3, padding=1)
        self.main = nn.ModuleDict({"0": first, "2": enter, "4": second, "6": leave})
        self.skip = nn.Conv2d(inside, outside, 1, bias=False) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        h = self.main["2"](F.gelu(self.main["0"](x, c)))
        return self.main["6"](F.gelu(self.main["4"](h, c))) + self.skip(x)


class Attention(nn.Module):
    """Every place attends to all, in heads of 64 channels."""

    def __init__(self, embed: int, channels: int) -> None:
        super().__init__()
        self.heads = max(1, channels // HEAD)
        self.norm_in = Norm(embed, channels, max(1, channels // GROUP))
        self.qkv_proj, self.out_proj = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        parts = self.qkv_proj(self.norm_in(x, c)).flatten(2).unflatten(1, (3 * self.heads, -1))
        q, k, v = parts.transpose(2, 3).chunk(3, dim=1)
        found = F.scaled_dot_product_attention(q, k, v).transpose(2, 3)
        return x + self.out_proj(found.reshape(x.shape))


class Same(nn.Module):
    """The first and the last level are not resized; the place is kept for the names."""

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        return x


class Halve(nn.Module):
    """Each channel through a smooth kernel of 4×4, every second place."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([_KERNEL])
        self.register_buffer("kernel", row.T @ row)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        weight = self.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), "reflect"), weight, stride=2, groups=x.shape[1])


class Double(nn.Module):
    """The same kernel, from each place to its neighbours of twice the size."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = 2 * torch.tensor([_KERNEL])
        self.register_buffer("kernel", row.T @ row)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        weight = self.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
        around = F.pad(x, (1, 1, 1, 1), "reflect")
        return F.conv_transpose2d(around, weight, stride=2, padding=3, groups=x.shape[1])


def blocks(depth: int, embed: int, inside: int, middle: int, outside: int, attends: bool) -> list[nn.Module]:
    """The blocks of a level, each with an attention behind it where the level attends."""
    found: list[nn.Module] = []
    for i in range(depth):
        leaving = outside if i == depth - 1 else middle
        found.append(Residual(embed, middle if i else inside, middle, leaving))
        if attends:
            found.append(Attention(embed, leaving))
    return found


def applied(parts: nn.Module, x: Tensor, c: Tensor) -> Tensor:
    """The parts one after the other, each told the noise."""
    for part in parts.children():
        x = part(x, c)
    return x
