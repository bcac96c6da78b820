"""From a record to the pixels of the screen: values → colours → enlarged or shrunk cells, in numpy."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from diffstudio.gui.stage.views.grid import Grid
from diffstudio.modalities import Meaning, colour, image
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace

OPAQUE = np.uint32(0xFF000000)
MAGENTA = np.uint32(0xFFFF00FF)


@dataclass(frozen=True)
class Raster:
    """Samples as colours.

    pixels: (B, H, W) uint32 0xffRRGGBB.  limit: value at the ends of the diverging map, None for values in [-1, 1].
    not_finite: how many values are NaN or infinite.
    """

    pixels: np.ndarray
    limit: float | None
    not_finite: int


def raster(trace: Trace, k: int, name: str, sample: int | slice, dark: bool, frame: int | None = None) -> Raster:
    """Record k as colours: the same as `pictures.tiles`, packed for the screen; of clips one frame.

    Raises:
        BadFile: the trace can't be read any more.
    """
    values = pictures.displayed(trace, k, name, sample)
    values = values[None] if isinstance(sample, int) else values
    limit = pictures.signed_limit(name, values) if name in pictures.SIGNED else None  # one for all frames of a clip
    return coloured(values if frame is None else values[:, frame], limit, dark, trace.meaning)


def frames(trace: Trace, k: int, name: str, sample: int, dark: bool) -> Raster:
    """All frames of one clip, (T, H, W) pixels; errors as `raster`."""
    values = pictures.displayed(trace, k, name, sample)
    return coloured(values, pictures.signed_limit(name, values) if name in pictures.SIGNED else None, dark)


def tiled(pixels: np.ndarray, grid: Grid, paper: str) -> np.ndarray:
    """(B, H, W) → the rows of the grid that hold these samples, with a gap after each: device pixels as uint32.

    Grown by repeating, so that every pixel is an exact square; shrunk by averaging areas.
    """
    count, height, width = pixels.shape
    rows, columns, scale = -(-count // grid.columns), grid.columns, max(1, grid.scale)
    if grid.scale == 0 and (grid.width, grid.height) != (width, height):
        pixels = shrunk(pixels, grid.width, grid.height)
        height, width = grid.height, grid.width
    background = rgb(paper)
    if rows * columns != count:
        rest = np.full((rows * columns - count, height, width), background, np.uint32)
        pixels = np.concatenate([pixels, rest])
    wide = pixels if scale == 1 else np.repeat(pixels, scale, axis=2)
    wide = wide.reshape(rows, columns, height, 1, width * scale)
    out = np.full((rows, grid.height + grid.gap, columns, grid.width + grid.gap), background, np.uint32)
    cells = out[:, : grid.height, :, : grid.width].reshape(rows, height, scale, columns, grid.width)
    cells[...] = wide.transpose(0, 2, 3, 1, 4)
    return out.reshape(out.shape[0] * out.shape[1], -1)


def enlarged(pixels: np.ndarray, scale: int) -> np.ndarray:
    """(H, W) → (H·scale, W·scale), nearest neighbour."""
    return pixels if scale == 1 else pixels.repeat(scale, 1).repeat(scale, 0)


def shrunk(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """(B, H, W) → (B, height, width): each pixel the mean of the area that it covers."""
    count, tall, _ = pixels.shape
    # The samples lie below each other in one picture, so that one call shrinks many. Qt counts in 16.16 fixed point.
    many = max(1, 30_000 // tall)
    parts = []
    for first in range(0, count, many):
        stack = np.ascontiguousarray(pixels[first : first + many])
        one = to_image(stack.reshape(-1, stack.shape[2]))
        small = one.scaled(
            width, height * len(stack), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        parts.append(to_array(small).reshape(len(stack), height, width))
    return np.concatenate(parts)


def to_image(pixels: np.ndarray, ratio: float = 1.0) -> QImage:
    """(H, W) uint32 0xffRRGGBB → a picture that shares the memory; it keeps the array alive."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    out = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    out.setDevicePixelRatio(ratio)
    out.keep = pixels  # pyright: ignore[reportAttributeAccessIssue]  # QImage does not own the memory
    return out


def to_array(picture: QImage) -> np.ndarray:
    """A picture as (H, W) uint32 0xffRRGGBB."""
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    words = np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.bytesPerLine() // 4)
    return words[:, : picture.width()].copy()


def rgb(name: str) -> np.uint32:
    """#rrggbb as 0xffRRGGBB."""
    return np.uint32(QColor(name).rgb())


def coloured(values: np.ndarray, limit: float | None, dark: bool, meaning: Meaning | None = None) -> Raster:
    """(B, C, H, W) → a raster. meaning: of states that may be latents."""
    bad = colour.not_finite(values)
    if limit is not None:
        pixels = diverging(dark).take(colour.signed_index(image.signed_plane(values), limit))
    else:
        pixels = _packed(image.to_levels(values if meaning is None else image.in_colour(meaning, values)))
    if bad is not None:
        pixels[bad.any(1)] = MAGENTA
    return Raster(pixels, limit, 0 if bad is None else int(bad.sum()))


def _packed(levels: np.ndarray) -> np.ndarray:
    """(B, C, H, W) uint8 → (B, H, W) uint32; the channels as `image.to_pixels` takes them."""
    if levels.shape[1] == 1:
        return _greys().take(levels[:, 0])
    red, green = levels[:, 0].astype(np.uint32), levels[:, 1].astype(np.uint32)
    out = OPAQUE | red << np.uint32(16) | green << np.uint32(8)
    return out if levels.shape[1] == 2 else out | levels[:, 2]


@functools.cache
def _greys() -> np.ndarray:
    return OPAQUE | np.arange(256, dtype=np.uint32) * np.uint32(0x010101)


@functools.cache
def diverging(dark: bool) -> np.ndarray:
    """The diverging map, (256,) uint32."""
    red, green, blue = colour.diverging(dark).astype(np.uint32).T
    return OPAQUE | red << np.uint32(16) | green << np.uint32(8) | blue
