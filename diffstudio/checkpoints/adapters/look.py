"""A look at a file or folder: enough to say what it is, bounded, without torch. Content decides, never the suffix."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from diffstudio.checkpoints.described import describe, numbers
from diffstudio.checkpoints.header import Header, TensorInfo, read_header
from diffstudio.checkpoints.other_files import no_table
from diffstudio.checkpoints.pickled import Pickled, StoredTensor
from diffstudio.errors import BadFile, NotFound
from diffstudio.strangers import bounded_json, shown

MAX_JSON = 1 << 20
BYTES_A_PART = 8  # of a table that may be as long as its limit; see `bounded_json`
START = 1 << 16  # bytes from which a format is recognised
Stored = StoredTensor | TensorInfo  # a tensor as its file describes it, of either kind


class Ends:
    """The names of a file's tensors by how they end, so that one is found at once whatever stands before it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_end: dict[str, list[str]] = {}
        for name in names:
            *_, last = words = name.rsplit(".", 2)
            self._by_end.setdefault(".".join(words[-2:]), []).append(name)
            if len(words) > 1 and last not in ("weight", "bias"):
                self._by_end.setdefault(last, []).append(name)

    def of(self, end: str) -> list[str]:
        """The names that are `end`, or end so after a dot, in their order; "*" at its start: after anything."""
        anywhere, end = end[:1] == "*", end.removeprefix("*")
        found = self._by_end.get(".".join(end.rsplit(".", 2)[-2:]), ())
        return [name for name in found if name == end or name.endswith(end if anywhere else f".{end}")]


class Look:
    """What lies at a path; each part is read when it is first asked for, and then kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sets: dict[tuple[str, ...], Any] = {}  # what `weight_sets` has found, by the signs

    @functools.cached_property
    def start(self) -> bytes | None:
        """The first bytes of a file, None for a folder. Raises: NotFound, BadFile, where nothing can be read."""
        where = shown(self.path, 400)
        try:
            mode = self.path.stat().st_mode
            if stat.S_ISDIR(mode):
                return None
            if not stat.S_ISREG(mode):  # a pipe would wait for ever
                raise BadFile(f"can't read {where}: it is not a file")
            with self.path.open("rb") as stream:
                return stream.read(START)
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {where}") from error
        except (OSError, ValueError) as error:
            raise BadFile(f"can't read {where}: {getattr(error, 'strerror', None) or error}") from error

    @functools.cached_property
    def kind(self) -> Literal["folder", "safetensors", "torch", "other"]:
        """By the first bytes. Raises: as `start`."""
        start = self.start
        if start is None:
            return "folder"
        if start[8:9] == b"{" and start[:4] != b"PK\x03\x04":
            return "safetensors"
        # Before its zip files torch.save wrote a pickle of its magic number first.
        legacy = start[:1] == b"\x80" and b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" in start[:32]
        return "torch" if start[:4] == b"PK\x03\x04" or legacy else "other"

    @functools.cached_property
    def header(self) -> Header:
        """Of a .safetensors file. Raises: as `read_header`."""
        return read_header(self.path)

    @functools.cached_property
    def pickled(self) -> Pickled:
        """Of a file of torch.save.

        Raises:
            NotFound, BadFile: as `describe`; of what is another thing than weights the sentence says which.
        """
        try:
            return describe(self.path)
        except BadFile as error:
            what = no_table(self.path)
            if not what:
                raise
            raise BadFile(f"{shown(self.path, 400)} {what}") from error

    @property
    def tensors(self) -> Mapping[str, Stored]:
        """Of a file of weights, of either kind, what it says of them by name. Raises: as `header` and `pickled`."""
        return self.pickled.tensors if self.kind == "torch" else self.header.tensors

    @functools.cached_property
    def ends(self) -> Ends:
        """The names of the tensors by how they end. Raises: as `tensors`."""
        return Ends(self.tensors)

    @property
    def metadata(self) -> Mapping[str, str]:
        """What a .safetensors file says beside its tensors; {} for others. Raises: as `header`."""
        return self.header.metadata if self.kind == "safetensors" else {}

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """The numbers of a short list in float32, such as a table of betas; None where there is none of that kind.

        Raises:
            NotFound, BadFile: as `header` and `pickled`, and for a file that has changed meanwhile.
        """
        if self.kind != "torch":
            return self.header.numbers(name)
        return numbers(self.path, name) if name in self.pickled.tensors else None

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """The files and folders in a folder, {} for a file."""
        if self.kind != "folder":
            return frozenset()
        try:
            return frozenset(entry.name for _, entry in zip(range(10_000), os.scandir(self.path), strict=False))
        except OSError as error:
            raise BadFile(f"can't read {shown(self.path, 400)}: {error.strerror}") from error


def inside(folder: Path, name: str) -> Path:
    """The file of that name in the folder.

    Raises:
        BadFile: a name or a link that leads out of the folder, or no readable file. A link of the Hugging Face cache
            leads to its store of files, which belongs to the same model.
    """
    where = shown(folder, 400)
    parts = PurePosixPath(name).parts
    bad = not parts or ".." in parts or PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).drive)
    if bad or "\\" in name or not name.isprintable():
        raise BadFile(f"{where}: '{shown(name)}' leads out of the folder; it was not opened")
    path = folder.joinpath(*parts)
    try:
        real, home = path.resolve(strict=True), _home(folder)
        regular = stat.S_ISREG(real.stat().st_mode)
    except FileNotFoundError as error:
        raise BadFile(f"{where}: the file '{shown(name)}' is missing; copy the folder again") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise BadFile(f"{where}: can't read '{shown(name)}': {getattr(error, 'strerror', None) or error}") from error
    if not real.is_relative_to(home):
        raise BadFile(f"{where}: '{shown(name)}' is a link that leaves the folder; it was not opened")
    if not regular:
        raise BadFile(f"{where}: '{shown(name)}' is not a file")
    return path


def _home(folder: Path) -> Path:
    """What a link in a folder may lead to: the folder, or in the Hugging Face cache the files of that repository."""
    real = folder.resolve(strict=True)
    for at in (real, *real.parents[:3]):
        if at.parent.name == "snapshots" and at.parent.parent.name.startswith("models--"):
            return at.parent.parent
    return real


def read_json(folder: Path, name: str, limit: int = MAX_JSON) -> dict[str, Any]:
    """A table in a JSON file of the folder; limit: the most bytes that it may have.

    Raises:
        BadFile: a file that leads out of the folder, is too large, or is no table.
    """
    path = inside(folder, name)
    where = shown(path, 400)
    try:
        with path.open("rb") as stream:
            raw = stream.read(limit + 1)
    except OSError as error:
        raise BadFile(f"can't read {where}: {error.strerror}") from error
    if len(raw) > limit:
        raise BadFile(f"{where} has more than {limit:,} bytes, too many for its kind; it was not opened")
    try:
        found = bounded_json(raw, limit // BYTES_A_PART)
    except ValueError as error:
        raise BadFile(f"{where} is not valid JSON: {shown(error)}") from error
    if not isinstance(found, dict):
        raise BadFile(f"{where} is not a table")
    return found
