"""Letters as small pictures, for exports and the film strip: one cell each, drawn once."""

from __future__ import annotations

import functools

import numpy as np

WIDTH, HEIGHT = 11, 18  # pixels of a cell
SIZE = 14  # of the font


@functools.cache
def glyph(token: str) -> np.ndarray:
    """How much of each pixel of its cell a token covers, (HEIGHT, WIDTH) in 0..1; a long token is squeezed in."""
    from PIL import Image, ImageDraw, ImageFont  # the window shows itself before it needs these

    font = ImageFont.load_default(SIZE)
    left, _, right, _ = font.getbbox(token)
    wide = max(WIDTH, int(np.ceil(right - left)))
    cell = Image.new("L", (wide, HEIGHT))
    ImageDraw.Draw(cell).text(((wide - right - left) / 2, 1), token, font=font, fill=255)
    if wide > WIDTH:
        cell = cell.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    return np.asarray(cell, np.float32) / 255


@functools.lru_cache(maxsize=8)
def atlas(vocabulary: tuple[str, ...]) -> np.ndarray:
    """The glyphs of a vocabulary and, last, an empty cell: (V + 1, HEIGHT, WIDTH)."""
    return np.stack([*(glyph(token) for token in vocabulary), np.zeros((HEIGHT, WIDTH), np.float32)])


@functools.cache
def block() -> np.ndarray:
    """A masked cell: a filled box with a margin, (HEIGHT, WIDTH)."""
    out = np.zeros((HEIGHT, WIDTH), np.float32)
    out[3:-3, 1:-1] = 1.0
    return out
