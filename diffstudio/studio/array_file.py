"""Arrays of the user's own, .npy and .npz: which is meant, how its axes lie, which numbers are black and white."""

from __future__ import annotations

import contextlib
import io
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np

from diffstudio.archives import check_directory
from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.spans import SIGNED, normal, recognised, remark
from diffstudio.strangers import shown
from diffstudio.user_files import open_regular

ARRAYS = (".npy", ".npz")
MAX_BYTES = 1 << 30  # of a file, and of an array in it
MAX_VALUES = 50_000_000  # that are taken of it: some more than MNIST's 60,000 pictures have
MAX_MEMBERS = 1000  # of an archive
MAX_ARRAYS = 200  # of an .npz that are looked at
PIECE = 8 << 20  # bytes at a time
MAX_HEADER = 10_000  # bytes
_HEADERS = {(1, 0): (2, np.lib.format.read_array_header_1_0), (2, 0): (4, np.lib.format.read_array_header_2_0)}
# What zipfile and numpy raise for damaged files.
_DAMAGED = (OSError, ValueError, EOFError, LookupError, RuntimeError, TypeError, ArithmeticError, SyntaxError,
            zipfile.BadZipFile, zlib.error, tokenize.TokenError)  # fmt: skip


Wanted = Literal["all", "first", "last"]  # of an array's rows


class _Found(NamedTuple):
    """values: of the file.  ours: a state of a chain of our own.  names: of all arrays."""

    values: np.ndarray
    remarks: tuple[str, ...] = ()
    ours: bool = False
    names: tuple[str, ...] = ()
    name: str = ""


def read_array(path: Path, meaning: Meaning, taking: Taking, latent: bool = False) -> tuple[Taken, bool]:
    """(N, *shape) float32 from an array, and whether it is a state of a chain of our own.

    latent: it holds states of an autoencoder, whose numbers have no range.

    Raises:
        BadInput: no numbers, another shape, or no such array.  BadFile: it can't be read.
    """
    with open_regular(path, MAX_BYTES) as stream, _described(path):
        size = os.fstat(stream.fileno()).st_size
        if zipfile.is_zipfile(stream):
            check_directory(str(path), stream, size, MAX_MEMBERS)
            with zipfile.ZipFile(stream) as file:
                found = _from_zip(file, path, meaning.shape, taking.part)
        else:
            if taking.part is not None:
                raise BadInput(f"{path.name} is one array alone, found '{taking.part:.40}': leave the part out")
            stream.seek(0)
            found = _Found(_read(stream, path, size))
    rows = _arranged(found.values, meaning.shape)
    if rows is None:
        raise BadInput(
            f"{path} holds an array of shape {found.values.shape}, the model needs (N, {str(tuple(meaning.shape))[1:]}"
        )
    span, said = None, ()
    if meaning.kind.ranged and not latent and not (found.ours and taking.span is None):
        span = taking.span or recognised(found.values)
        word = remark(found.values, span)
        rows, said = normal(rows, span), (word,) if word else ()
    info = SourceInfo(
        len(rows),
        tuple(meaning.shape),
        remarks=(*found.remarks, *said),
        parts=found.names if len(found.names) > 1 else (),
        part=found.name if len(found.names) > 1 else "",
        part_name="array" if found.names else "",
        span=span or (SIGNED if found.ours and meaning.kind.ranged and not latent else None),
    )
    with np.errstate(over="ignore"):  # what is too large is not finite then, which is said of it
        return Taken(info, np.ascontiguousarray(rows.astype(np.float32, copy=False))), found.ours


def _from_zip(file: zipfile.ZipFile, path: Path, shape: Sequence[int], part: str | None) -> _Found:
    """Of our own exports the end of the chain that makes samples, else the data that are noised; of others the first
    array that fits."""
    names = tuple(name.removesuffix(".npy") for name in file.namelist()[:MAX_ARRAYS])
    members = dict(zip(names, file.infolist(), strict=False))
    if part is not None and part not in names:
        some = ", ".join(shown(name, 40) for name in names[:20])
        raise BadInput(f"{path.name} holds no array '{part:.40}': choose one of {some}")
    ours = {"xt", "t"} <= set(names) or {"forward_xt", "forward_t"} <= set(names)
    if ours and part in (None, "xt", "forward_xt"):
        name = part or ("xt" if "xt" in names else "forward_xt")
        if name == "xt":
            return _Found(_member(file, members[name], path, "last"), (), True, names, name)
        said = ("the data at the beginning of its forward chain are taken",)
        return _Found(_member(file, members[name], path, "first"), said, True, names, name)
    name = part or next((name for name in names if _fits(file, members[name], shape)), names[0])
    several = part is None and len(names) > 1
    said = (f"of its {len(names)} arrays '{shown(name, 40)}' is taken (--part chooses others)",) if several else ()
    return _Found(_member(file, members[name], path, "all"), said, False, names, name)


def _fits(file: zipfile.ZipFile, member: zipfile.ZipInfo, shape: Sequence[int]) -> bool:
    check_cancelled()
    with file.open(member) as stream:
        try:
            found, _, dtype = _header(stream)
        except _DAMAGED:
            return False
    return dtype.kind in "fiub" and _order(found, shape) is not None


def _member(file: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, wanted: Wanted) -> np.ndarray:
    with file.open(member) as stream:
        return _read(stream, path, member.file_size, wanted)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """The shape, whether the first axis runs fastest, and the kind of the numbers."""
    version = np.lib.format.read_magic(stream)
    bytes_of_length, read = _HEADERS[version]
    told = stream.read(bytes_of_length)
    length = int.from_bytes(told, "little")
    if length > MAX_HEADER:  # numpy reads it before it asks
        raise ValueError("a header of that length")
    return read(io.BytesIO(told + stream.read(length)))


def _read(stream: IO[bytes], path: Path, size: int, which: Wanted = "all") -> np.ndarray:
    """An array, or one of its rows, whose size is judged before there is memory for it: a few bytes can promise
    terabytes.

    size: bytes of the stream.
    """
    shape, fortran, dtype = _header(stream)
    if dtype.hasobject:
        raise ValueError("pickled objects")
    begin, whole = stream.tell(), math.prod(shape) * dtype.itemsize
    if whole > MAX_BYTES:
        raise BadInput(f"{path} holds an array of {whole:,} bytes, expected at most {MAX_BYTES:,}")
    if begin + whole > size:
        raise ValueError("it ends early")
    if dtype.kind not in "fiub":
        raise BadInput(f"{path} holds values of type {str(dtype)[:60]}, expected numbers")
    row = {"all": None, "first": 0, "last": -1}[which]
    if row is not None and (not shape or not shape[0]):
        raise ValueError("it has no rows")
    alone = row is not None and not fortran  # the row lies by itself
    wanted = shape[1:] if alone else shape
    if math.prod(wanted) > MAX_VALUES:
        raise BadInput(f"{path} holds an array of {math.prod(wanted):,} values, expected at most {MAX_VALUES:,}")
    data = np.empty(math.prod(wanted) * dtype.itemsize, np.uint8)
    _skip(stream, whole - len(data) if which == "last" else 0)
    _fill(stream, data)
    found = data.view(dtype).reshape(wanted, order="F" if fortran else "C")
    return found if alone or row is None else found[row]


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


@contextlib.contextmanager
def _described(path: Path) -> Iterator[None]:
    """What numpy and zipfile find wrong, in a sentence."""
    try:
        yield
    except _DAMAGED as error:
        raise BadFile(f"{path} is not an array file that can be read (pickled objects are refused)") from error


def _arranged(values: np.ndarray, shape: Sequence[int]) -> np.ndarray | None:
    """(N, *shape) of an array that has one or more samples; None of one that has another shape."""
    order = _order(values.shape, shape)
    if order is None or values.size == 0:
        return None
    moved = values.reshape(-1, *order.shape)
    return np.moveaxis(moved, order.channels, order.place).reshape(-1, *shape)


class _Order(NamedTuple):
    """shape: of one sample as it is stored.  channels, place: where its channels are, and where they belong."""

    shape: tuple[int, ...]
    channels: int = 1
    place: int = 1


def _order(found: Sequence[int], shape: Sequence[int]) -> _Order | None:
    """How the axes of an array lie: as the model's, without the axis of a single channel, or with the channels last."""
    found, shape = tuple(found), tuple(shape)
    ways = [_Order(shape)]
    if len(shape) >= 3:
        at = len(shape) - 3  # of the channels, before height and width
        rest = shape[:at] + shape[at + 1 :]
        if shape[at] == 1:
            ways.append(_Order(rest))
        ways.append(_Order((*rest, shape[at]), -1, at + 1))
    for way in ways:
        own = way.shape
        if found == own or (len(found) == len(own) + 1 and found[1:] == own):
            return way
    return None
