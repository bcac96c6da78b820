"""The U-Net of the package denoising-diffusion-pytorch, written anew from the names and shapes in its files."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.limits import limit


class LucidrainsUnet(nn.Module):
    """Two residual blocks and an attention a level; names of the weights as in a `model-12.pt`.

    dim: channels of the time's sinusoids. widths: channels of the first convolution and of each level. full: whether a
    level attends to all places or linearly.
    memory: learned keys and values beside those of the places. self_condition: channels for an earlier x̂0, given zeros.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        dim: int,
        widths: tuple[int, ...],
        full: tuple[bool, ...],
        heads: int = 4,
        head_dim: int = 32,
        memory: int = 4,
        self_condition: bool = False,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or labels:
            raise ValueError("it makes pictures without classes")
        for name, value, most in (("dim", dim, 4096), ("heads", heads, 64), ("head_dim", head_dim, 512)):
            limit(name, value, most)
        limit("memory", memory, 64)
        if dim < 4 or len(widths) < 2 or len(widths) > 10 or len(full) != len(widths) - 1:
            raise ValueError(f"widths has {len(widths)} entries and full {len(full)}: one more and one for each level")
        for width in widths:
            limit("widths", width, 8192)
        levels = len(full)
        factor = 2 ** (levels - 1)
        if shape[1] % factor or shape[2] % factor:
            raise ValueError(f"a U-Net of {levels} levels needs sides divisible by {factor}, got {shape[1]}×{shape[2]}")
        colours, embed = shape[0], 4 * dim
        self.self_condition = self_condition
        self.init_conv = nn.Conv2d(colours * (2 if self_condition else 1), widths[0], 7, padding=3)
        self.time_mlp = nn.Sequential(Sinusoids(dim), nn.Linear(dim, embed), nn.GELU(), nn.Linear(embed, embed))
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        kinds = [FullAttention if every else LinearAttention for every in full]
        for k, (inside, outside) in enumerate(itertools.pairwise(widths)):
            last = k == levels - 1
            down = nn.Conv2d(inside, outside, 3, padding=1) if last else halved(inside, outside)
            attention = kinds[k](inside, heads, head_dim, memory)
            self.downs.append(
                nn.ModuleList([Residual(inside, inside, embed), Residual(inside, inside, embed), attention, down])
            )
        middle = widths[-1]
        self.mid_block1 = Residual(middle, middle, embed)
        self.mid_attn = FullAttention(middle, heads, head_dim, memory)
        self.mid_block2 = Residual(middle, middle, embed)
        for k, (inside, outside) in reversed(list(enumerate(itertools.pairwise(widths)))):
            up = nn.Conv2d(outside, inside, 3, padding=1) if k == 0 else doubled(outside, inside)
            both = inside + outside
            attention = kinds[k](outside, heads, head_dim, memory)
            self.ups.append(
                nn.ModuleList([Residual(both, outside, embed), Residual(both, outside, embed), attention, up])
            )
        self.final_res_block = Residual(2 * widths[0], widths[0], embed)
        self.final_conv = nn.Conv2d(widths[0], outputs * colours, 1)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), t: (B,) training steps → (B, outputs·C, H, W)."""
        if self.self_condition:
            x = torch.cat([torch.zeros_like(x), x], dim=1)
        x = entered = self.init_conv(x)
        c = self.time_mlp(t)
        skips = []
        for block1, block2, attention, down in self.downs:  # pyright: ignore[reportGeneralTypeIssues]
            x = block1(x, c)
            skips.append(x)
            x = block2(x, c)
            x = x + attention(x)
            skips.append(x)
            x = down(x)
        x = self.mid_block1(x, c)
        x = x + self.mid_attn(x)
        x = self.mid_block2(x, c)
        for block1, block2, attention, up in self.ups:  # pyright: ignore[reportGeneralTypeIssues]
            x = block1(torch.cat([x, skips.pop()], dim=1), c)
            x = block2(torch.cat([x, skips.pop()], dim=1), c)
            x = up(x + attention(x))
        return self.final_conv(self.final_res_block(torch.cat([x, entered], dim=1), c))


class Sinusoids(nn.Module):
    """sin and cos of t at frequencies from 1 down to 1/10,000."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.count = dim // 2

    def forward(self, t: Tensor) -> Tensor:
        rates = torch.exp(torch.arange(self.count, device=t.device) * (-math.log(10_000) / (self.count - 1)))
        angles = t[:, None] * rates
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Norm(nn.Module):
    """Each place divided by the root mean square of its channels, times g."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1) * self.g * x.shape[1] ** 0.5


class Block(nn.Module):
    """Convolution, norm, scale and shift by the time, SiLU."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inside, outside, 3, padding=1)
        self.norm = Norm(outside)

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        x = self.norm(self.proj(x))
        return F.silu(x if scale is None or shift is None else x * (scale + 1) + shift)


class Residual(nn.Module):
    """Two blocks, the first told the time."""

    def __init__(self, inside: int, outside: int, embed: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(embed, 2 * outside))
        self.block1, self.block2 = Block(inside, outside), Block(outside, outside)
        self.res_conv = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.mlp(c)[:, :, None, None].chunk(2, dim=1)
        return self.block2(self.block1(x, scale, shift)) + self.res_conv(x)


class LinearAttention(nn.Module):
    """softmax(k)·vᵀ once for all places, then softmax(q) of each (Shen et al. 2018)."""

    def __init__(self, channels: int, heads: int, head_dim: int, memory: int) -> None:
        super().__init__()
        self.heads, hidden = heads, heads * head_dim
        self.norm = Norm(channels)
        self.mem_kv = nn.Parameter(torch.zeros(2, heads, head_dim, memory))
        self.to_qkv = nn.Conv2d(channels, 3 * hidden, 1, bias=False)
        self.to_out = nn.Sequential(nn.Conv2d(hidden, channels, 1), Norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        q, k, v = (part.unflatten(1, (self.heads, -1)).flatten(3) for part in self.to_qkv(self.norm(x)).chunk(3, dim=1))
        memory_k, memory_v = (m.expand(batch, -1, -1, -1) for m in self.mem_kv)
        k, v = torch.cat([memory_k, k], dim=-1), torch.cat([memory_v, v], dim=-1)
        q = q.softmax(dim=-2) * q.shape[2] ** -0.5
        context = k.softmax(dim=-1) @ v.transpose(-1, -2)  # (B, heads, d, e)
        found = context.transpose(-1, -2) @ q
        return self.to_out(found.reshape(batch, -1, height, width))


class FullAttention(nn.Module):
    """Each place attends to all."""

    def __init__(self, channels: int, heads: int, head_dim: int, memory: int) -> None:
        super().__init__()
        self.heads, hidden = heads, heads * head_dim
        self.norm = Norm(channels)
        self.mem_kv = nn.Parameter(torch.zeros(2, heads, memory, head_dim))
        self.to_qkv = nn.Conv2d(channels, 3 * hidden, 1, bias=False)
        self.to_out = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        parts = self.to_qkv(self.norm(x)).chunk(3, dim=1)
        q, k, v = (part.unflatten(1, (self.heads, -1)).flatten(3).transpose(2, 3) for part in parts)
        memory_k, memory_v = (m.expand(batch, -1, -1, -1) for m in self.mem_kv)
        found = F.scaled_dot_product_attention(q, torch.cat([memory_k, k], dim=2), torch.cat([memory_v, v], dim=2))
        return self.to_out(found.transpose(2, 3).reshape(batch, -1, height, width))


def halved(inside: int, outside: int) -> nn.Sequential:
    """Squares of 2×2 places become channels."""
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * inside, outside, 1))


def doubled(inside: int, outside: int) -> nn.Sequential:
    """Nearest neighbours, then a convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(inside, outside, 3, padding=1))
