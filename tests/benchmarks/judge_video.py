"""Judge the bundled clips: the digit that is read, how smooth it moves, and whether the order of frames can be told.

python tests/benchmarks/judge_video.py [bouncing-digits] [--clips 200] [--sheet clips.png]

Three figures, each with that of real held-out clips beside it:

- read: share of clips in which a classifier of frames reads the digit asked for in at least 8 of 10.
- motion: mean length of the second difference of the digit's centroid, pixels a frame². Real digits move evenly,
  but for the bounces.
- order: share of clips that a classifier of real against frame-shuffled clips tells rightly, the generated ones and the
  same ones shuffled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from judge import final_samples
from PIL import Image
from torch import nn

from diffstudio import data
from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import bouncing
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request

READ_IN = 8  # of the ten frames


class FrameNet(nn.Module):
    """Three convolutions over one frame (B, 3, 28, 28) → ten digits; the place in the picture does not matter much."""

    def __init__(self, inside: int = 3, outputs: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inside, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(),
            nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(128, outputs),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def trained(net: nn.Module, batch, steps: int) -> nn.Module:
    """AdamW with a cosine; batch(rng) gives inputs and classes."""
    rng = np.random.default_rng(0)
    adam = torch.optim.AdamW(net.parameters(), 2e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        x, y = batch(rng)
        loss = nn.functional.cross_entropy(net(torch.from_numpy(x)), torch.from_numpy(y))
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()
    return net.eval()


def frames_batch(rng: np.random.Generator, count: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Single frames of training clips with their digits."""
    labels = rng.integers(10, size=count)
    clips = bouncing.draw(labels, rng, "train")
    picked = np.stack([rng.permutation(bouncing.FRAMES)[:4] for _ in range(count)])
    frames = clips[np.arange(count)[:, None], picked].reshape(-1, *clips.shape[2:])
    return frames, np.repeat(labels, 4)


def order_batch(rng: np.random.Generator, count: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Grey training clips as ten channels, every other one shuffled (class 1)."""
    clips = bouncing.draw(rng.integers(10, size=count), rng, "train")
    shuffled = np.arange(count) % 2
    clips[shuffled == 1] = shuffle(clips[shuffled == 1], rng)
    return grey(clips), shuffled


def shuffle(clips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The frames of each clip in a random order."""
    order = rng.permuted(np.tile(np.arange(clips.shape[1]), (len(clips), 1)), axis=1)
    return clips[np.arange(len(clips))[:, None], order]


def grey(clips: np.ndarray) -> np.ndarray:
    """(B, T, 3, H, W) → (B, T, H, W), the brightest channel."""
    return clips.max(2)


def predicted(net: nn.Module, x: np.ndarray) -> np.ndarray:
    """The class of each row."""
    with torch.no_grad():
        return np.concatenate([net(torch.from_numpy(part)).argmax(1).numpy() for part in np.array_split(x, 20)])


def read_share(net: nn.Module, clips: np.ndarray, asked: np.ndarray) -> float:
    """Share of clips in which the digit asked for is read in at least READ_IN frames."""
    found = predicted(net, clips.reshape(-1, *clips.shape[2:])).reshape(len(clips), -1)
    return float(np.mean((found == asked[:, None]).sum(1) >= READ_IN))


def roughness(clips: np.ndarray) -> float:
    """Mean length of the second difference of the centroid of brightness, pixels a frame²."""
    ink = np.maximum(grey(clips) + 1 - 0.2, 0)  # a faint haze is no digit
    weight = ink.sum((2, 3)) + 1e-6
    y = (ink.sum(3) * np.arange(ink.shape[2])).sum(2) / weight
    x = (ink.sum(2) * np.arange(ink.shape[3])).sum(2) / weight
    return float(np.hypot(np.diff(y, 2), np.diff(x, 2)).mean())


def order_share(net: nn.Module, clips: np.ndarray) -> float:
    """Share told rightly of the clips and of the same ones shuffled."""
    rng = np.random.default_rng(1)
    return float(
        (np.mean(predicted(net, grey(clips)) == 0) + np.mean(predicted(net, grey(shuffle(clips, rng))) == 1)) / 2
    )


def generated(engine: Engine, name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips by the card's defaults, every digit equally often, and the digits asked for."""
    card = engine.plan(Request(model=name)).card
    defaults = {key: value for key, value in card.defaults.items() if key != "samples"}
    clips = []
    for seed in range(0, count, 20):
        request = Request(model=name, **defaults, samples=20, seed=1000 + seed, forward="off", trace_every=1000)
        clips.append(final_samples(engine, request))
    drawn = np.concatenate(clips)
    return drawn, np.arange(len(drawn)) % 10  # label "each": sample i of seed 1000 has class i mod 10


def sheet(clips: np.ndarray, out: Path, scale: int = 3) -> None:
    """One clip a row."""
    pixels = ((clips.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
    count, frames, _, height, width = pixels.shape
    picture = pixels.transpose(0, 3, 1, 4, 2).reshape(count * height, frames * width, 3)
    Image.fromarray(picture).resize((frames * width * scale, count * height * scale), Image.Resampling.NEAREST).save(
        out
    )


def main() -> None:
    """Train the two classifiers, judge real held-out clips and generated ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="bouncing-digits")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--sheet", type=Path, help="draw the first clips there, a PNG")
    given = parser.parse_args()
    torch.manual_seed(0)
    reader = trained(FrameNet(), frames_batch, 400)
    order = trained(FrameNet(bouncing.FRAMES, 2), order_batch, 400)
    held_out = data.dataset("bouncing-digits")
    asked = np.arange(given.clips) % 10
    real = held_out.draw(asked, np.random.default_rng(9), "held-out")
    clips, wanted = generated(Engine(default_catalog()), given.model, given.clips)
    print(f"{given.model}, {len(clips)} clips by the card's defaults   (real held-out clips in brackets)")
    ours, theirs = read_share(reader, clips, wanted), read_share(reader, real, asked)
    print(f"  read in {READ_IN} of 10 frames  {ours:.3f}   ({theirs:.3f})")
    ours, theirs = roughness(clips), roughness(real)
    print(f"  motion, second difference  {ours:.3f} px   ({theirs:.3f}), ratio {ours / theirs:.2f}")
    print(f"  order told from shuffled  {order_share(order, clips):.3f}   ({order_share(order, real):.3f})")
    if given.sheet:
        sheet(clips[:20], given.sheet)


if __name__ == "__main__":
    main()
