"""Pictures of the user's own as states: read, checked before they are decoded, fitted to the model's size."""

from __future__ import annotations

import contextlib
import math
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo
from diffstudio.user_files import open_regular

if TYPE_CHECKING:
    from PIL import Image  # loaded when a picture is read: the window shows itself before

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # Pillow would also start programs, for EPS
MAX_BYTES = 256 << 20
MAX_PIXELS = 64_000_000
MAX_TRANSPARENT = 40_000_000  # pixels of a picture that is laid on white, which takes as much again
LARGE = 16_000_000  # pixels from which a picture is made smaller in two steps
REDUCED = 4  # of what is wanted, after the first of them
ROWS = 256  # of a picture that are converted at a time
ORIENTATION = 0x0112  # of Exif
# What Pillow raises for damaged files, besides the errors that it documents; EOFError where there is no further frame.
DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)


def inspect_picture(path: Path, meaning: Meaning) -> SourceInfo:
    """Size and colours of a picture. Raises: BadInput, BadFile."""
    shape = meaning.shape
    picture = open_picture(path)
    width, height = picture.size
    fits = (height, width) == tuple(shape[-2:])
    inverted = shape[0] == 1 and _paper(picture) > 150
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
    values = np.asarray(opaque(picture).convert(mode), np.float32) / 127.5 - 1
    return np.ascontiguousarray(values.reshape(height, width, -1).transpose(2, 0, 1)[None])


def open_picture(path: Path, judge: Callable[[int, int], str] = lambda width, height: "") -> Image.Image:
    """The first picture of a file, upright; its size is checked before any pixel is decoded.

    judge: what is wrong with a size, in a sentence, or "".

    Raises:
        BadInput: no such file, too large, or `judge` found something wrong.  BadFile: not a picture that can be read.
    """
    from PIL import ImageOps

    with opened(path) as found:
        check_pixels(path, found)
        width, height = found.size
        # To know how it stands a PNG must be decoded: not where it fits neither way.
        if (problem := judge(width, height)) and judge(height, width):
            raise BadInput(problem)
        turned = found.getexif().get(ORIENTATION, 1)
        if problem := judge(*((height, width) if turned in (5, 6, 7, 8) else (width, height))):
            raise BadInput(problem)
        found.load()
        return ImageOps.exif_transpose(found) if turned in range(2, 9) else found


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A picture by its content, one of FORMATS, with the file open; what Pillow makes of a damaged one is a BadFile.

    Raises:
        BadInput: no such file, no regular one, or too large.  BadFile: not a picture that can be read.
    """
    from PIL import Image

    with open_regular(path, MAX_BYTES) as stream:
        try:
            # Pillow warns of large pictures and of crooked Exif: here they are refused, or read all the same.
            with warnings.catch_warnings(action="ignore"), Image.open(stream, formats=FORMATS) as found:
                yield found
        except Image.DecompressionBombError as error:
            raise BadInput(f"{path} has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
        except DAMAGED as error:
            raise BadFile(f"{path} is not a picture that can be read") from error


def check_pixels(path: Path, found: Image.Image) -> None:
    """Refuse a picture that is too large, before its pixels are decoded. Raises: BadInput."""
    width, height = found.size
    most = MAX_TRANSPARENT if "A" in found.getbands() or "transparency" in found.info else MAX_PIXELS
    if width * height > most:
        raise BadInput(f"{path} has {width:,}×{height:,} pixels, expected at most {most:,}: make it smaller first")


def fitted(picture: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
    """A picture at another size (width, height): cut, with a border of its own colour, or stretched."""
    from PIL import Image, ImageOps

    gap = int(min(picture.width / size[0], picture.height / size[1]) / REDUCED)
    if gap > 1 and picture.width * picture.height > LARGE and picture.mode in ("L", "RGB", "RGBA"):
        picture = picture.reduce(gap)  # a box, where there are far more pixels than are wanted: nobody sees it
    picture = opaque(picture)
    if fit == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    if fit == "pad":
        return ImageOps.pad(picture.convert("RGB"), size, Image.Resampling.LANCZOS, color=(int(_paper(picture)),) * 3)
    return picture.resize(size, Image.Resampling.LANCZOS)


def opaque(picture: Image.Image) -> Image.Image:
    """RGB or L, transparent places white, 16-bit greys scaled down."""
    from PIL import Image

    width, height = picture.size
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        top = 65535 if values.max(initial=0) > 255 else 255
        table = (np.arange(65536) / top * 255).clip(0, 255).astype(np.uint8)
        levels = np.empty(values.shape, np.uint8)
        for y in range(0, height, ROWS):
            rows = np.nan_to_num(values[y : y + ROWS])
            whole = picture.mode != "F"
            levels[y : y + ROWS] = table[rows.clip(0, 65535)] if whole else (rows / top * 255).clip(0, 255)
        return Image.fromarray(levels)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        out = Image.new("RGB", picture.size)
        for y in range(0, height, ROWS):
            layered = picture.crop((0, y, width, min(height, y + ROWS))).convert("RGBA")
            out.paste(Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB"), (0, y))
        return out
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _paper(picture: Image.Image) -> float:
    """The grey that most of a picture's border has, 0 to 255."""
    width, height = picture.size
    edges = ((0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height))
    return float(np.median(np.concatenate([np.asarray(picture.crop(box).convert("L")).ravel() for box in edges])))


def _wrong_size(path: Path, found: tuple[int, int], shape: tuple[int, ...]) -> str:
    (height, width), (h, w) = found, shape[-2:]
    ratio = "" if math.isclose(width / height, w / h, rel_tol=0.01) else " and another aspect"
    return (
        f"{path.name} has {width}×{height} pixels{ratio}, the model needs {w}×{h}: fit it by crop, pad or stretch "
        "(--fit on the command line)"
    )
