"""Data of the user's own as x_0: an array, the last state of a trace, or what a modality reads.

For a latent model they are pictures of the size that it makes, which it encodes, or arrays and traces of its latents.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Fit, Meaning, SourceInfo
from diffstudio.traces.checked import open_checked

ARRAYS = (".npy", ".npz")
FOLDER = "/"  # among a modality's suffixes: a folder of files can be one sample
MAX_BYTES = 1 << 30


def inspect_source(path: Path, meaning: Meaning) -> SourceInfo:
    """Look at a file before a run, to offer what it needs.

    Raises:
        BadInput, BadFile: it can't be used at all.
    """
    kind = meaning.kind
    if kind.inspect is not None and path.suffix.lower() in kind.suffixes:
        return kind.inspect(path, _pictures(meaning) or meaning)
    rows = load_source(path, meaning)
    return SourceInfo(len(rows), rows.shape[1:], True, "")


def load_source(path: Path, meaning: Meaning, fit: Fit | None = None, invert: bool = False) -> np.ndarray:
    """The samples in a file: (N, *shape), N ≥ 1, in the range of the data; for a latent model also pictures.

    Arrays are taken as they are, uint8 arrays as pictures; everything else as the modality reads it.
    fit: what to do with a file of another size; invert: exchange black and white.

    Raises:
        BadInput: no such file, an unknown kind of file, or another shape.  BadFile: it can't be read.
    """
    pictures = _pictures(meaning)
    if pictures is not None:
        if path.suffix.lower() not in (*ARRAYS, ".trace"):
            return _load(path, pictures, fit, invert)
        try:
            return _load(path, meaning, fit, invert)
        except BadInput:  # no latents
            return _load(path, pictures, fit, invert)
    return _load(path, meaning, fit, invert)


def _pictures(meaning: Meaning) -> Meaning | None:
    """What a latent model encodes; None of others."""
    decoded = meaning.card.get("decoded")
    return Meaning("image", tuple(decoded)) if decoded else None


def _load(path: Path, meaning: Meaning, fit: Fit | None, invert: bool) -> np.ndarray:
    kind, shape = meaning.kind, meaning.shape
    suffix = path.suffix.lower()
    if not path.is_file() and not (path.is_dir() and FOLDER in kind.suffixes):
        raise BadInput(f"there is no file {path}")
    if suffix == ".trace":
        rows = _from_trace(path)
    elif suffix in ARRAYS:
        rows = _from_array(path, shape)
    elif (FOLDER if path.is_dir() else suffix) in kind.suffixes:
        rows = kind.read(path, meaning, fit)
    else:
        kinds = ", ".join(name for name in (*kind.suffixes, *ARRAYS) if name != FOLDER)
        raise BadInput(f"{path}: '{suffix}' can't be read as {kind.name}, expected one of {kinds}, .trace")
    if rows.ndim != len(shape) + 1 or rows.shape[1:] != tuple(shape) or len(rows) == 0:
        raise BadInput(f"{path} holds an array of shape {rows.shape}, the model needs (N, {str(tuple(shape))[1:]}")
    if not np.isfinite(rows).all():
        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
    return -rows if invert else rows


def _from_trace(path: Path) -> np.ndarray:
    with open_checked(path) as trace:
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
