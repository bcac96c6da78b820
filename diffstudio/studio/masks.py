"""The mask of an inpainting: a picture of the model's size, white where the source is repainted."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.picture_file import open_picture


def load_mask(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """(1, H, W) float32: 1 is repainted, 0 is kept; greys in between blend. Transparent pixels are kept.

    A file that has not changed is not read again, since whoever plans a run asks for it at every change: the array is
    shared, and not to be written to.

    shape: of the picture that a sample is, or is decoded to, (C, H, W).

    Raises:
        BadInput: no such file, another size, or nothing to repaint.  BadFile: not a picture that can be read.
    """
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return _read(path, shape[-2:], ())  # which says why
    return _read(path, shape[-2:], (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@functools.lru_cache(maxsize=4)
def _read(path: Path, shape: tuple[int, ...], stamp: tuple[int, ...]) -> np.ndarray:
    def judge(width: int, height: int) -> str:
        if (height, width) == tuple(shape):
            return ""
        return (
            f"{path.name} is a mask of {width}×{height} pixels, the model needs {shape[-1]}×{shape[-2]}: draw it there"
        )

    picture = open_picture(path, judge)
    layered = np.asarray(picture.convert("LA"), np.float32) / 255
    mask = layered[..., 0] * layered[..., 1]
    if not mask.any():
        raise BadInput(f"{path.name} has no white pixel, so nothing would be repainted: paint the region white")
    mask.setflags(write=False)
    return mask[None]


def in_latents(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of a picture, (1, H, W), for latents of shape (c, h, w): a place is repainted as far as any of its pixels
    is. (1, h, w).

    Raises:
        BadInput: no whole number of pixels is one place of the latents.
    """
    (_, height, width), (rows, columns) = mask.shape, shape[-2:]
    if height % rows or width % columns:
        raise BadInput(f"a mask of {width}×{height} pixels does not fall on latents of {columns}×{rows}: leave it out")
    return mask.reshape(1, rows, height // rows, columns, width // columns).max((2, 4))
