"""The small picture in a card: a sample of the model itself."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from diffstudio.checkpoints.card import Card
from diffstudio.diffusion import chain, token_chain
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels
from diffstudio.modalities import Shown
from diffstudio.networks import build
from diffstudio.networks.exact import as_denoiser

SIDE = 56
STEPS = 30
LABEL = 3  # the digit 3; of the shapes the swiss roll


def thumbnail(card: Card, weights: dict[str, Tensor], label: int | None = LABEL) -> str:
    """A PNG of SIDE×SIDE, base64, drawn by these weights with seed 0; `label` None is any class."""
    network = build(card).eval().requires_grad_(False)
    network.load_state_dict({name: value.float().cpu() for name, value in weights.items()}, assign=True)
    path, samples = make_path(card.path), 1500 if card.meaning.kind.cloud else 1
    noise = SampleNoise(0, samples, card.shape)
    grid = levels(path, STEPS)
    shown = len(card.labels) if label is None else min(label, len(card.labels) - 1)
    cond = torch.full((samples,), shown) if card.labels else None
    start = grid[0].s * noise.draw(path.theta)
    denoise = as_denoiser(network, card, torch.device("cpu"))
    if card.text is not None and card.text.discrete:
        process = token_chain.process(card.text, 0, samples, card.shape)
        *_, last = token_chain.reverse(denoise, process, grid, token_chain.prior(process, samples, card.shape[1]))
    else:
        *_, last = chain.reverse(denoise, path, grid, start, noise, cond=cond)
    kind, shown = card.meaning.kind, Shown(last.xt[:1].numpy())
    if kind.glance is not None:
        pixels = kind.glance(card.meaning, shown, SIDE)
    elif kind.play is not None:
        [clip] = kind.play(card.meaning, shown)
        pixels = clip[len(clip) // 2]
    else:
        pixels = _cloud(last.xt.numpy()) if kind.draw is None else kind.draw(card.meaning, shown)[0]
    stream = io.BytesIO()
    _square(pixels).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _square(pixels: np.ndarray) -> Image.Image:
    """SIDE×SIDE, whatever its aspect was; grey where it is."""
    grey = pixels.ndim == 3 and (pixels == pixels[..., :1]).all()
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if grey else pixels)
    return ImageOps.pad(picture, (SIDE, SIDE), Image.Resampling.BICUBIC)


def _cloud(points: np.ndarray) -> np.ndarray:
    """(N, 2) → a density picture (112, 112) uint8 over the points' own square."""
    points = np.nan_to_num(points)
    centre, half = points.mean(0), 1.15 * np.abs(points - points.mean(0)).max() + 1e-6
    edges = np.linspace(-half, half, 113)
    counts, _, _ = np.histogram2d(*(points - centre).T, bins=(edges, edges))
    return (255 * (1 - np.exp(-0.3 * _dots(counts).T[::-1]))).astype(np.uint8)


def _dots(counts: np.ndarray) -> np.ndarray:
    """Each point a dot of 5×5, so that a narrow mode is more than a speck."""
    tails = np.exp(-0.5 * np.arange(-2, 3) ** 2)  # a Gaussian of 1 pixel
    for axis in (0, 1):
        counts = np.apply_along_axis(np.convolve, axis, counts, tails, "same")
    return counts
