"""A picture or its mask at the model's size: cut, with a border, or stretched, both in the same places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diffstudio.modalities.modality import FITS, Fit

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]  # width, height
LARGE = 16_000_000  # pixels from which a picture is made smaller in two steps
REDUCED = 4  # of what is wanted, after the first of them


def fittings(found: Size, wanted: Size) -> tuple[Fit, ...]:
    """The ways to fit a picture that differ: () where it has the wanted size, or its very aspect."""
    return () if found[0] * wanted[1] == found[1] * wanted[0] else FITS


def fitted(picture: Image.Image, size: Size, fit: Fit | None) -> Image.Image:
    """A picture of mode L, RGB or F at another size: cut, with a border of its own colour, or stretched."""
    from PIL import Image

    if picture.size == size:
        return picture
    paper = paper_of(picture) if fit == "pad" else 0.0
    gap = int(min(picture.width / size[0], picture.height / size[1]) / REDUCED)
    if gap > 1 and picture.width * picture.height > LARGE:
        picture = picture.reduce(gap)  # a box, where there are far more pixels than are wanted: nobody sees it
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


def paper_of(picture: Image.Image) -> float:
    """The grey, 0 to 255, that most of the border of a picture of mode L, RGB or F has."""
    width, height = picture.size
    edges = ((0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height))
    cut = [picture.crop(box) for box in edges]
    greys = [np.asarray(one.convert("L") if picture.mode == "RGB" else one).ravel() for one in cut]
    return float(np.median(np.concatenate(greys)))


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
