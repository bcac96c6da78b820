"""Pictures of the user's own as states: read, checked before they are decoded, fitted to the model's size."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.modality import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import ALL, chosen_numbers
from diffstudio.modalities.picture_colours import Plain, is_deep, plain
from diffstudio.modalities.picture_fit import Size, border, fitted, fittings, misfit, paper_of
from diffstudio.modalities.spans import Span
from diffstudio.user_files import open_regular

if TYPE_CHECKING:
    from PIL import Image  # loaded when a picture is read: the window shows itself before

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")  # Pillow would also start programs, for EPS
MAX_BYTES = 256 << 20
BLOCK = 64 << 10  # bytes that are read at a time
MAX_PIXELS = 64_000_000
MAX_TRANSPARENT = 40_000_000  # pixels of a picture that is laid on paper, which takes as much again
MAX_LISTED = 10_000  # pages of a TIFF, which has to be read through to count them
ORIENTATION = 0x0112  # of Exif
# What Pillow raises for damaged files, besides the errors that it documents; EOFError where there is no further frame.
DAMAGED = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
MAX_PAGES = 1000
PAGED = ("TIFF", "GIF", "WEBP", "PNG")  # whose further pictures are pages, not previews or maps of depth
PHOTOMETRIC, DEEPEST = 262, np.uint16(65535)  # a TIFF's tag, and the highest value of 16 bits
PAPER_WHITE = 150  # of 255, from here on a border is paper


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
        check_pixels(path, file)
        count = pages_of(path, file)
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
    inverted = channels == 1 and paper_of(picture) > PAPER_WHITE
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
    return len(sample) == 1 and float(np.median(border(sample[0]))) > PAPER_WHITE / 127.5 - 1


def open_picture(path: Path, judge: Callable[[int, int], str] = lambda width, height: "") -> Image.Image:
    """The first picture of a file, upright, in its own mode; its size is checked before any pixel is decoded.

    judge: what is wrong with a size, in a sentence, or "".

    Raises:
        BadInput: no such file, too large, or `judge` found something wrong.  BadFile: not a picture that can be read.
    """
    with opened(path) as file:
        check_pixels(path, file)
        width, height = file.size
        # To know how it stands a PNG must be decoded: not where it fits neither way.
        if (problem := judge(width, height)) and judge(height, width):
            raise BadInput(problem)
        picture = _page(file, 0, path)
        if problem := judge(*picture.size):
            raise BadInput(problem)
        return picture


def pages_of(path: Path, file: Image.Image) -> int:
    """How many pictures an open file holds. Raises: BadInput: too many to be counted."""
    if file.format != "TIFF":
        return getattr(file, "n_frames", 1) if file.format in PAGED else 1
    count = 1
    with contextlib.suppress(EOFError):
        while count <= MAX_LISTED:
            check_cancelled()
            file.seek(count)
            count += 1
    if count > MAX_LISTED:
        raise BadInput(f"{path} has more than {MAX_LISTED:,} pages: make a file of some of them first")
    file.seek(0)
    return count


def check_pixels(path: Path, found: Image.Image) -> None:
    """Refuse a picture that is too large, before its pixels are decoded. Raises: BadInput."""
    width, height = found.size
    most = MAX_TRANSPARENT if "A" in found.getbands() or "transparency" in found.info else MAX_PIXELS
    if width * height > most:
        raise BadInput(f"{path} has {width:,}×{height:,} pixels, expected at most {most:,}: make it smaller first")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture by its content, one of FORMATS, with the file open; what Pillow makes of a damaged one is a BadFile.

    Raises:
        BadInput: no such file, no regular one, or too large.  BadFile: not a picture that can be read.
    """
    from PIL import Image

    # A stream, not the path: of a turned TIFF Pillow maps the file into memory as if it were not turned.
    with open_regular(path, MAX_BYTES) as file, io.BufferedReader(_Watched(file), BLOCK) as stream:
        try:
            # Pillow warns of large pictures and of crooked Exif: here they are refused, or read all the same.
            with warnings.catch_warnings(action="ignore"), Image.open(stream, formats=FORMATS) as found:
                yield found
        except Image.DecompressionBombError as error:
            raise BadInput(f"{path} has more than {MAX_PIXELS:,} pixels: make it smaller first") from error
        except DAMAGED as error:
            raise BadFile(f"{path} is not a picture that can be read") from error


class _Watched(io.RawIOBase):
    """A file that is read on only while it is wanted: a GIF of millions of frames is counted frame by frame."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readinto(self, into: Any) -> int:
        check_cancelled()
        return self._file.readinto(into)  # pyright: ignore[reportAttributeAccessIssue] - it is a buffered reader

    def seek(self, at: int, whence: int = 0) -> int:
        return self._file.seek(at, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _page(file: Image.Image, number: int, path: Path) -> Image.Image:
    """Upright; it may be the file's own, which is another picture after the next page."""
    from PIL import ImageOps

    if number:
        file.seek(number)
    check_pixels(path, file)
    check_cancelled()
    file.load()
    upright = ImageOps.exif_transpose(file) if file.getexif().get(ORIENTATION, 1) in range(2, 9) else file
    return _black_is_zero(upright) if is_deep(upright) and _white_is_zero(file) else upright


def _white_is_zero(file: Image.Image) -> bool:
    """Whether a TIFF counts from white to black: Pillow exchanges them in pictures of 8 bits alone."""
    tags = getattr(file, "tag_v2", None)
    return tags is not None and tags.get(PHOTOMETRIC) == 0 and file.mode.startswith("I;16")


def _black_is_zero(picture: Image.Image) -> Image.Image:
    from PIL import Image

    return Image.fromarray(DEEPEST - np.asarray(picture).astype(np.uint16))
