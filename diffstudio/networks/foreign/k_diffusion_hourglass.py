"""The transformer "image_transformer_v2" of k-diffusion, the Hourglass Diffusion Transformer (Crowson et al. 2024).

Written anew from the names and shapes in its files, and the paper. It is told c_noise = ln(σ)/4 and gives EDM's F
(Karras et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from torch import Tensor, nn

from diffstudio.networks.foreign.k_diffusion import Fourier
from diffstudio.networks.foreign.k_diffusion_transformer import Mapping, Norm, ToldGated, ToldNorm
from diffstudio.networks.foreign.local_attention import Tiles, attend, neighbourhood, shifted_window
from diffstudio.networks.limits import limit

KINDS = ("global", "neighborhood", "shifted-window", "none")  # as its configs name them
MOST_LEVELS, MOST_LAYERS, FARTHEST = 8, 64, 32
_EPS = 1e-6


class KDiffusionHourglass(nn.Module):
    """Tokens of a picture, four merged into one from level to level and split again, attention within each level.

    widths, depths, hidden: of a level's tokens, layers (as many down as up again) and MLPs. attention: its kind on each
    level, one of KINDS. head_width: values of its heads. reach: side of a neighbourhood or window in tokens, else 0.
    patch: height and width of a first token in pixels. mapping: width, depth and hidden of what tells noise and class.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        widths: tuple[int, ...],
        depths: tuple[int, ...],
        hidden: tuple[int, ...],
        attention: tuple[str, ...],
        head_width: tuple[int, ...],
        reach: tuple[int, ...],
        patch: tuple[int, ...],
        mapping: tuple[int, ...],
    ) -> None:
        super().__init__()
        levels = len(widths)
        if not 1 <= levels <= MOST_LEVELS or any(
            len(x) != levels for x in (depths, hidden, attention, head_width, reach)
        ):
            raise ValueError(f"widths, depths and the like have one entry for each of 1 to {MOST_LEVELS} levels")
        told, sides = _checked_mapping(mapping), _sides(shape, patch, levels)
        for i in range(levels):
            _check_level(widths[i], depths[i], hidden[i])
            _check_attention(attention[i], widths[i], head_width[i], reach[i], sides[i])
        if sum(depths) > MOST_LAYERS:
            raise ValueError(f"depths are {sum(depths)} together, expected at most {MOST_LAYERS}")
        self.patch_in = Merge(shape[0], widths[0], patch)
        self.time_emb, self.aug_emb = Fourier(1, told), Fourier(9, told)
        self.time_in_proj = nn.Linear(told, told, bias=False)
        self.aug_in_proj = nn.Linear(told, told, bias=False)
        self.class_emb = nn.Embedding(labels + 1, told) if labels else None
        self.mapping = Mapping(told, mapping[2], mapping[1])

        def level(i: int, first: int) -> Level:
            looks = (_look(attention[i], reach[i], shifted=(first + j) % 2 == 1) for j in range(depths[i]))
            head = head_width[i] if attention[i] != "none" else 0
            return Level(Layer(told, widths[i], hidden[i], head, look) for look in looks)

        self.down_levels = nn.ModuleList(level(i, 0) for i in range(levels - 1))
        self.up_levels = nn.ModuleList(level(i, depths[i]) for i in range(levels - 1))
        self.mid_level = level(levels - 1, 0)
        pairs = list(pairwise(widths))
        self.merges = nn.ModuleList(Merge(fine, coarse) for fine, coarse in pairs)
        self.splits = nn.ModuleList(SplitOnto(coarse, fine) for fine, coarse in pairs)
        self.out_norm, self.patch_out = Norm(widths[0]), Split(widths[0], shape[0], patch)

    def forward(self, x: Tensor, c_noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W) of variance 1, c_noise: (B,), labels: (B,), the last row is "any" → (B, C, H, W)."""
        h, above = self.patch_in(x.permute(0, 2, 3, 1)), []  # (B, rows, columns, width)
        c, places = self._told(x, c_noise, labels), _places(h.shape[1], h.shape[2], x)
        for level, merge in zip(self.down_levels, self.merges, strict=True):
            h = level(h, places, c)
            above.append((h, places))
            h, places = merge(h), places.unflatten(1, (-1, 2)).unflatten(0, (-1, 2)).mean(dim=(1, 3))
        h = self.mid_level(h, places, c)
        for level, split in zip(reversed(self.up_levels), reversed(self.splits), strict=True):
            skip, places = above.pop()
            h = level(split(h, skip), places, c)
        return self.patch_out(self.out_norm(h)).permute(0, 3, 1, 2)

    def _told(self, x: Tensor, c_noise: Tensor, labels: Tensor | None) -> Tensor:
        """(B, 1, 1, width) of noise, class and no augmentation."""
        c = self.time_in_proj(self.time_emb(c_noise[:, None]))
        c = c + self.aug_in_proj(self.aug_emb(x.new_zeros(x.shape[0], 9)))
        if self.class_emb is not None:
            if labels is None:
                raise ValueError("a network with classes needs one for each sample")
            c = c + self.class_emb(labels)
        return self.mapping(c)[:, None, None]


def _checked_mapping(mapping: tuple[int, ...]) -> int:
    """Its width, once all is as it should be."""
    if len(mapping) != 3:
        raise ValueError(f"mapping is {mapping}, expected width, depth and hidden")
    for name, value, most in zip(("width", "depth", "hidden"), mapping, (16_384, 64, 65_536), strict=True):
        limit(f"mapping {name}", value, most)
    return mapping[0]


def _sides(shape: tuple[int, ...], patch: tuple[int, ...], levels: int) -> list[tuple[int, int]]:
    """Rows and columns of tokens on each level."""
    if len(shape) != 3 or len(patch) != 2:
        raise ValueError(f"it makes pictures in patches of two sides, not {shape} in {patch}")
    for side in patch:
        limit("patch", side, 256)
    high, wide = (side * 2 ** (levels - 1) for side in patch)
    if shape[1] % high or shape[2] % wide:
        raise ValueError(f"{levels} levels need pictures of sides divisible by {high}×{wide}, not {shape}")
    return [(shape[1] // patch[0] >> i, shape[2] // patch[1] >> i) for i in range(levels)]


def _check_level(width: int, depth: int, hidden: int) -> None:
    for name, value, most in (("widths", width, 16_384), ("depths", depth, MOST_LAYERS), ("hidden", hidden, 65_536)):
        limit(name, value, most)


def _check_attention(kind: str, width: int, head: int, reach: int, sides: tuple[int, int]) -> None:
    """Whether this kind of attention works in tokens of that width on a level of those sides."""
    if kind not in KINDS:
        raise ValueError(f"attention has '{kind}', expected one of {', '.join(KINDS)}")
    if kind == "none":
        return
    limit("head_width", head, 1024)
    if head % 8 or width % head:
        raise ValueError(f"head_width is {head} in a width of {width}, expected a multiple of 8 that divides it")
    if kind == "global":
        return
    limit("reach", reach, FARTHEST)
    if kind == "neighborhood" and (reach % 2 == 0 or reach > min(sides)):
        raise ValueError(f"reach is {reach} on {sides[0]}×{sides[1]} tokens, expected an odd number within them")
    if kind == "shifted-window" and any(side % reach for side in sides):
        raise ValueError(f"windows of {reach} do not fill {sides[0]}×{sides[1]} tokens")


def _places(rows: int, columns: int, like: Tensor) -> Tensor:
    """(rows, columns, 2): the middles of the tokens, as if square; the longer side of their grid is from −1 to 1."""
    axes = [
        ((2 * torch.arange(n, device=like.device) + 1) / n - 1).to(like.dtype) * (n / max(rows, columns))
        for n in (rows, columns)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


Look = Callable[[int, torch.device], Tiles] | None  # along an axis of so many tokens; None: at all


def _look(kind: str, reach: int, shifted: bool) -> Look:
    """What a layer looks at; the windows of every other layer are shifted by a half."""
    if kind == "neighborhood":
        return partial(neighbourhood, size=reach)
    if kind == "shifted-window":
        return partial(shifted_window, size=reach, shift=reach // 2 if shifted else 0)
    return None


class Level(nn.ModuleList):
    """Layers one after the other; they are numbered without a name between."""

    def forward(self, h: Tensor, places: Tensor, c: Tensor) -> Tensor:
        for layer in self:
            h = layer(h, places, c)
        return h


class Layer(nn.Module):
    """Attention, where heads have a width, and a gated MLP."""

    def __init__(self, told: int, width: int, hidden: int, head: int, look: Look) -> None:
        super().__init__()
        self.self_attn = Attention(told, width, head, look) if head else None
        self.ff = ToldGated(width, hidden, told)

    def forward(self, h: Tensor, places: Tensor, c: Tensor) -> Tensor:
        return self.ff(h if self.self_attn is None else self.self_attn(h, places, c), c)


class Attention(nn.Module):
    """By the cosine between queries and keys, each head with its own loudness, turned by their places."""

    def __init__(self, told: int, width: int, head: int, look: Look) -> None:
        super().__init__()
        self.head, self.look = head, look
        self.norm, self.pos_emb = ToldNorm(width, told), Turns(width // head, head)
        self.scale = nn.Parameter(torch.full((width // head,), 10.0))
        self.qkv_proj = nn.Linear(width, 3 * width, bias=False)
        self.out_proj = nn.Linear(width, width, bias=False)

    def forward(self, h: Tensor, places: Tensor, c: Tensor) -> Tensor:
        q, k, v = self.qkv_proj(self.norm(h, c)).unflatten(3, (3, -1, self.head)).permute(3, 0, 4, 1, 2, 5)
        q, k = (self.pos_emb(self._loud(part), places).to(v.dtype) for part in (q, k))
        if self.look is None:
            out = F.scaled_dot_product_attention(*(x.flatten(2, 3) for x in (q, k, v)), scale=1.0).unflatten(
                2, v.shape[2:4]
            )
        else:
            out = attend(q, k, v, *(self.look(n, v.device) for n in v.shape[2:4]))
        return h + self.out_proj(out.permute(0, 2, 3, 1, 4).flatten(3))

    def _loud(self, x: Tensor) -> Tensor:
        """√scale·x/‖x‖ for (B, heads, rows, columns, head), in float32 at least."""
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        inverse = torch.rsqrt(wide.square().sum(dim=-1, keepdim=True) + _EPS)
        return wide * (self.scale.to(wide.dtype).sqrt()[:, None, None, None] * inverse)


class Turns(nn.Module):
    """Half of a head's values are turned in pairs by the place, half of the pairs by its height, half by its width."""

    freqs: Tensor

    def __init__(self, heads: int, head: int) -> None:
        super().__init__()
        self.register_buffer("freqs", torch.zeros(heads, head // 8))

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """x: (B, heads, rows, columns, head), places: (rows, columns, 2)."""
        angles = (places[:, :, :, None] * self.freqs[:, None, None, None]).flatten(3)  # (heads, rows, columns, head/4)
        one, two, rest = x.split([angles.shape[-1], angles.shape[-1], x.shape[-1] // 2], dim=-1)
        turned = [one * angles.cos() - two * angles.sin(), two * angles.cos() + one * angles.sin()]
        return torch.cat([*turned, rest], dim=-1)


class Merge(nn.Module):
    """The tokens, or pixels, of a rectangle become one: (B, h, w, inside) → (B, h/high, w/wide, outside)."""

    def __init__(self, inside: int, outside: int, sides: tuple[int, ...] = (2, 2)) -> None:
        super().__init__()
        self.sides, self.proj = sides, nn.Linear(inside * sides[0] * sides[1], outside, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        high, wide = self.sides
        x = x.unflatten(2, (-1, wide)).unflatten(1, (-1, high))  # (B, rows, high, columns, wide, inside)
        return self.proj(x.permute(0, 1, 3, 2, 4, 5).flatten(3))


class Split(nn.Module):
    """A token becomes those, or the pixels, of a rectangle: `Merge` backwards."""

    def __init__(self, inside: int, outside: int, sides: tuple[int, ...] = (2, 2)) -> None:
        super().__init__()
        self.sides, self.proj = sides, nn.Linear(inside, outside * sides[0] * sides[1], bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x).unflatten(3, (*self.sides, -1))  # (B, rows, columns, high, wide, outside)
        return x.permute(0, 1, 3, 2, 4, 5).flatten(3, 4).flatten(1, 2)


class SplitOnto(Split):
    """With the share that was learned of what came down, and the rest of what was there before."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside)
        self.fac = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return skip + self.fac * (super().forward(x) - skip)
