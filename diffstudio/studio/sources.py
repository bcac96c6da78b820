"""Data of the user's own as x_0: a picture, an array, a table of points, or the last state of a trace."""

from __future__ import annotations

import math
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.traces.reader import Trace

if TYPE_CHECKING:
    from PIL import Image  # loaded when a picture is read: the window shows itself before

Fit = Literal["crop", "pad", "stretch"]
FITS = ("crop", "pad", "stretch")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
ARRAYS = (".npy", ".npz", ".csv", ".txt")
MAX_PIXELS = 64_000_000
MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class SourceInfo:
    """What a file holds. fits: it can be used as it is; otherwise `sentence` says what is wrong with its size."""

    count: int
    size: tuple[int, ...]
    fits: bool
    sentence: str
    looks_inverted: bool = False


def inspect_source(path: Path, shape: tuple[int, ...], modality: str) -> SourceInfo:
    """Look at a file before a run, to offer what it needs.

    Raises:
        BadInput, BadFile: it can't be used at all.
    """
    if modality == "image" and path.suffix.lower() in PICTURES:
        picture = open_picture(path)
        width, height = picture.size
        fits = (height, width) == tuple(shape[-2:])
        inverted = shape[0] == 1 and float(np.median(_border(np.asarray(picture.convert("L"))))) > 150
        return SourceInfo(1, (height, width), fits, "" if fits else _wrong_size(path, (height, width), shape), inverted)
    rows = load_source(path, shape, modality)
    return SourceInfo(len(rows), rows.shape[1:], True, "")


def load_source(
    path: Path, shape: tuple[int, ...], modality: str, fit: Fit | None = None, invert: bool = False
) -> np.ndarray:
    """The samples in a file: (N, *shape) float32, N ≥ 1, in the range of the data.

    Pictures become [-1, 1]; arrays are taken as they are, uint8 arrays as pictures; .csv and .txt are points.
    fit: what to do with a picture of another size; invert: exchange black and white.

    Raises:
        BadInput: no such file, an unknown kind of file, or another shape.  BadFile: it can't be read.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}")
    suffix = path.suffix.lower()
    if suffix == ".trace":
        rows = _from_trace(path)
    elif suffix in (".npy", ".npz"):
        rows = _from_array(path, shape)
    elif suffix in PICTURES and modality == "image":
        rows = _from_picture(path, shape, fit)
    elif suffix in (".csv", ".txt") and modality == "points":
        rows = _from_table(path)
    else:
        kinds = (*PICTURES, ".npy", ".npz") if modality == "image" else ARRAYS
        raise BadInput(f"{path}: '{suffix}' can't be read as {modality}, expected one of {', '.join(kinds)}, .trace")
    if rows.ndim != len(shape) + 1 or rows.shape[1:] != tuple(shape) or len(rows) == 0:
        raise BadInput(f"{path} holds an array of shape {rows.shape}, the model needs (N, {str(tuple(shape))[1:]}")
    if not np.isfinite(rows).all():
        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
    return -rows if invert else rows


def _from_trace(path: Path) -> np.ndarray:
    with Trace.open(path) as trace:
        if not len(trace):
            raise BadFile(f"{path} has no complete record")
        return trace.array(len(trace) - 1, "xt")


def _from_array(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                found = _from_zip(file, path)
        else:
            with path.open("rb") as stream:
                found = _read_array(stream, path)
    except (OSError, ValueError, EOFError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
        raise BadFile(f"{path} is not an array file that can be read (pickled objects are refused)") from error
    if found.dtype.kind not in "fiub":
        raise BadInput(f"{path} holds values of type {found.dtype}, expected numbers")
    values = found.astype(np.float32)
    if found.dtype == np.uint8:
        values = values / 127.5 - 1
    if values.shape[-len(shape) :] != tuple(shape) and shape[0] == 1 and values.shape[-2:] == tuple(shape[1:]):
        values = values.reshape(-1, *shape)  # (N, 28, 28) or (28, 28) for (1, 28, 28)
    return values[None] if values.shape == tuple(shape) else values


def _from_zip(file: zipfile.ZipFile, path: Path) -> np.ndarray:
    """The last state of our own exports, of others the first array."""
    ours = "xt.npy" in file.namelist()
    with file.open("xt.npy" if ours else file.namelist()[0]) as stream:
        found = _read_array(stream, path)
    return found[-1] if ours else found


def _read_array(stream: IO[bytes], path: Path) -> np.ndarray:
    """An array whose size is judged before there is memory for it: a few bytes can promise terabytes."""
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = read_header(stream)
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise BadInput(f"{path} holds an array of {size:,} bytes, expected at most {MAX_BYTES:,}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _from_table(path: Path) -> np.ndarray:
    try:
        lines = path.read_text(encoding="utf-8", errors="strict").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is not a text file that can be read") from error
    rows = []
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").replace(";", " ").split()
        if not words or line.startswith("#"):
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            if not rows and number == 1:
                continue  # a heading
            raise BadFile(f"{path}, line {number}: {line[:40]!r} is not a row of numbers") from error
        if len(rows[-1]) != len(rows[0]):
            raise BadFile(f"{path}, line {number}: {len(rows[-1])} numbers, expected {len(rows[0])}")
    if not rows:
        raise BadFile(f"{path} holds no row of numbers")
    return np.array(rows, np.float32)


def _from_picture(path: Path, shape: tuple[int, ...], fit: Fit | None) -> np.ndarray:
    picture = open_picture(path)
    height, width = shape[-2:]
    if picture.size != (width, height):
        if fit is None:
            raise BadInput(_wrong_size(path, (picture.size[1], picture.size[0]), shape))
        picture = _fitted(picture, (width, height), fit)
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


def _fitted(picture: Image.Image, size: tuple[int, int], fit: Fit) -> Image.Image:
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
