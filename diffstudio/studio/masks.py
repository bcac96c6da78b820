"""The mask of an inpainting: a picture of the model's size, white where the source is repainted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.picture_file import open_picture


def load_mask(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """(1, H, W) float32: 1 is repainted, 0 is kept; greys in between blend. Transparent pixels are kept.

    shape: of one sample, (C, H, W).

    Raises:
        BadInput: no such file, another size, or nothing to repaint.  BadFile: not a picture that can be read.
    """
    picture = open_picture(path)
    width, height = picture.size
    if (height, width) != tuple(shape[-2:]):
        raise BadInput(
            f"{path.name} is a mask of {width}×{height} pixels, the model needs {shape[-1]}×{shape[-2]}: draw it there"
        )
    layered = np.asarray(picture.convert("LA"), np.float32) / 255
    mask = layered[..., 0] * layered[..., 1]
    if not mask.any():
        raise BadInput(f"{path.name} has no white pixel, so nothing would be repainted: paint the region white")
    return mask[None]
