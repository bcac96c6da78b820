"""The UCI handwritten digits (1,797 pictures of 8×8 grey levels), drawn at 28×28 with clean strokes."""

from __future__ import annotations

import functools

import numpy as np

from diffstudio.data.dataset import Dataset
from diffstudio.resources import resource

SIDE = 28
HELD_OUT = 5  # every fifth picture is held out: 359 of 1,797
MAX_SHIFT, MAX_TURN, MAX_SCALE, MAX_SHEAR = 1.5, 8.0, 0.08, 0.12  # pixels, degrees, share, share


@functools.cache
def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 1, 28, 28) float32 in [-1, 1] and labels (N,) of "train" or "held-out"."""
    grey, labels = scans(split)
    return enlarge(grey), labels


def scans(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The pictures as they are stored, (N, 8, 8) uint8 counts 0-16, and labels (N,) of "train" or "held-out"."""
    with np.load(resource("data", "digits.npz")) as stored:
        grey, labels = stored["images"], stored["labels"].astype(np.int64)
    held_out = np.arange(len(labels)) % HELD_OUT == HELD_OUT - 1
    chosen = held_out if split == "held-out" else ~held_out
    return grey[chosen], labels[chosen]


def enlarge(grey: np.ndarray, side: int = SIDE) -> np.ndarray:
    """8×8 counts 0-16 → side×side in [-1, 1]: bicubic, then a smooth threshold that gives the strokes their edges back.

    The counts are averages over 4×4 pixels of the original scan, so an edge lies where a count is about half. An empty
    cell is added all round. grey: (N, 8, 8) uint8 → (N, 1, side, side) float32.
    """
    padded = np.pad(grey.astype(np.float64) / 16, ((0, 0), (1, 1), (1, 1)))
    weights = _cubic_weights(padded.shape[1], side)
    smooth = weights @ padded @ weights.T
    u = np.clip((smooth - 0.2) / 0.55, 0, 1)
    strokes = u * u * (3 - 2 * u)
    return (2 * strokes - 1).astype(np.float32)[:, None]


def _cubic_weights(small: int, large: int) -> np.ndarray:
    """Catmull-Rom interpolation as a matrix (large, small); rows sum to 1."""
    at = (np.arange(large) + 0.5) * small / large - 0.5
    distance = np.abs(at[:, None] - np.arange(small)[None])
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    return weights / weights.sum(1, keepdims=True)


def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A random picture of each label."""
    pictures, known = load(split)
    rows = [rng.choice(np.flatnonzero(known == label)) for label in labels]
    return pictures[rows]


def augment(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A small random shift, turn, scale and shear of each picture, bilinear. x: (B, 1, 28, 28)."""
    count, side = len(x), x.shape[-1]
    turn = np.radians(rng.uniform(-MAX_TURN, MAX_TURN, count))
    scale = 1 + rng.uniform(-MAX_SCALE, MAX_SCALE, (count, 2))
    shear = rng.uniform(-MAX_SHEAR, MAX_SHEAR, count)
    shift = rng.uniform(-MAX_SHIFT, MAX_SHIFT, (count, 2))
    grid = np.arange(side) - (side - 1) / 2
    gy, gx = np.meshgrid(grid, grid, indexing="ij")
    sx = (np.cos(turn)[:, None, None] * gx - np.sin(turn)[:, None, None] * gy) * scale[:, 0, None, None]
    sy = (np.sin(turn)[:, None, None] * gx + np.cos(turn)[:, None, None] * gy) * scale[:, 1, None, None]
    sx = sx + shear[:, None, None] * sy + shift[:, 0, None, None] + (side - 1) / 2
    sy = sy + shift[:, 1, None, None] + (side - 1) / 2
    return _bilinear(x[:, 0], sy, sx)[:, None].astype(np.float32)


def _bilinear(pictures: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """pictures (B, H, W) read at (y, x): (B, H, W); outside is -1, the paper."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    top = padded.shape[1] - 1.001
    y, x = np.clip(y + 1, 0, top), np.clip(x + 1, 0, top)
    y0, x0 = y.astype(int), x.astype(int)
    fy, fx = y - y0, x - x0
    b = np.arange(len(pictures))[:, None, None]
    upper = padded[b, y0, x0] * (1 - fx) + padded[b, y0, x0 + 1] * fx
    lower = padded[b, y0 + 1, x0] * (1 - fx) + padded[b, y0 + 1, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy


DATASET = Dataset(
    name="digits",
    title="UCI handwritten digits",
    modality="image",
    shape=(1, SIDE, SIDE),
    labels=tuple(str(digit) for digit in range(10)),
    licence="CC BY 4.0",
    credit=(
        "Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, "
        "doi:10.24432/C50P49. The 1,797 pictures of its test set, enlarged to 28×28."
    ),
    draw=draw,
    everything=load,
    augment=augment,
    every=load,
)
