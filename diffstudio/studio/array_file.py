"""Arrays of the user's own, .npy and .npz: which is meant, how its axes lie, which numbers are black and white."""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.spans import SIGNED, normal, recognised, remark

ARRAYS = (".npy", ".npz")
MAX_BYTES = 1 << 30
MAX_ARRAYS = 200  # of an .npz that are looked at


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
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
    with _described(path):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                found = _from_zip(file, path, meaning.shape, taking.part)
        else:
            if taking.part is not None:
                raise BadInput(f"{path.name} is one array alone, found '{taking.part:.40}': leave the part out")
            with path.open("rb") as stream:
                found = _Found(_checked(stream, path))
    if found.values.dtype.kind not in "fiub":
        raise BadInput(f"{path} holds values of type {found.values.dtype}, expected numbers")
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
    return Taken(info, np.ascontiguousarray(rows.astype(np.float32))), found.ours


def _from_zip(file: zipfile.ZipFile, path: Path, shape: Sequence[int], part: str | None) -> _Found:
    """Of our own exports the end of the chain that makes samples, else the data that are noised; of others the first
    array that fits."""
    names = tuple(name.removesuffix(".npy") for name in file.namelist()[:MAX_ARRAYS])
    members = dict(zip(names, file.namelist(), strict=False))
    if part is not None and part not in names:
        some = ", ".join(names[:20])
        raise BadInput(f"{path.name} holds no array '{part:.40}': choose one of {some}")
    ours = {"xt", "t"} <= set(names) or {"forward_xt", "forward_t"} <= set(names)
    if ours and part in (None, "xt", "forward_xt"):
        name = part or ("xt" if "xt" in names else "forward_xt")
        with file.open(members[name]) as stream:
            states = _checked(stream, path)
        if name == "xt":
            return _Found(states[-1], (), True, names, name)
        return _Found(states[0], ("the data at the beginning of its forward chain are taken",), True, names, name)
    name = part or next((name for name in names if _fits(file, members[name], path, shape)), names[0])
    with file.open(members[name]) as stream:
        values = _checked(stream, path)
    several = part is None and len(names) > 1
    said = (f"of its {len(names)} arrays '{name}' is taken (--part chooses others)",) if several else ()
    return _Found(values, said, False, names, name)


def _fits(file: zipfile.ZipFile, member: str, path: Path, shape: Sequence[int]) -> bool:
    with file.open(member) as stream:
        try:
            found, _, dtype = _header(stream)
        except (ValueError, EOFError):
            return False
    return dtype.kind in "fiub" and _order(found, shape) is not None


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    return readers[version](stream)


def _checked(stream: IO[bytes], path: Path) -> np.ndarray:
    """An array whose size is judged before there is memory for it: a few bytes can promise terabytes."""
    shape, _, dtype = _header(stream)
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise BadInput(f"{path} holds an array of {size:,} bytes, expected at most {MAX_BYTES:,}")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


@contextlib.contextmanager
def _described(path: Path) -> Iterator[None]:
    """What numpy and zipfile find wrong, in a sentence."""
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
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
