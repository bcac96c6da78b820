"""Pictures of the user's own as states: read, checked before they are decoded, fitted to the model's size."""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import ALL, chosen_numbers
from diffstudio.modalities.picture_colours import Plain, is_deep, plain
from diffstudio.modalities.picture_fit import Size, border, fitted, fittings, misfit
from diffstudio.modalities.spans import Span
from diffstudio.user_files import open_regular

if TYPE_CHECKING:
    from PIL import Image  # loaded when a picture is read: the window shows itself before

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # Pillow would also start programs, for EPS
MAX_BYTES = 256 << 20
MAX_PIXELS = 64_000_000
# What Pillow raises for damaged files, besides the errors that it documents; EOFError where there is no further frame.
DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
MAX_PAGES = 1000
PAGED = ("TIFF", "GIF", "WEBP", "PNG")  # whose further pictures are pages, not previews or maps of depth
PHOTOMETRIC, DEEPEST = 262, np.uint16(65535)  # a TIFF's tag, and the highest value of 16 bits
PAPER_WHITE = 150 / 127.5 - 1  # from here on a border is paper


def read_picture(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    """(N, C, H, W) float32 in [-1, 1]: the first picture of a file, or those pages that are the part.

    Raises:
        BadInput: no such file, too large, or no such page.  BadFile: not a picture that can be read.
    """
    channels = meaning.shape[0]
    if channels not in (1, 3):
        raise BadInput(f"{path}: a picture has 1 or 3 channels, the model needs {channels}")
    size = (meaning.shape[2], meaning.shape[1])
    with opened(path) as file:
        check_pixels(path, *file.size)
        count = pages_of(file)
        part = taking.part if count > 1 else None
        chosen = [0] if part is None else chosen_numbers(part, count, "page", path.name)
        if len(chosen) > MAX_PAGES:
            raise BadInput(f"{path} has {count:,} pages, expected at most {MAX_PAGES:,}: choose some, like 1..100")
        # One after the other: all pages at their own size would fill the memory.
        found = [_one(plain(_page(file, number, path), taking.span), size, channels, taking) for number in chosen]
    if part is None and taking.part is not None and taking.part.strip() not in ("1", ALL):
        raise BadInput(f"{path.name} has one page alone, found '{taking.part:.40}': leave the part out")
    return _taken(path, size, taking, found, count)


class _One(NamedTuple):
    """A page. rows: (1, C, H, W), None where it needs a fit.  size: its own.  span: as `SourceInfo`'s."""

    rows: np.ndarray | None
    size: Size
    remarks: tuple[str, ...]
    inverted: bool
    span: Span | None


def _one(found: Plain, size: Size, channels: int, taking: Taking) -> _One:
    picture = found.picture
    usable = not fittings(picture.size, size) or taking.fit is not None
    rows = rows_of(fitted(picture, size, taking.fit), channels) if usable else None
    inverted = channels == 1 and looks_inverted(rows_of(picture, 1)[0])
    return _One(rows, picture.size, found.remarks, inverted, found.span)


def _taken(path: Path, size: Size, taking: Taking, found: list[_One], count: int) -> Taken:
    first = found[0]
    others = [one.size for one in found if fittings(one.size, size)]
    remarks = list(dict.fromkeys(word for one in found for word in one.remarks))
    if first.size != size and not others:
        remarks.append(f"resized from {first.size[0]}×{first.size[1]} to {size[0]}×{size[1]}")
    if count > 1 and taking.part is None:
        remarks.append(f"page 1 of {count:,} is taken: the part chooses others, or all (--part on the command line)")
    rows = [one.rows for one in found if one.rows is not None]
    info = SourceInfo(
        len(found),
        (first.size[1], first.size[0]),
        len(rows) == len(found),
        misfit(path.name, others[0], size) if others else "",
        fittings(others[0], size) if others else (),
        looks_inverted=first.inverted,
        remarks=tuple(remarks),
        parts=(*map(str, range(1, min(count, MAX_PAGES) + 1)), ALL) if count > 1 else (),
        part=taking.part or ("1" if count > 1 else ""),
        part_name="page",
        span=first.span,
    )
    return Taken(info, np.concatenate(rows) if info.fits else None)


def rows_of(picture: Image.Image, channels: int) -> np.ndarray:
    """(1, C, H, W) float32 in [-1, 1] of a picture of mode L, RGB or F; colours become greys, or greys colours."""
    if picture.mode == "F":
        values = np.asarray(picture, np.float32).clip(0, 255)[..., None].repeat(channels, 2)
    else:
        values = np.asarray(picture.convert("L" if channels == 1 else "RGB"), np.float32)
    height, width = values.shape[:2]
    return np.ascontiguousarray((values / 127.5 - 1).reshape(height, width, channels).transpose(2, 0, 1)[None])


def looks_inverted(sample: np.ndarray) -> bool:
    """Whether (C, H, W) in [-1, 1] is grey and looks like ink on paper: its border is light."""
    return len(sample) == 1 and float(np.median(border(sample[0]))) > PAPER_WHITE


def open_picture(path: Path) -> Image.Image:
    """The first picture of a file, upright, in its own mode; its size is checked before any pixel is decoded.

    Raises:
        BadInput: no such file, or too large.  BadFile: not a picture that can be read.
    """
    with opened(path) as file:
        return _page(file, 0, path)


def pages_of(file: Image.Image) -> int:
    """How many pictures an open file holds."""
    return getattr(file, "n_frames", 1) if file.format in PAGED else 1


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse a picture that is too large. Raises: BadInput."""
    if width * height > MAX_PIXELS:
        raise BadInput(
            f"{path} has {width:,}×{height:,} pixels, expected at most {MAX_PIXELS:,}: make it smaller first"
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture by its content, one of FORMATS, with the file open; what Pillow makes of a damaged one is a BadFile.

    Raises:
        BadInput: no such file, no regular one, or too large.  BadFile: not a picture that can be read.
    """
    from PIL import Image

    # A stream, not the path: of a turned TIFF Pillow maps the file into memory as if it were not turned.
    with open_regular(path, MAX_BYTES) as stream:
        try:
            # Pillow warns of large pictures and of crooked Exif: here they are refused, or read all the same.
            with warnings.catch_warnings(action="ignore"), Image.open(stream, formats=FORMATS) as found:
                yield found
        except Image.DecompressionBombError as error:
            raise BadInput(f"{path} has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
        except DAMAGED as error:
            raise BadFile(f"{path} is not a picture that can be read") from error


def _page(file: Image.Image, number: int, path: Path) -> Image.Image:
    from PIL import ImageOps

    if number:
        file.seek(number)
    check_pixels(path, *file.size)
    file.load()
    upright = ImageOps.exif_transpose(file).copy()
    return _black_is_zero(upright) if is_deep(upright) and _white_is_zero(file) else upright


def _white_is_zero(file: Image.Image) -> bool:
    """Whether a TIFF counts from white to black: Pillow exchanges them in pictures of 8 bits alone."""
    tags = getattr(file, "tag_v2", None)
    return tags is not None and tags.get(PHOTOMETRIC) == 0 and file.mode.startswith("I;16")


def _black_is_zero(picture: Image.Image) -> Image.Image:
    from PIL import Image

    return Image.fromarray(DEEPEST - np.asarray(picture).astype(np.uint16))
