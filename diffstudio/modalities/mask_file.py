"""Masks from files, white where a source is drawn anew: pictures, clips, and pictures over a spectrogram."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.clip_file import evenly, measure
from diffstudio.modalities.clip_frames import ANIMATIONS, opened_frames
from diffstudio.modalities.modality import Meaning, Placing
from diffstudio.modalities.movie_file import MOVIES
from diffstudio.modalities.picture_colours import is_deep, plain, strips
from diffstudio.modalities.picture_file import open_picture
from diffstudio.modalities.picture_fit import Size, fitted_mask, fittings
from diffstudio.user_files import is_folder

if TYPE_CHECKING:
    from PIL import Image

WIDE = 2  # pixels for a frame of a spectrogram, as it is drawn


def picture_mask(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    """(1, H, W) float32 from a picture of the model's size, of its source's, or of the model's aspect.

    Raises:
        BadInput: no such file, or another size.  BadFile: not a picture that can be read.
    """
    height, width = meaning.shape[-2:]
    judge = _judging(path, (width, height), placing)
    return _placed(path, _greys(open_picture(path, judge)), (width, height), placing)[None]


def clip_mask(path: Path, meaning: Meaning, placing: Placing) -> np.ndarray:
    """(T, 1, H, W) float32 from a clip, or from a picture for all frames, (1, 1, H, W). Errors as `picture_mask`."""
    length, _, height, width = meaning.shape
    folder = is_folder(path)
    moves = folder or path.suffix.lower() in (*MOVIES, *ANIMATIONS)
    seconds, _ = measure(path) if moves else ([0.0], (0, 0))
    if len(seconds) == 1 and not folder:
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

    def judge(width: int, height: int) -> str:
        if any(not fittings((width, height), (wide * frames, bands)) for wide in (1, WIDE)):
            return ""
        return (
            f"{path.name} is a mask of {width}×{height} pixels, the model needs {WIDE * frames}×{bands}, its "
            "spectrogram: draw it there"
        )

    grey = _greys(open_picture(path, judge))
    return _values(fitted_mask(grey, (frames, bands), None))[None, ::-1].copy()


def _judging(path: Path, wanted: Size, placing: Placing) -> Callable[[int, int], str]:
    """What is wrong with the size of a mask, in a sentence; "" nothing."""

    def judge(width: int, height: int) -> str:
        if (width, height) == placing.size or not fittings((width, height), wanted):
            return ""
        theirs = "" if placing.size in (None, wanted) else " or {}×{}, as its source has".format(*placing.size)
        return (
            f"{path.name} is a mask of {width}×{height} pixels, the model needs {wanted[0]}×{wanted[1]}{theirs}: draw "
            "it there"
        )

    return judge


def _placed(path: Path, grey: Image.Image, wanted: Size, placing: Placing) -> np.ndarray:
    """(H, W) of a mask where its source is placed. Raises: BadInput: another size."""
    if problem := _judging(path, wanted, placing)(*grey.size):
        raise BadInput(problem)
    return _values(fitted_mask(grey, wanted, placing.fit if grey.size == placing.size else None))


def _greys(picture: Image.Image) -> Image.Image:
    """White where it is drawn anew, mode L; what is transparent is kept."""
    from PIL import Image

    if is_deep(picture):
        levels = np.asarray(plain(picture).picture).round().astype(np.uint8)
        return Image.fromarray(levels)
    levels = np.empty((picture.height, picture.width), np.uint8)
    for box in strips(picture):
        layered = np.asarray(picture.crop(box).convert("RGBA").convert("LA"), np.float32)
        levels[box[1] : box[3]] = (layered[..., 0] * layered[..., 1] / 255).round()
    return Image.fromarray(levels)


def _values(grey: Image.Image) -> np.ndarray:
    return np.asarray(grey, np.float32) / 255
