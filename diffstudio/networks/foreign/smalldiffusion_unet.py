"""The U-Net of the package smalldiffusion, written anew from the names and shapes in its files."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diffstudio.networks.foreign.smalldiffusion import Attention, Classes, noise_embedding, of_state, scaled_input
from diffstudio.networks.limits import limit

GROUPS = 32


class SmallUnet(nn.Module):
    """Residual blocks of 32 groups a level, attention in one head where a level has it.

    width: channels of the first convolution. widths, attention: of each level. blocks: a level, one more on the way up.
    embed: numbers that tell the noise. embedding: how it is told.
    scaled: the network is given x/√(1 + σ²), as the package's `Scaled` makes it; not for flows.
    unit_v: its output is v of that scaled state, as the package's `PredV` trains it.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        labels: int,
        width: int,
        widths: tuple[int, ...],
        attention: tuple[bool, ...],
        embed: int,
        blocks: int = 2,
        embedding: str = "sigma",
        scaled: bool = True,
        unit_v: bool = False,
    ) -> None:
        super().__init__()
        limit("blocks", blocks, 16)
        limit("embed", embed, 65_536)
        if not 1 <= len(widths) <= 10 or len(attention) != len(widths):
            raise ValueError(
                f"widths has {len(widths)} entries and attention {len(attention)}: one each for each level"
            )
        for channels in (width, *widths):
            limit("widths", channels, 8192)
            if channels % GROUPS:
                raise ValueError(f"widths has {channels}, expected multiples of {GROUPS}")
        factor = 2 ** (len(widths) - 1)
        if len(shape) != 3 or shape[1] % factor or shape[2] % factor:
            raise ValueError(f"it makes pictures whose sides are multiples of {factor}, not {shape}")
        self.scaled, self.unit_v = scaled, unit_v
        self.sig_embed = noise_embedding(embedding, embed)
        self.cond_embed = Classes(embed, labels) if labels else None
        self.conv_in = nn.Conv2d(shape[0], width, 3, padding=1)
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        skips, inside = [width], width
        for k, (outside, attends) in enumerate(zip(widths, attention, strict=True)):
            level = Level()
            for _ in range(blocks):
                level.blocks.append(block(inside, outside, embed, attends))
                skips.append(outside)
                inside = outside
            if k < len(widths) - 1:
                level.downsample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(inside, inside, 3, stride=2))
                skips.append(inside)
            self.downs.append(level)
        self.mid = nn.ModuleList(
            [Residual(inside, inside, embed), AttendingPlaces(inside), Residual(inside, inside, embed)]
        )
        for k, (outside, attends) in reversed(list(enumerate(zip(widths, attention, strict=True)))):
            level = Level()
            for _ in range(blocks + 1):
                level.blocks.append(block(inside + skips.pop(), outside, embed, attends))
                inside = outside
            if k:
                level.upsample = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inside, inside, 3, padding=1))
            self.ups.append(level)
        self.out_layer = nn.Sequential(norm(inside), nn.SiLU(), nn.Conv2d(inside, shape[0], 3, padding=1))

    def forward(self, x: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, C, H, W), noise: (B,) σ or 1000·t, labels: (B,) → (B, C, H, W)."""
        c = self.sig_embed(noise)
        if self.cond_embed is not None:
            c = c + self.cond_embed(labels)
        skips = [self.conv_in(scaled_input(x, noise) if self.scaled else x)]
        for level in self.downs:
            for part in level.blocks:  # pyright: ignore[reportGeneralTypeIssues]
                skips.append(applied(part, skips[-1], c))
            if level.downsample is not None:
                skips.append(level.downsample(skips[-1]))  # pyright: ignore[reportCallIssue]
        h = applied(self.mid, skips[-1], c)
        for level in self.ups:
            for part in level.blocks:  # pyright: ignore[reportGeneralTypeIssues]
                h = applied(part, torch.cat([h, skips.pop()], dim=1), c)
            h = h if level.upsample is None else level.upsample(h)  # pyright: ignore[reportCallIssue]
        out = self.out_layer(h)
        return of_state(out, noise) if self.unit_v else out


class Level(nn.Module):
    """The blocks of one size, and what leads to the next; its order is that of the names in the files."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        self.downsample: nn.Module | None = None
        self.upsample: nn.Module | None = None


class Residual(nn.Module):
    """Two convolutions, between them what is told of the noise."""

    def __init__(self, inside: int, outside: int, embed: int) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(norm(inside), nn.SiLU(), nn.Conv2d(inside, outside, 3, padding=1))
        self.temb_proj = nn.Sequential(nn.SiLU(), nn.Linear(embed, outside))
        # The package's dropout stands at the third place, and does nothing here.
        self.layer2 = nn.Sequential(norm(outside), nn.SiLU(), nn.Identity(), nn.Conv2d(outside, outside, 3, padding=1))
        self.shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return self.shortcut(x) + self.layer2(self.layer1(x) + self.temb_proj(c)[:, :, None, None])


class AttendingPlaces(nn.Module):
    """Every place attends to all, in one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.attn = Attention(channels, 1, bias=False)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, _: Tensor) -> Tensor:
        found = self.attn(self.norm(x).flatten(2).transpose(1, 2))
        return x + self.proj_out(found.transpose(1, 2).unflatten(2, x.shape[2:]))


def norm(channels: int) -> nn.GroupNorm:
    """The norm that stands everywhere."""
    return nn.GroupNorm(GROUPS, channels, eps=1e-6)


def block(inside: int, outside: int, embed: int, attends: bool) -> nn.ModuleList:
    """A residual block, and an attention where the level has it."""
    return nn.ModuleList([Residual(inside, outside, embed), *([AttendingPlaces(outside)] if attends else [])])


def applied(parts: nn.Module, x: Tensor, c: Tensor) -> Tensor:
    """The parts one after the other, each told the noise."""
    for part in parts.children():
        x = part(x, c)
    return x
