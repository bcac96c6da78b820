"""Data of the user's own as x_0: an array, the last state of a trace, or what a modality reads.

For a latent model they are pictures of the size that it makes, which it encodes, or arrays and traces of its latents.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from diffstudio.archives import check_directory
from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Fit, Meaning, SourceInfo
from diffstudio.traces.checked import open_checked
from diffstudio.user_files import exists, is_folder, open_regular

# What zipfile and numpy raise for damaged files.
_DAMAGED = (OSError, ValueError, EOFError, LookupError, RuntimeError, zipfile.BadZipFile, zlib.error)

ARRAYS = (".npy", ".npz")
FOLDER = "/"  # among a modality's suffixes: a folder of files can be one sample
MAX_BYTES = 1 << 30  # of a file
MAX_VALUES = 1 << 25  # that are taken of it
MAX_MEMBERS = 1000  # of an archive of arrays
PIECE = 8 << 20  # bytes at a time
REMEMBERED = 32  # files that were looked at


def inspect_source(path: Path, meaning: Meaning) -> SourceInfo:
    """Look at a file before a run, to offer what it needs; what is known of one that has not changed is remembered.

    Raises:
        BadInput, BadFile: it can't be used at all.
    """
    key = _key(path, meaning)
    info = _known.get(key) if key else None
    if info is None:
        info = _inspect(path, meaning)
        if key:
            _known[key] = info
            while len(_known) > REMEMBERED:
                del _known[next(iter(_known))]
    return info


def is_known(path: Path, meaning: Meaning) -> bool:
    """Whether `inspect_source` remembers the file, or sees at once that it is none; else it may take some seconds."""
    key = _key(path, meaning)
    return key is None or key in _known


_known: dict[tuple[object, ...], SourceInfo] = {}


def _key(path: Path, meaning: Meaning) -> tuple[object, ...] | None:
    """What decides what is found in a file; None where there is none."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    told = json.dumps([meaning.card.get(name) for name in ("audio", "text", "decoded")], default=str)
    return path, stat.st_mtime_ns, stat.st_size, meaning.modality, meaning.shape, told


def _inspect(path: Path, meaning: Meaning) -> SourceInfo:
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
    folder = is_folder(path)
    if not exists(path) or (folder and FOLDER not in kind.suffixes):
        raise BadInput(f"there is no file {path}")
    if suffix == ".trace":
        rows = _from_trace(path)
    elif suffix in ARRAYS:
        rows = _from_array(path, shape)
    elif (FOLDER if folder else suffix) in kind.suffixes:
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
    with open_regular(path, MAX_BYTES) as stream:
        try:
            size = os.fstat(stream.fileno()).st_size
            if zipfile.is_zipfile(stream):
                check_directory(str(path), stream, size, MAX_MEMBERS)
                with zipfile.ZipFile(stream) as file:
                    found = _from_zip(file, path)
            else:
                stream.seek(0)
                found = _read_array(stream, path, size)
        except _DAMAGED as error:
            raise BadFile(f"{path} is not an array file that can be read (pickled objects are refused)") from error
    values = found.astype(np.float32)
    if found.dtype == np.uint8:
        values = values / 127.5 - 1
    if values.shape[-len(shape) :] != tuple(shape) and shape[0] == 1 and values.shape[-2:] == tuple(shape[1:]):
        values = values.reshape(-1, *shape)  # (N, 28, 28) or (28, 28) for (1, 28, 28)
    return values[None] if values.shape == tuple(shape) else values


def _from_zip(file: zipfile.ZipFile, path: Path) -> np.ndarray:
    """The last state of our own exports, of others the first array."""
    ours = "xt.npy" in file.namelist()
    member = file.getinfo("xt.npy" if ours else file.namelist()[0])
    with file.open(member) as stream:
        return _read_array(stream, path, member.file_size, last=ours)


def _read_array(stream: IO[bytes], path: Path, size: int, last: bool = False) -> np.ndarray:
    """An array whose size is judged before there is memory for it: a few bytes can promise terabytes.

    size: bytes of the stream.  last: only the last of its rows.
    """
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, fortran, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("pickled objects")
    begin, whole = stream.tell(), math.prod(shape) * dtype.itemsize
    if whole > MAX_BYTES:
        raise BadInput(f"{path} holds an array of {whole:,} bytes, expected at most {MAX_BYTES:,}")
    if begin + whole > size:
        raise ValueError("it ends early")
    if dtype.kind not in "fiub":
        raise BadInput(f"{path} holds values of type {str(dtype)[:60]}, expected numbers")
    alone = last and not fortran and shape  # the last row lies by itself
    wanted = shape[1:] if alone else shape
    if math.prod(wanted) > MAX_VALUES:
        raise BadInput(f"{path} holds an array of {math.prod(wanted):,} values, expected at most {MAX_VALUES:,}")
    data = np.empty(math.prod(wanted) * dtype.itemsize, np.uint8)
    _skip(stream, whole - len(data))
    _fill(stream, data)
    found = data.view(dtype).reshape(wanted, order="F" if fortran else "C")
    return found[-1] if last and not alone else found


def _skip(stream: IO[bytes], count: int) -> None:
    """Go on by so many bytes; what is packed is unpacked in pieces."""
    nowhere = np.empty(min(max(0, count), PIECE), np.uint8)
    for done in range(0, count, PIECE):
        _fill(stream, nowhere[: count - done])


def _fill(stream: IO[bytes], data: np.ndarray) -> None:
    """Read into bytes. Raises: EOFError: there are fewer.  Cancelled."""
    left = data.data
    while left:
        check_cancelled()
        count = stream.readinto(left[:PIECE])  # pyright: ignore[reportAttributeAccessIssue] - both kinds of stream can
        if not count:
            raise EOFError
        left = left[count:]
