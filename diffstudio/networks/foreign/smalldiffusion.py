"""The MLP and the transformer of the package smalldiffusion, written anew from the names and shapes in its files.

Its networks are told σ and give ε at x = x_0 + σ·ε; those with the embedding "timestep" were trained on flows, are told
1000·t and give ε − x_0. `smalldiffusion_unet` has the third.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.limits import limit

EMBEDDINGS = ("sigma", "timestep")
_SINUSOIDS, _HIDDEN = 256, 1024  # of the embedding "timestep"


class SmallMLP(nn.Module):
    """Linear layers with GELU between, told σ by two numbers.

    hidden: the widths between. classes: numbers that a class adds to the input, with classes.
    scaled, unit_v: as in `SmallUnet`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        hidden: tuple[int, ...],
        classes: int = 4,
        scaled: bool = False,
        unit_v: bool = False,
    ) -> None:
        super().__init__()
        if len(shape) != 1:
            raise ValueError("it makes points")
        if not 1 <= len(hidden) <= 64:
            raise ValueError(f"hidden has {len(hidden)} entries, expected 1 to 64")
        for width in (classes, *hidden):
            limit("hidden and classes", width, 65_536)
        self.scaled, self.unit_v = scaled, unit_v
        widths = (shape[0] + 2 + (classes if labels else 0), *hidden)
        between = [(nn.Linear(a, b), nn.GELU()) for a, b in itertools.pairwise(widths)]
        self.net = nn.Sequential(*(layer for pair in between for layer in pair), nn.Linear(widths[-1], shape[0]))
        self.cond_embed = Classes(classes, labels) if labels else None

    def forward(self, x: Tensor, sigma: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, D), sigma: (B,), labels: (B,) → (B, D)."""
        entering = [scaled_input(x, sigma) if self.scaled else x, phase(sigma)]
        if self.cond_embed is not None:
            entering.append(self.cond_embed(labels))
        out = self.net(torch.cat(entering, dim=1))
        return of_state(out, sigma) if self.unit_v else out


class SmallDiT(nn.Module):
    """Patches of a square picture as tokens, blocks whose norms and gates are told σ (Peebles & Xie 2023).

    width: of a token. hidden: of a block's MLP. embedding: how it is told the noise. scaled, unit_v: as in
    `SmallUnet`.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        width: int,
        depth: int,
        hidden: int,
        patch: int = 2,
        heads: int = 6,
        embedding: str = "sigma",
        scaled: bool = False,
        unit_v: bool = False,
    ) -> None:
        super().__init__()
        for name, value, most in (
            ("width", width, 16_384),
            ("depth", depth, 256),
            ("hidden", hidden, 65_536),
            ("patch", patch, 256),
            ("heads", heads, 1024),
        ):
            limit(name, value, most)
        if len(shape) != 3 or shape[1] != shape[2] or shape[1] % patch:
            raise ValueError(f"it makes square pictures whose sides are multiples of {patch}, not {shape}")
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.patch, self.scaled, self.unit_v, tokens = patch, scaled, unit_v, (shape[1] // patch) ** 2
        self.pos_embed = nn.Parameter(torch.zeros(1, tokens, width), requires_grad=False)
        self.x_embed = nn.ModuleDict({"proj": nn.Conv2d(shape[0], width, patch, patch)})
        self.sig_embed = noise_embedding(embedding, width)
        self.cond_embed = Classes(width, labels) if labels else None
        self.blocks = nn.ModuleList(DiTBlock(width, heads, hidden) for _ in range(depth))
        self.final_norm = ModulatedNorm(width)
        self.final_linear = nn.Linear(width, patch * patch * shape[0])

    def forward(self, x: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), noise: (B,) σ or 1000·t, labels: (B,) → (B, C, H, W)."""
        side = x.shape[2] // self.patch
        c = self.sig_embed(noise)
        if self.cond_embed is not None:
            c = c + self.cond_embed(labels)
        x = scaled_input(x, noise) if self.scaled else x
        h = self.x_embed["proj"](x).flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks:
            h = block(h, c)
        out = self.final_linear(self.final_norm(h, c)).unflatten(2, (self.patch, self.patch, -1))
        out = out.unflatten(1, (side, side)).permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)
        return of_state(out, noise) if self.unit_v else out


class DiTBlock(nn.Module):
    """h + g1·attention(norm(h)), then h + g2·MLP(norm(h))."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ModulatedNorm(width), ModulatedNorm(width)
        self.attn = Attention(width, heads, bias=True)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU("tanh"), nn.Linear(hidden, width))
        self.scale_modulation = Modulation(width)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        attended, changed = self.scale_modulation(c)
        h = h + attended * self.attn(self.norm1(h, c))
        return h + changed * self.mlp(self.norm2(h, c))


class Modulation(nn.Module):
    """Two rows for all tokens, from what the noise and the class are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, c: Tensor) -> tuple[Tensor, ...]:
        return self.proj(c)[:, None].chunk(2, dim=2)


class ModulatedNorm(nn.Module):
    """LN(h)·(1 + scale(c)) + shift(c)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.modulation = Modulation(width)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.modulation(c)
        return F.layer_norm(h, h.shape[2:], eps=1e-6) * (1 + scale) + shift


class Attention(nn.Module):
    """Every token attends to all: (B, N, D) → (B, N, D)."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width, bias), nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = self.qkv(h).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Classes(nn.Module):
    """A row for each class and one for "any", the last."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(labels + 1, width)
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(width, width))

    def forward(self, labels: Tensor | None) -> Tensor:
        if labels is None:
            raise ValueError("a network with classes needs one for each sample")
        return self.mlp(self.embeddings(labels))


class NoiseEmbedding(nn.Module):
    """What a network is told of the noise, (B,) → (B, width)."""

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.sigma = kind == "sigma"
        last = nn.Linear(width, width)
        if self.sigma:
            self.mlp = nn.Sequential(nn.Linear(2, width), nn.SiLU(), last)
        else:
            enter, middle = nn.Linear(_SINUSOIDS, _HIDDEN), nn.Linear(_HIDDEN, width)
            self.mlp = nn.Sequential(enter, nn.GELU("tanh"), middle, nn.GELU("tanh"), last)

    def forward(self, noise: Tensor) -> Tensor:
        return self.mlp(phase(noise) if self.sigma else sinusoids(noise))


def noise_embedding(kind: str, width: int) -> NoiseEmbedding:
    """That of a name. Raises: ValueError: an unknown one."""
    if kind not in EMBEDDINGS:
        raise ValueError(f"embedding is {kind!r}, expected one of {', '.join(EMBEDDINGS)}")
    return NoiseEmbedding(kind, width)


def phase(sigma: Tensor) -> Tensor:
    """(B,) → (B, 2): sin and cos of ln(σ)/2."""
    half = 0.5 * sigma.log()[:, None]
    return torch.cat([half.sin(), half.cos()], dim=1)


def sinusoids(t: Tensor) -> Tensor:
    """(B,) → (B, 256): cos and sin of t at frequencies from 1 down to almost 1/10,000."""
    half = _SINUSOIDS // 2
    angles = t[:, None] * torch.exp(torch.arange(half, device=t.device) * (-math.log(10_000) / half))
    return torch.cat([angles.cos(), angles.sin()], dim=1).to(t.dtype)


def scaled_input(x: Tensor, sigma: Tensor) -> Tensor:
    """x/√(1 + σ²), whose variance stays about 1."""
    return x * ((1 + sigma**2) ** -0.5).view(-1, *[1] * (x.dim() - 1))


def of_state(v: Tensor, sigma: Tensor) -> Tensor:
    """v·√(1 + σ²): that of x = x_0 + σ·ε, from that of the same state scaled to a variance of 1."""
    return v * ((1 + sigma**2) ** 0.5).view(-1, *[1] * (v.dim() - 1))
