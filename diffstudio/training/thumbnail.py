"""The small picture in a card: a sample of the model itself."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diffstudio.checkpoints.card import Card
from diffstudio.diffusion import chain
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels
from diffstudio.networks import build
from diffstudio.networks.exact import as_denoiser

SIDE = 56
STEPS = 30
LABEL = 3  # the digit 3; of the shapes the swiss roll


def thumbnail(card: Card, weights: dict[str, Tensor], label: int | None = LABEL) -> str:
    """A PNG of SIDE×SIDE, base64, drawn by these weights with seed 0; `label` None is any class."""
    network = build(card).eval().requires_grad_(False)
    network.load_state_dict({name: value.float().cpu() for name, value in weights.items()}, assign=True)
    path, samples = make_path(card.path), 1500 if card.modality == "points" else 1
    noise = SampleNoise(0, samples, card.shape)
    grid = levels(path, STEPS)
    shown = len(card.labels) if label is None else min(label, len(card.labels) - 1)
    cond = torch.full((samples,), shown) if card.labels else None
    start = grid[0].s * noise.draw(path.theta)
    denoise = as_denoiser(network, card, torch.device("cpu"))
    *_, last = chain.reverse(denoise, path, grid, start, noise, cond=cond)
    pixels = _cloud(last.xt.numpy()) if card.modality == "points" else _picture(last.xt[0].numpy())
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _picture(x: np.ndarray) -> np.ndarray:
    """(C, H, W) in [-1, 1] → (H, W) or (H, W, 3) uint8."""
    pixels = ((np.nan_to_num(x).clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
    return pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)


def _cloud(points: np.ndarray) -> np.ndarray:
    """(N, 2) → a density picture (112, 112) uint8 over the points' own square."""
    points = np.nan_to_num(points)
    centre, half = points.mean(0), 1.15 * np.abs(points - points.mean(0)).max() + 1e-6
    edges = np.linspace(-half, half, 113)
    counts, _, _ = np.histogram2d(*(points - centre).T, bins=(edges, edges))
    return (255 * (1 - np.exp(-1.5 * counts.T[::-1]))).astype(np.uint8)
