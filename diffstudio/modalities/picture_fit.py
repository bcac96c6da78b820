"""A picture or its mask at the model's size: cut, with a border, or stretched, both in the same places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diffstudio.modalities.modality import FITS, Fit

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]  # width, height


def fittings(found: Size, wanted: Size) -> tuple[Fit, ...]:
    """The ways to fit a picture that differ: () where it has the wanted size, or its very aspect."""
    return () if found[0] * wanted[1] == found[1] * wanted[0] else FITS


def fitted(picture: Image.Image, size: Size, fit: Fit | None) -> Image.Image:
    """A picture of mode L, RGB or F at another size: cut, with a border of its own colour, or stretched."""
    from PIL import Image

    if picture.size == size:
        return picture
    paper = 0.0
    if fit == "pad":
        paper = float(np.median(border(np.asarray(picture.convert("L") if picture.mode == "RGB" else picture))))
    return _placed(picture, size, fit, Image.Resampling.LANCZOS, paper)


def fitted_mask(mask: Image.Image, size: Size, fit: Fit | None) -> Image.Image:
    """A mask of mode L where `fitted` puts its picture, each pixel the mean of those it covers; a border is kept: 0."""
    from PIL import Image

    return mask if mask.size == size else _placed(mask, size, fit, Image.Resampling.BOX, 0.0)


def _placed(picture: Image.Image, size: Size, fit: Fit | None, way: Image.Resampling, paper: float) -> Image.Image:
    from PIL import ImageOps

    if fit == "crop":
        return ImageOps.fit(picture, size, way)
    if fit == "pad":
        colour = (int(paper),) * 3 if picture.mode == "RGB" else paper if picture.mode == "F" else int(paper)
        return ImageOps.pad(picture, size, way, color=colour)  # pyright: ignore[reportArgumentType] - of mode F a float
    return picture.resize(size, way)


def border(grey: np.ndarray) -> np.ndarray:
    """The outermost pixels of (H, W)."""
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def misfit(name: str, found: Size, wanted: Size) -> str:
    """That a picture has another size, and what can be done."""
    (width, height), (w, h) = found, wanted
    ratio = "" if math.isclose(width / height, w / h, rel_tol=0.01) else " and another aspect"
    return (
        f"{name} has {width}×{height} pixels{ratio}, the model needs {w}×{h}: fit it by crop, pad or stretch "
        "(--fit on the command line)"
    )
