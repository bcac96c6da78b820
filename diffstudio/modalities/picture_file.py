"""Pictures of the user's own as states: read, checked before they are decoded, fitted to the model's size."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo

if TYPE_CHECKING:
    from PIL import Image  # loaded when a picture is read: the window shows itself before

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
MAX_PIXELS = 64_000_000


def inspect_picture(path: Path, meaning: Meaning) -> SourceInfo:
    """Size and colours of a picture. Raises: BadInput, BadFile."""
    shape = meaning.shape
    picture = open_picture(path)
    width, height = picture.size
    fits = (height, width) == tuple(shape[-2:])
    inverted = shape[0] == 1 and float(np.median(_border(np.asarray(picture.convert("L"))))) > 150
    return SourceInfo(1, (height, width), fits, "" if fits else _wrong_size(path, (height, width), shape), inverted)


def read_picture(path: Path, meaning: Meaning, fit: Fit | None) -> np.ndarray:
    """(1, C, H, W) float32 in [-1, 1]; fit: what to do with another size. Raises: BadInput, BadFile."""
    shape = meaning.shape
    picture = open_picture(path)
    height, width = shape[-2:]
    if picture.size != (width, height):
        if fit is None:
            raise BadInput(_wrong_size(path, (picture.size[1], picture.size[0]), shape))
        picture = fitted(picture, (width, height), fit)
    mode = {1: "L", 3: "RGB"}.get(shape[0])
    if mode is None:
        raise BadInput(f"{path}: a picture has 1 or 3 channels, the model needs {shape[0]}")
    values = np.asarray(_opaque(picture).convert(mode), np.float32) / 127.5 - 1
    return np.ascontiguousarray(values.reshape(height, width, -1).transpose(2, 0, 1)[None])


def open_picture(path: Path) -> Image.Image:
    """The first picture of a file, upright; its size is checked before any pixel is decoded."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    quiet = warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning)
    try:
        with quiet, Image.open(path) as found:  # Pillow warns of large pictures: here they are refused
            width, height = found.size
            if width * height > MAX_PIXELS:
                raise BadInput(
                    f"{path} has {width:,}×{height:,} pixels, expected at most {MAX_PIXELS:,}: make it smaller first"
                )
            found.load()
            upright = ImageOps.exif_transpose(found)
            return upright.copy()
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {path}") from error
    except Image.DecompressionBombError as error:
        raise BadInput(f"{path} has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadFile(f"{path} is not a picture that can be read") from error


def fitted(picture: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
    from PIL import Image, ImageOps

    picture = _opaque(picture)
    if fit == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if fit == "pad":
        grey = np.asarray(picture.convert("L"))
        return ImageOps.pad(
            picture.convert("RGB"), size, Image.Resampling.LANCZOS, color=(int(np.median(_border(grey))),) * 3
        )
    return picture.resize(size, Image.Resampling.LANCZOS)


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB or L, transparent places white, 16-bit greys scaled down."""
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        top = 65535 if values.max(initial=0) > 255 else 255
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _border(grey: np.ndarray) -> np.ndarray:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _wrong_size(path: Path, found: tuple[int, int], shape: tuple[int, ...]) -> str:
    (height, width), (h, w) = found, shape[-2:]
    ratio = "" if math.isclose(width / height, w / h, rel_tol=0.01) else " and another aspect"
    return (
        f"{path.name} has {width}×{height} pixels{ratio}, the model needs {w}×{h}: fit it by crop, pad or stretch "
        "(--fit on the command line)"
    )
