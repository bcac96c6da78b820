"""Images: (C, H, W) in [-1, 1], C = 1 grey or 3 colour."""

from __future__ import annotations

import math

import numpy as np

from diffstudio.modalities.colour import not_finite, signed_to_rgb, to_uint8
from diffstudio.modalities.mask_file import picture_mask
from diffstudio.modalities.modality import FITS, Meaning, Modality, Shown
from diffstudio.modalities.picture_file import PICTURES, read_picture
from diffstudio.modalities.region import Axes

NOT_FINITE = (255, 0, 255)


def to_levels(x: np.ndarray) -> np.ndarray:
    """Values (…) → levels (…) uint8: −1 black, +1 white, clipped; what is not finite lands anywhere."""
    return to_uint8(x, 127.5, 128)


def in_colour(meaning: Meaning, x: np.ndarray) -> np.ndarray:
    """(B, C, H, W) as pictures of 1 to 3 channels: latents through the card's linear map, everything else as it is.

    Latents of many channels without a map are the mean of their channels, in grey: each alone means no colour.
    """
    if not meaning.card.get("decoded"):
        return x
    rows = _colours(meaning)
    with np.errstate(invalid="ignore", over="ignore"):
        if rows is None:
            return x if x.shape[1] <= 3 else x.mean(1, keepdims=True)
        out = rows[:, :-1] @ x.reshape(*x.shape[:2], -1) + rows[:, -1:]
    return out.reshape(len(x), len(rows), *x.shape[2:])


def _colours(meaning: Meaning) -> np.ndarray | None:
    """The card's map of latents to colours, (1 or 3, C + 1); None where it has none that fits."""
    try:
        with np.errstate(over="ignore"):
            rows = np.asarray(meaning.card.get("colours"), np.float32)
    except (TypeError, ValueError, OverflowError):
        return None
    fits = rows.shape in ((1, meaning.shape[0] + 1), (3, meaning.shape[0] + 1))
    return rows if fits and np.isfinite(rows).all() else None


def to_pixels(x: np.ndarray, meaning: Meaning | None = None) -> np.ndarray:
    """(B, C, H, W) → (B, H, W, 3) uint8: −1 black, +1 white, clipped; what is not finite is magenta."""
    bad = not_finite(x)
    out = _channels_last(to_levels(x if meaning is None else in_colour(meaning, x)))
    if bad is not None:
        out[bad.any(1)] = NOT_FINITE
    return out


def signed_plane(x: np.ndarray) -> np.ndarray:
    """(B, C, H, W) around zero → (B, H, W): the value itself, or the mean of the channels."""
    if x.shape[1] == 1:
        return x[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):  # ∞ − ∞ is NaN, and shown as such
        return x.mean(1)


def to_signed_pixels(x: np.ndarray, limit: float, dark: bool) -> np.ndarray:
    """(B, C, H, W) around zero → (B, H, W, 3) uint8 in the diverging map; of colours the channels' mean is shown."""
    return signed_to_rgb(signed_plane(x), limit, dark)


def columns_for(count: int, aspect: float = 1.0) -> int:
    """Columns of a grid of `count` squares that fills an area of width/height = aspect best."""
    best, best_side = 1, 0.0
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        side = min(aspect / columns, 1 / rows)
        if side > best_side + 1e-9:
            best, best_side = columns, side
    return best


def tile(pixels: np.ndarray, columns: int, gap: int = 1, paper: tuple[int, int, int] = (18, 19, 22)) -> np.ndarray:
    """(B, H, W, 3) → one picture, row by row, with `gap` pixels of paper between."""
    count, height, width, _ = pixels.shape
    rows = math.ceil(count / columns)
    out = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    out[:] = paper
    for i, picture in enumerate(pixels):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        out[y : y + height, x : x + width] = picture
    return out


def enlarge(pixels: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, 3) → (H·factor, W·factor, 3), nearest neighbour."""
    return pixels if factor == 1 else pixels.repeat(factor, 0).repeat(factor, 1)


def _channels_last(levels: np.ndarray) -> np.ndarray:
    """(B, C, H, W) → (B, H, W, 3): one channel is grey, two are red and green, of more the first three are shown."""
    if levels.shape[1] == 1:
        return np.repeat(levels.transpose(0, 2, 3, 1), 3, axis=3)
    if levels.shape[1] == 2:
        levels = np.concatenate([levels, np.zeros_like(levels[:, :1])], 1)
    return np.ascontiguousarray(levels[:, :3].transpose(0, 2, 3, 1))


def draw(meaning: Meaning, shown: Shown) -> np.ndarray:
    """(B, H, W, 3) uint8 of rows (B, C, H, W): data as they are, signed tensors in the diverging map."""
    if shown.limit is not None:
        return to_signed_pixels(shown.rows, shown.limit, shown.dark)
    return to_pixels(shown.rows, meaning)


def axes(meaning: Meaning, rows: np.ndarray | None) -> Axes:
    """Pixels, counted from 0 at the upper left corner."""
    height, width = meaning.shape[-2:]
    return Axes({"x": np.arange(width)[None, :], "y": np.arange(height)[:, None]})


IMAGE = Modality(
    name="image",
    title="Images",
    rank=3,
    suffixes=PICTURES,
    read=read_picture,
    tile=lambda meaning: (meaning.shape[1], meaning.shape[2]),
    draw=draw,
    colours=lambda meaning: "grey" if meaning.shape[0] == 1 and not meaning.card.get("decoded") else "any",
    axes=axes,
    read_mask=picture_mask,
    invertible=True,
    fits=FITS,
)
