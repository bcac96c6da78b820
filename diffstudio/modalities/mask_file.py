"""Masks from files, white where a source is drawn anew: pictures, clips, and pictures over a spectrogram."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.clip_file import evenly, measure
from diffstudio.modalities.clip_frames import ANIMATIONS, MOVIES, opened_frames
from diffstudio.modalities.modality import Meaning, Placing
from diffstudio.modalities.picture_colours import is_deep, plain
from diffstudio.modalities.picture_file import open_picture
from diffstudio.modalities.picture_fit import Size, fitted_mask, fittings

if TYPE_CHECKING:
    from PIL import Image

WIDE = 2  # pixels for a frame of a spectrogram, as it is drawn


def picture_mask(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    """(1, H, W) float32 from a picture of the model's size, of its source's, or of the model's aspect.

    Raises:
        BadInput: no such file, or another size.  BadFile: not a picture that can be read.
    """
    height, width = meaning.shape[-2:]
    return _placed(path, _greys(open_picture(path)), (width, height), placing)[None]


def clip_mask(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    """(T, 1, H, W) float32 from a clip, or from a picture for all frames, (1, 1, H, W). Errors as `picture_mask`."""
    length, _, height, width = meaning.shape
    moves = path.is_dir() or path.suffix.lower() in (*MOVIES, *ANIMATIONS)
    seconds, _ = measure(path) if moves else ([0.0], (0, 0))
    if len(seconds) == 1 and not path.is_dir():
        return picture_mask(path, meaning, placing)[None]
    wanted = evenly(seconds, length)
    with opened_frames(path) as frames:
        greys = [_greys(frame.picture()) for number, frame in enumerate(frames) if number in wanted]
    drawn = dict(zip(sorted(set(wanted)), greys, strict=False))
    return np.stack([_placed(path, drawn[number], (width, height), placing)[None] for number in wanted])


def sound_mask(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    """(1, bands, frames) float32 from a picture over the spectrogram, low frequencies below. Errors as `picture_mask`.

    Each frame is one pixel wide, or two as it is drawn, at any scale.
    """
    bands, frames = meaning.shape[-2:]
    grey = _greys(open_picture(path))
    for wide in (1, WIDE):
        if not fittings(grey.size, (wide * frames, bands)):
            return _values(fitted_mask(grey, (frames, bands), None))[None, ::-1].copy()
    raise BadInput(
        f"{path.name} is a mask of {grey.width}×{grey.height} pixels, the model needs {WIDE * frames}×{bands}, its "
        "spectrogram: draw it there"
    )


def _placed(path: Path, grey: Image.Image, wanted: Size, placing: Placing) -> np.ndarray:
    """(H, W) of a mask where its source is placed."""
    if grey.size == placing.size:
        return _values(fitted_mask(grey, wanted, placing.fit))
    if fittings(grey.size, wanted):
        theirs = "" if placing.size in (None, wanted) else " or {}×{}, as its source has".format(*placing.size)
        raise BadInput(
            f"{path.name} is a mask of {grey.width}×{grey.height} pixels, the model needs {wanted[0]}×{wanted[1]}"
            f"{theirs}: draw it there"
        )
    return _values(fitted_mask(grey, wanted, None))


def _greys(picture: Image.Image) -> Image.Image:
    """White where it is drawn anew, mode L; what is transparent is kept."""
    from PIL import Image

    if is_deep(picture):
        levels = np.asarray(plain(picture).picture).round().astype(np.uint8)
        return Image.fromarray(levels)
    layered = np.asarray(picture.convert("RGBA").convert("LA"), np.float32)
    return Image.fromarray((layered[..., 0] * layered[..., 1] / 255).round().astype(np.uint8))


def _values(grey: Image.Image) -> np.ndarray:
    return np.asarray(grey, np.float32) / 255
