"""Bouncing digits: clips of a coloured handwritten digit that moves over black paper and bounces off its edges."""

from __future__ import annotations

import functools

import numpy as np

from diffstudio.data import digits
from diffstudio.data.dataset import Dataset

FRAMES, SIDE = 10, 28
SPRITE = 18  # pixels of a digit with the empty cell around its 8×8: 1.8 pixels a cell
INK = 1.8 * 8  # pixels from edge to edge of those 8×8: what bounces
SLOWEST, FASTEST = 1.0, 2.0  # pixels a frame
COLOURS = np.array(
    [(255, 90, 80), (255, 175, 60), (120, 220, 110), (80, 200, 240), (120, 140, 255), (240, 120, 220)], np.float32
)


@functools.cache
def sprites(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Cover of each digit of "train" or "held-out", (N, 18, 18) float32 in [0, 1], and the labels (N,)."""
    grey, labels = digits.scans(split)
    return (digits.enlarge(grey, SPRITE)[:, 0] + 1) / 2, labels


def positions(rng: np.random.Generator, count: int) -> np.ndarray:
    """Left upper corner of the ink in each frame, (B, T, 2) pixels (y, x), reflected at the edges of the picture."""
    room = SIDE - INK
    start = rng.uniform(0, room, (count, 1, 2))
    speed = rng.uniform(SLOWEST, FASTEST, (count, 1, 1))
    angle = rng.uniform(0, 2 * np.pi, (count, 1))
    velocity = speed * np.stack([np.sin(angle), np.cos(angle)], -1)
    free = start + velocity * np.arange(FRAMES)[None, :, None]
    return room - np.abs(room - np.mod(free, 2 * room))


def render(cover: np.ndarray, colours: np.ndarray, at: np.ndarray) -> np.ndarray:
    """cover (B, 18, 18), colours (B, 3) levels, at (B, T, 2) → clips (B, T, 3, 28, 28) in [-1, 1].

    A place between pixels is drawn by sharing the cover linearly among its neighbours.
    """
    count, frames = at.shape[:2]
    margin = (SPRITE - INK) / 2
    pad = 3  # the sprite's empty margin reaches past the edge, by less than this
    corner = at - margin + pad
    whole = np.floor(corner).astype(int)
    share = corner - whole
    padded = np.pad(cover, ((0, 0), (1, 1), (1, 1)))
    across = share[..., None, None, :].astype(np.float32)  # (B, T, 1, 1, 2)
    y, x = across[..., 0], across[..., 1]
    rows = (1 - y) * padded[:, None, 1:] + y * padded[:, None, :-1]
    moved = (1 - x) * rows[..., 1:] + x * rows[..., :-1]
    canvas = np.zeros((count, frames, SIDE + 2 * pad, SIDE + 2 * pad), np.float32)
    reach = np.arange(SPRITE + 1)
    b, t = np.ogrid[:count, :frames]
    down, right = whole[..., 0, None] + reach, whole[..., 1, None] + reach
    canvas[b[..., None, None], t[..., None, None], down[..., :, None], right[..., None, :]] = moved
    ink = canvas[:, :, pad:-pad, pad:-pad]
    return 2 * ink[:, :, None] * (colours[:, None, :, None, None] / 255) - 1


def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A random clip of each label: (B, 10, 3, 28, 28)."""
    cover, known = sprites(split)
    rows = [rng.choice(np.flatnonzero(known == label)) for label in labels]
    colours = COLOURS[rng.integers(len(COLOURS), size=len(labels))]
    return render(cover[rows], colours, positions(rng, len(labels))).astype(np.float32)


DATASET = Dataset(
    name="bouncing-digits",
    title="Bouncing digits",
    modality="video",
    shape=(FRAMES, 3, SIDE, SIDE),
    labels=digits.DATASET.labels,
    licence=digits.DATASET.licence,
    credit=digits.DATASET.credit.replace("enlarged to 28×28", "coloured and set in motion"),
    draw=draw,
)
