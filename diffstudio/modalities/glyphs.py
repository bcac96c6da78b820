"""Letters as small pictures, for exports and the film strip: one cell each, drawn once."""

from __future__ import annotations

import functools

import numpy as np

WIDTH, HEIGHT = 11, 18  # pixels of a cell
SIZE = 14  # of the font


def cell(size: int = SIZE) -> tuple[int, int]:
    """Height and width of a cell for letters of that size."""
    return round(HEIGHT * size / SIZE), round(WIDTH * size / SIZE)


@functools.lru_cache(maxsize=4096)
def glyph(token: str, size: int = SIZE) -> np.ndarray:
    """How much of each pixel of its cell a token covers, (height, width) in 0..1; a long token is squeezed in."""
    from PIL import Image, ImageDraw, ImageFont  # the window shows itself before it needs these

    font, (height, width) = ImageFont.load_default(size), cell(size)
    left, _, right, _ = font.getbbox(token)
    wide = max(width, int(np.ceil(right - left)))
    drawn = Image.new("L", (wide, height))
    ImageDraw.Draw(drawn).text(((wide - right - left) / 2, 1), token, font=font, fill=255)
    if wide > width:
        drawn = drawn.resize((width, height), Image.Resampling.BOX)
    return np.asarray(drawn, np.float32) / 255


@functools.lru_cache(maxsize=8)
def atlas(vocabulary: tuple[str, ...], size: int = SIZE) -> np.ndarray:
    """The glyphs of a vocabulary and, last, an empty cell: (V + 1, height, width)."""
    return np.stack([*(glyph(token, size) for token in vocabulary), np.zeros(cell(size), np.float32)])


@functools.cache
def block(size: int = SIZE) -> np.ndarray:
    """A masked cell: a filled box with a margin, (height, width)."""
    out = np.zeros(cell(size), np.float32)
    edge = max(1, round(3 * size / SIZE))
    out[edge:-edge, 1:-1] = 1.0
    return out
