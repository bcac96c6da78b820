"""The other way to make sound: a one-dimensional U-Net on the waveform, judged as `audio.py` judges the spectrogram.

python tests/benchmarks/waveform.py [--steps 2600] [--samples 200] [--out DIR]

Needs espeak-ng. The same clips, loss, times, speed and averaging as resources/recipes/spoken-digits.toml. Its sounds
are judged after each of the steps in JUDGED too. What came of it is in resources/docs/audio.md.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the field's name
from audio import audio_judge, heard, hum, levels, overlap, spectrogram, spectrum
from torch import Tensor, nn

from diffstudio.data import spoken
from diffstudio.diffusion import chain, times
from diffstudio.diffusion.denoiser import from_network
from diffstudio.diffusion.guidance import guided
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.networks.embedding import TimeAndLabel
from diffstudio.specs import PathSpec

PATCH, CHANNELS, EMBED, HEADS = 16, (64, 96, 128), 128, 4
BATCH, RATE, AVERAGE, DROPOUT, WARMUP = 16, 2e-3, 0.998, 0.1, 100
JUDGED = (440,)
LOUD = 0.08  # root of the mean square of the clips: they are made as large as the noise


class WaveUNet(nn.Module):
    """Residual blocks with convolutions of five patches of samples, attention at the lowest level."""

    def __init__(self) -> None:
        super().__init__()
        self.condition = TimeAndLabel(EMBED, 10)
        self.enter = nn.Conv1d(PATCH, CHANNELS[0], 5, padding=2)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        current = CHANNELS[0]
        for size in CHANNELS:
            self.down.append(Block(current, size))
            current = size
        self.middle = nn.ModuleList([Block(current, current), Attention(current), Block(current, current)])
        for size in reversed(CHANNELS):
            self.up.append(Block(current + size, size))
            current = size
        self.leave = nn.Sequential(nn.GroupNorm(8, current), nn.SiLU(), nn.Conv1d(current, PATCH, 5, padding=2))

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """x: (B, 1, 4096) → (B, 1, 4096)."""
        c = F.silu(self.condition(t, labels))
        h = self.enter(x.view(len(x), -1, PATCH).mT)
        skips = []
        for depth, block in enumerate(self.down):
            h = block(h if depth == 0 else F.avg_pool1d(h, 2), c)
            skips.append(h)
        for layer in self.middle:
            h = layer(h, c)
        for depth, block in enumerate(self.up):
            h = block(torch.cat([h if depth == 0 else F.interpolate(h, scale_factor=2.0), skips.pop()], 1), c)
        return self.leave(h).mT.reshape(x.shape)


class Block(nn.Module):
    """Two convolutions, the condition between them."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, inside), nn.SiLU(), nn.Conv1d(inside, outside, 5, padding=2))
        self.told = nn.Linear(EMBED, 2 * outside)
        self.norm = nn.GroupNorm(8, outside)
        self.second = nn.Conv1d(outside, outside, 5, padding=2)
        self.around = nn.Conv1d(inside, outside, 1) if inside != outside else nn.Identity()
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        scale, shift = self.told(c)[:, :, None].chunk(2, 1)
        return self.around(x) + self.second(F.silu(self.norm(self.first(x)) * (1 + scale) + shift))


class Attention(nn.Module):
    """Self-attention over all places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x).mT).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        return x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)).mT


def batch(sounds: np.ndarray, digits: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Random clips (B, 1, 4096), moved a little in time, and their digits, some forgotten."""
    rows = rng.integers(len(sounds), size=BATCH)
    moved = spoken.shift(sounds[rows], rng.integers(-spoken.MAX_SHIFT, spoken.MAX_SHIFT + 1, BATCH)) / LOUD
    labels = np.where(rng.uniform(size=BATCH) < DROPOUT, 10, digits[rows])
    return torch.from_numpy(moved[:, None].astype(np.float32)), torch.from_numpy(labels)


def train(net: WaveUNet, steps: int, judge) -> WaveUNet:
    """Flow matching at logit-normal times; `judge` is called with the averaged network at the steps in JUDGED."""
    sounds, digits = spoken.made("train")
    rng, begun = np.random.default_rng(0), time.process_time()
    adam = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.0, betas=(0.9, 0.99))
    averaged = WaveUNet().requires_grad_(False)
    averaged.load_state_dict(net.state_dict())
    for step in range(1, steps + 1):
        late = max(0, step - WARMUP) / max(1, steps - WARMUP)
        for group in adam.param_groups:
            group["lr"] = RATE * min(1, step / WARMUP) * 0.5 * (1 + math.cos(math.pi * late))
        x0, labels = batch(sounds, digits, rng)
        t = torch.from_numpy(1 / (1 + np.exp(-rng.standard_normal(BATCH)))).float()
        eps, s = torch.randn(x0.shape), t[:, None, None]
        loss = (net((1 - s) * x0 + s * eps, t, labels) - (eps - x0)).square().mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        with torch.no_grad():
            for old, new in zip(averaged.parameters(), net.parameters(), strict=True):
                old.lerp_(new, 1 - min(AVERAGE, (1 + step) / (10 + step)))
        if step in JUDGED or step == steps:
            judge(averaged, f"{step} steps, {time.process_time() - begun:.0f} s of a core, loss {loss.item():.3f}")
    return averaged


def speak(net: WaveUNet, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sounds (N, 4096) and the digits that were asked for: 30 steps of DPM-Solver++ 2M, guidance 1.5."""
    path = make_path(PathSpec())
    denoise = guided(from_network(net, "flow"), scale=1.5, null=10)
    asked, found = np.repeat(np.arange(10), count // 10), []
    for digit in range(10):
        noise = SampleNoise(10_000 * digit, count // 10, (1, spoken.SAMPLES))
        cond = torch.full((count // 10,), digit)
        *_, last = chain.reverse(denoise, path, times.levels(path, 30), noise.draw(), noise, cond=cond)
        found.append(last.xt[:, 0].numpy() * LOUD)
    return np.concatenate(found), asked


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    judge, (real, _) = audio_judge(), spoken.made("train")

    def tell(net: WaveUNet, what: str) -> None:
        sounds, asked = speak(net, options.samples)
        agreed = np.mean(judge.predict(heard(sounds)) == asked)
        print(
            f"{what:48} agreement {agreed:.3f}   levels {overlap(levels(sounds), levels(real)):.3f}   "
            f"spectrum {overlap(spectrum(sounds), spectrum(real)):.3f}   below 70 Hz {hum(sounds):.4f}",
            flush=True,
        )
        if options.out is not None:
            chosen = [np.flatnonzero(asked == d)[i] for i in range(4) for d in range(10)]
            spectrogram(sounds[chosen]).save(options.out / f"waveform-{what.split()[0]}.png")

    torch.manual_seed(0)
    net = WaveUNet()
    print(f"{sum(w.numel() for w in net.parameters()):,} parameters")
    train(net, options.steps, tell)


if __name__ == "__main__":
    main()
