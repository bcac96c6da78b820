"""What a file of torch.save says of itself, read without unpickling it, without torch and without its weights.

A pickle is a program. Here its instructions are read one by one, and those few that torch.save writes for tensors,
numbers, texts and tables of them put descriptions on a stack: no function is called, no module imported. Anything else
ends the reading with the name of what was found.

A stranger's file is read by a process of its own, which `described` asks; here is what that process does. It knows the
standard library alone, so that it starts at once.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from diffstudio.archives import check_directory
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.pickle_machine import Described, Reading, Storage, whole
from diffstudio.checkpoints.tensors import ITEM_BYTES, MAX_NUMBERS, MAX_TENSORS
from diffstudio.errors import BadFile, NotFound

MAX_PICKLE = 8 << 20
MAX_MEMBERS = 40_000
MAX_DEPTH = 8
MAX_VALUES = 200_000
MAX_NAME = 1000  # characters of a dotted name
MAX_TEXT = 1 << 16  # characters of a text; longer ones are left out
MAX_TOLD = 8 << 20  # characters of all names and texts
MAGIC = 0x1950A86A20F9469CFC6C  # of torch.save before its zip files
LEGACY_VERSION = 1001


@dataclass(frozen=True)
class StoredTensor:
    """A dense tensor; dtype as safetensors names it. storage, offset: where its numbers lie, by the file's own key."""

    dtype: str
    shape: tuple[int, ...]
    storage: str = ""
    offset: int = 0


@dataclass(frozen=True)
class Pickled:
    """A file of torch.save: its tensors and its numbers and texts by dotted names ("ema.conv.weight")."""

    path: Path
    tensors: dict[str, StoredTensor]
    values: dict[str, int | float | str | bool]
    size: int

    def within(self, prefix: str) -> dict[str, StoredTensor]:
        """The tensors whose names begin with the prefix, by the rest of the name."""
        cut = len(prefix)
        return {name[cut:]: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """The numbers of a short list in float32, such as a table of betas; None where there is none of that kind.

        Raises:
            BadFile: the file has changed since it was looked at.
        """
        tensor = self.tensors.get(name)
        if tensor is None or len(tensor.shape) != 1 or tensor.dtype != "F32" or tensor.shape[0] > MAX_NUMBERS:
            return None
        start, length = 4 * tensor.offset, 4 * tensor.shape[0]
        try:
            with zipfile.ZipFile(self.path) as archive:
                (member,) = (m for m in archive.namelist() if m.endswith(f"/data/{tensor.storage}"))
                with archive.open(member) as stream:
                    stream.seek(start)
                    data = stream.read(length)
            return struct.unpack(f"<{tensor.shape[0]}f", data)
        except (OSError, ValueError, struct.error, zipfile.BadZipFile, NotImplementedError) as error:
            raise BadFile(
                f"{shown(self.path, 400)}: the table '{shown(name)}' can't be read: {shown(error)}"
            ) from error


def read_pickled(path: Path) -> Pickled:
    """The tensors and plain values of a file that torch.save has written.

    Raises:
        NotFound: no such file.
        BadFile: not such a file, sizes that do not fit the file, or anything in it that is no dense tensor, number,
            text or table of them; the sentence names it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadFile(f"can't read {shown(path, 400)}: it is not a file")
        with path.open("rb") as stream:
            return read_stream(path, stream)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {shown(path, 400)}") from error
    except OSError as error:
        raise BadFile(f"can't read {shown(path, 400)}: {error.strerror}") from error


def read_stream(path: Path, stream: BinaryIO) -> Pickled:
    """As `read_pickled`, of a file that is open already; `path` is named in errors. Raises: BadFile."""
    where = shown(path, 400)
    size = os.fstat(stream.fileno()).st_size
    zipped = stream.read(4) == b"PK\x03\x04"
    try:
        found, stored = _of_zip(where, stream, size) if zipped else _of_legacy(where, stream, size)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise BadFile(f"{where} is a damaged zip archive: {shown(error, 200)}; copy the file again") from error
    tensors: dict[str, StoredTensor] = {}
    values: dict[str, int | float | str | bool] = {}
    told = 0
    # A table may be met again and again by reference: what is counted is what is met.
    for count, (name, value) in enumerate(_leaves(where, found)):
        told += len(name)
        if isinstance(value, Described):
            tensors[name] = _checked(where, name, value, stored)
        elif isinstance(value, str) and len(value) <= MAX_TEXT:
            values[name] = value
            told += len(value)
        elif isinstance(value, float | bool) or (isinstance(value, int) and abs(value) < 2**63):
            values[name] = value
        if told > MAX_TOLD:
            raise BadFile(f"{where}: its names and texts have more than {MAX_TOLD:,} characters; it was not opened")
        if len(tensors) > MAX_TENSORS or count > MAX_VALUES:
            raise BadFile(f"{where}: more than {MAX_TENSORS:,} tensors or {MAX_VALUES:,} values; it was not opened")
    total = sum(math.prod(t.shape) * ITEM_BYTES[t.dtype] for t in tensors.values())
    if total > 4 * size + (64 << 20):
        raise BadFile(f"{where} declares {total:,} bytes of tensors in a file of {size:,}: not opened")
    return Pickled(path, tensors, values, size)


def _of_zip(where: str, stream: BinaryIO, size: int) -> tuple[Any, dict[str, int]]:
    """What the archive's pickle describes, and the bytes of each storage by its key."""
    members = _members(where, stream, size)
    pickles = [name for name in members if name.endswith("/data.pkl")]
    if any("/code/" in name or name.endswith("/constants.pkl") for name in members):
        raise BadFile(f"{where} is a TorchScript program, not weights alone; it was not opened")
    if len(pickles) != 1 or pickles[0].count("/") != 1:
        raise BadFile(f"{where} is a zip archive, but not one of torch.save; it was not opened")
    root = pickles[0].removesuffix("data.pkl")
    pickle = members[pickles[0]]
    if pickle.file_size > MAX_PICKLE:
        raise BadFile(f"{where}: its pickle has {pickle.file_size:,} bytes, expected at most {MAX_PICKLE:,}")
    with zipfile.ZipFile(stream) as archive:
        data = archive.read(pickle)
        order = f"{root}byteorder"
        if order in members and (members[order].file_size > 16 or archive.read(members[order]) != b"little"):
            raise BadFile(f"{where} was written on a big-endian machine, which is not supported")
    stored = {name.removeprefix(f"{root}data/"): m.file_size for name, m in members.items() if "/data/" in name}
    return Reading(where).run(io.BytesIO(data)), stored


def _members(where: str, stream: BinaryIO, size: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's directory, after a look at whether it can be true."""
    check_directory(where, stream, size, MAX_MEMBERS)
    with zipfile.ZipFile(stream) as archive:
        infos = archive.infolist()
    members: dict[str, zipfile.ZipInfo] = {}
    at = 0
    for info in sorted(infos, key=lambda i: i.header_offset):
        name = info.filename
        if name in members:
            raise BadFile(f"{where}: '{shown(name)}' is in the archive twice; it was not opened")
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or not name.isprintable():
            raise BadFile(f"{where}: '{shown(name)}' is no name that torch.save writes; it was not opened")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            raise BadFile(f"{where}: '{shown(name)}' is compressed or encrypted, torch.save does neither")
        if info.header_offset < at or info.header_offset + 30 + info.file_size > size:
            raise BadFile(
                f"{where}: '{shown(name)}' claims {info.file_size:,} bytes in an archive of {size:,}: not opened"
            )
        at = info.header_offset + 30 + info.file_size
        members[name] = info
    return members


def _of_legacy(where: str, stream: BinaryIO, size: int) -> tuple[Any, dict[str, int]]:
    """torch.save before 1.6: pickles of a magic number, a version, the system, the object and the keys; then bytes."""
    stream.seek(0)
    head = io.BytesIO(stream.read(MAX_PICKLE))
    reading = Reading(where)
    if reading.run(head) != MAGIC:
        raise BadFile(f"{where} is a pickle, but not one of torch.save; it was not opened")
    version, system = reading.run(head), reading.run(head)
    if version != LEGACY_VERSION or not isinstance(system, dict) or system.get("little_endian") is not True:
        raise BadFile(f"{where} was saved by a torch of another kind (version {shown(version, 20)}): not opened")
    found = reading.run(head)
    keys = reading.run(head)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise BadFile(f"{where}: the list of its storages is damaged")
    stored, at = {}, head.tell()
    for key in keys:
        storage = reading.storages.get(key)
        if storage is None:
            raise BadFile(f"{where}: storage '{shown(key)}' belongs to no tensor; the file is damaged")
        stored[key] = storage.numel * ITEM_BYTES[storage.dtype]
        at += 8 + stored[key]
    if at > size:
        raise BadFile(f"{where} is truncated: {at:,} bytes expected, {size:,} found; copy the file again")
    return found, stored


def _leaves(where: str, found: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The tensors and values in tables and lists of tables, with their dotted names."""
    if depth > MAX_DEPTH:
        raise BadFile(f"{where}: '{shown(name)}' is nested more than {MAX_DEPTH} deep; it was not opened")
    if isinstance(found, dict | list | tuple) and found:
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        if len(name) > MAX_NAME:
            raise BadFile(f"{where}: '{shown(name)}…' is a name of {len(name):,} characters; it was not opened")
        for key, value in pairs:
            yield from _leaves(where, value, f"{name}.{key}" if name else str(key), depth + 1)
    else:
        yield name, found


def _checked(where: str, name: str, tensor: Described, stored: dict[str, int]) -> StoredTensor:
    """The tensor, if it is dense and lies within its storage, each number once."""
    storage, shape, stride = tensor.storage, tensor.shape, tensor.stride
    problem = ""
    if tensor.problem or storage is None:
        problem = f"is {tensor.problem}: only dense tensors are read; it was not opened"
    elif not _plain(shape, stride, tensor.offset):
        problem = f"has shape {shown(shape, 40)}, expected up to 8 whole numbers"
    else:
        problem = _misplaced(tensor, storage, stored)
    if problem or storage is None:
        raise BadFile(f"{where}: tensor '{shown(name)}' {problem}")
    return StoredTensor(storage.dtype, shape, storage.key, tensor.offset)


def _plain(shape: Any, stride: Any, offset: Any) -> bool:
    """Whether they are up to 8 whole numbers each, as many as those of the other."""
    sides = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride) <= 8
    return sides and all(whole(n) for n in (*shape, *stride, offset))


def _misplaced(tensor: Described, storage: Storage, stored: dict[str, int]) -> str:
    """What is wrong with where the numbers lie, "" where each lies within the storage and once."""
    shape, stride = tensor.shape, tensor.stride
    nbytes = storage.numel * ITEM_BYTES[storage.dtype]
    if stored.get(storage.key) != nbytes:
        return f"needs {nbytes:,} bytes, the file has {stored.get(storage.key, 0):,} for it: not opened"
    count = math.prod(shape)
    reach = tensor.offset + 1 + sum((n - 1) * step for n, step in zip(shape, stride, strict=True)) if count else 0
    if reach > storage.numel:
        return "reaches beyond its storage; the file is damaged"
    spread = sorted((step, n) for n, step in zip(shape, stride, strict=True) if n > 1)
    least = 1
    for step, n in spread:
        if count and step < least:
            return "is a view that uses its numbers more than once: only plain tensors are read"
        least = step * n
    return ""
