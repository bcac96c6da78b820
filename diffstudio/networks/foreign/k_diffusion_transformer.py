"""The transformer "image_transformer_v1" of k-diffusion, written anew from the names and shapes in its files.

It is told c_noise = ln(σ)/4 and gives EDM's F (Karras et al. 2022).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.foreign.k_diffusion import Fourier
from diffstudio.networks.limits import limit

HEAD = 64
_EPS, _LOUDEST = 1e-6, math.log(100)


class KDiffusionTransformer(nn.Module):
    """Patches of a picture as tokens, their places told by rotations of queries and keys.

    width: of a token, a multiple of 64. hidden: of a block's MLP. patch: height and width.
    """

    def __init__(
        self, shape: tuple[int, ...], labels: int, width: int, depth: int, hidden: int, patch: tuple[int, ...]
    ) -> None:
        super().__init__()
        limit("width", width, 16_384)
        limit("depth", depth, 256)
        limit("hidden", hidden, 65_536)
        if len(patch) != 2 or width % HEAD:
            raise ValueError(f"patch is {patch} and width {width}, expected two sides and a multiple of {HEAD}")
        for side in patch:
            limit("patch", side, 256)
        if len(shape) != 3 or shape[1] % patch[0] or shape[2] % patch[1]:
            raise ValueError(f"patches of {patch[0]}×{patch[1]} do not fill pictures of {shape}")
        self.patch, values = patch, shape[0] * patch[0] * patch[1]
        self.time_emb, self.aug_emb = Fourier(1, width), Fourier(9, width)
        self.time_in_proj = nn.Linear(width, width, bias=False)
        self.aug_in_proj = nn.Linear(width, width, bias=False)
        self.class_emb = nn.Embedding(labels + 1, width) if labels else None
        self.mapping = Mapping(width, hidden, 2)
        self.in_proj = nn.Linear(values, width, bias=False)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"self_attn": Attention(width), "ff": ToldGated(width, hidden, width)}) for _ in range(depth)
        )
        self.out_norm, self.out_proj = Norm(width), nn.Linear(width, values, bias=False)

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W) of variance 1, c_noise: (B,), labels: (B,), the last row is "any" → (B, C, H, W)."""
        high, wide = self.patch
        rows, columns = x.shape[2] // high, x.shape[3] // wide
        tokens = x.unflatten(3, (columns, wide)).unflatten(2, (rows, high))  # (B, C, rows, high, columns, wide)
        h = self.in_proj(tokens.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))
        c = self.time_in_proj(self.time_emb(c_noise[:, None]))
        c = c + self.aug_in_proj(self.aug_emb(x.new_zeros(x.shape[0], 9)))  # no augmentation
        if self.class_emb is not None:
            if labels is None:
                raise ValueError("a network with classes needs one for each sample")
            c = c + self.class_emb(labels)
        c = self.mapping(c)[:, None]
        places = self._places(rows, columns, x)
        for block in self.blocks:
            h = block["ff"](block["self_attn"](h, places, c), c)  # pyright: ignore[reportIndexIssue]
        out = self.out_proj(self.out_norm(h)).unflatten(2, (x.shape[1], high, wide)).unflatten(1, (rows, columns))
        return out.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)

    def _places(self, rows: int, columns: int, like: Tensor) -> Tensor:
        """(rows·columns, 2): the middles of the patches in a picture whose longer side is from −1 to 1."""
        high, wide = self.patch
        tall = rows * high / (columns * wide)
        y, x = (min(1.0, tall), rows), (min(1.0, 1 / tall), columns)
        axes = [((2 * torch.arange(n, device=like.device) + 1) / n - 1).to(like.dtype) * most for most, n in (y, x)]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 1)


def rms_norm(x: Tensor, scale: Tensor) -> Tensor:
    """x·scale over the root mean square of its last axis, which is taken in float32 at least."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return x * (scale * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + _EPS)).to(x.dtype)


class Norm(nn.Module):
    """With a scale that was learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.scale)


class ToldNorm(nn.Module):
    """With a scale that follows from what is told of the noise, in so many numbers."""

    def __init__(self, width: int, told: int) -> None:
        super().__init__()
        self.linear = nn.Linear(told, width, bias=False)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return rms_norm(x, self.linear(c) + 1)


class HeadNorm(nn.Module):
    """Of queries and keys: each head has its own loudness, at most 100."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(heads))

    def forward(self, x: Tensor) -> Tensor:
        loud = torch.exp(0.5 * self.scale.clamp(max=_LOUDEST) - 0.25 * math.log(x.shape[-1]))
        return rms_norm(x, loud[:, None, None])


class Rotations(nn.Module):
    """Pairs of values are turned by the place, half of them by its height, half by its width."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.freqs_h, self.freqs_w = (nn.Parameter(torch.zeros(heads, HEAD // 4)) for _ in range(2))

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """x: (B, heads, L, 64), places: (L, 2)."""
        y = places[:, 0, None] * self.freqs_h.exp()[:, None]
        angles = torch.cat([y, places[:, 1, None] * self.freqs_w.exp()[:, None]], dim=-1)  # (heads, L, 32)
        one, two = x.unflatten(-1, (-1, 2)).unbind(-1)
        turned = [one * angles.cos() - two * angles.sin(), two * angles.cos() + one * angles.sin()]
        return torch.stack(turned, dim=-1).flatten(-2)


class Attention(nn.Module):
    """Every token attends to all, in heads of 64."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.qk_norm, self.pos_emb = (
            ToldNorm(width, width),
            HeadNorm(width // HEAD),
            Rotations(width // HEAD),
        )
        self.qkv_proj = nn.Linear(width, 3 * width, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(self, h: Tensor, places: Tensor, c: Tensor) -> Tensor:
        q, k, v = self.qkv_proj(self.norm(h, c)).unflatten(2, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        q, k = (self.pos_emb(self.qk_norm(part), places).to(v.dtype) for part in (q, k))
        return h + self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Gated(nn.Module):
    """h + W2·(a·GELU(b)), a and b = W1·norm(h)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = Norm(width)
        self.up_proj, self.down_proj = feed_forward(width, hidden)

    def forward(self, h: Tensor) -> Tensor:
        value, gate = self.up_proj(self.norm(h)).chunk(2, dim=-1)
        return h + self.down_proj(value * F.gelu(gate))


class ToldGated(nn.Module):
    """The same, with a norm that is told the noise."""

    def __init__(self, width: int, hidden: int, told: int) -> None:
        super().__init__()
        self.norm = ToldNorm(width, told)
        self.up_proj, self.down_proj = feed_forward(width, hidden)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        value, gate = self.up_proj(self.norm(h, c)).chunk(2, dim=-1)
        return h + self.down_proj(value * F.gelu(gate))


def feed_forward(width: int, hidden: int) -> tuple[nn.Linear, nn.Linear]:
    """The two layers of a gated MLP."""
    return nn.Linear(width, 2 * hidden, bias=False), nn.Linear(hidden, width, bias=False)


class Mapping(nn.Module):
    """What is told of noise and class, through gated layers."""

    def __init__(self, width: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.in_norm, self.out_norm = Norm(width), Norm(width)
        self.blocks = nn.ModuleList(Gated(width, hidden) for _ in range(depth))

    def forward(self, c: Tensor) -> Tensor:
        c = self.in_norm(c)
        for block in self.blocks:
            c = block(c)
        return self.out_norm(c)
