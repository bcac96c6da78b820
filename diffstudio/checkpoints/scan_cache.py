"""What earlier scans have read, kept on disk: a checkpoint that has not changed is not read again by a new process.

One JSON table a line, the newest first; the first line says which program wrote it. The file is a cache: whatever is
wrong with it, it is written anew.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import diffstudio
from diffstudio.errors import DiffStudioError
from diffstudio.files import write_bytes

log = logging.getLogger("diffstudio")
MAX_ENTRIES = 20_000
MAX_BYTES = 64 << 20
# What a card comes from: when one of these changes, cards are read again.
_SOURCES = ("specs.py", "checkpoints/*.py", "checkpoints/adapters/*.py", "options/*.py", "modalities/*.py")


class Kept(BaseModel):
    """What is known of one file or folder, as long as it has that time and that size.

    card: its JSON, "" where there is none.  passed: it is no checkpoint, and not listed.  picture: made from its first
    run, a PNG in base64.  sha256: of its weights, as long as these are those of the stamp `weights`, see `hashing`.
    """

    model_config = ConfigDict(extra="forbid")
    path: Annotated[str, Field(min_length=1, max_length=8192)]
    changed: int
    size: int
    card: Annotated[str, Field(max_length=1 << 20)] = ""
    problem: Annotated[str, Field(max_length=8192)] = ""
    passed: bool = False
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    weights: Annotated[str, Field(max_length=64)] = ""
    picture: Annotated[str, Field(max_length=40_000)] = ""

    @property
    def known(self) -> bool:
        """Whether it was read, so that it need not be read again."""
        return bool(self.card or self.problem)


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid")
    wrote: Annotated[str, Field(max_length=200)]


class ScanCache:
    """The file is read when something is first asked for. Methods may be called from two threads."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.dirty = False
        self._kept: dict[str, Kept] | None = None
        self._used: dict[str, None] = {}  # paths in the order in which they were asked for

    def find(self, path: Path, changed: int, size: int) -> Kept | None:
        """What is known of a path with that time and size."""
        kept = self._loaded().get(_key(path))
        if kept is None or (kept.changed, kept.size) != (changed, size):
            return None
        self._use(kept.path)
        return kept

    def put(self, path: Path, changed: int, size: int, **known: str | bool) -> None:
        """Remember more of a path, by the names of `Kept`; what is too long is left out."""
        found = self.find(path, changed, size)
        start = found.model_dump() if found else {"path": _key(path), "changed": changed, "size": size}
        before = self._loaded().get(_key(path))
        if found is None and before is not None and before.weights:  # a card beside them does not change weights
            start |= {"sha256": before.sha256, "weights": before.weights}
        try:
            kept = Kept.model_validate(start | known)
        except ValidationError:
            return
        if kept != found:
            self._loaded()[kept.path] = kept
            self._use(kept.path)
            self.dirty = True

    def has_hash(self, path: Path) -> bool:
        """Whether the weights that lay at a path have been read; ask `hash_of` whether they still lie there."""
        kept = self._loaded().get(_key(path))
        return kept is not None and bool(kept.weights)

    def hash_of(self, path: Path, weights: str) -> str:
        """The sha256 of weights with that stamp, "" where it is not known."""
        kept = self._loaded().get(_key(path))
        if kept is None or not weights or kept.weights != weights:
            return ""
        self._use(kept.path)
        return kept.sha256

    def save(self) -> None:
        """Write it, if something is new; that it can't be written is no more than a line in the log."""
        if not self.dirty:
            return
        self.dirty = False
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(self.file, b"\n".join(self._lines()))
        except (OSError, DiffStudioError) as error:
            log.warning("what was read of the checkpoints is not kept: %s", error)

    def _lines(self) -> Iterator[bytes]:
        """What was used lately first; beyond the bounds the rest is forgotten."""
        head = _Head(wrote=writer()).model_dump_json().encode()
        yield head
        kept, left = self._loaded().copy(), MAX_BYTES - len(head)
        order = dict.fromkeys([*reversed(self._used.copy()), *kept])
        for path in list(order)[:MAX_ENTRIES]:
            if path in kept:
                line = kept[path].model_dump_json(exclude_defaults=True).encode()
                left -= len(line) + 1
                if left < 0:
                    return
                yield line

    def _use(self, path: str) -> None:
        self._used.pop(path, None)
        self._used[path] = None

    def _loaded(self) -> dict[str, Kept]:
        if self._kept is None:
            self._kept = self._read()
        return self._kept

    def _read(self) -> dict[str, Kept]:
        try:
            if self.file.stat().st_size > MAX_BYTES:
                raise ValueError("too large")
            head, *lines = self.file.read_bytes().split(b"\n")
            current = _Head.model_validate_json(head).wrote == writer()
            found = [Kept.model_validate_json(line) for line in lines[:MAX_ENTRIES]]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # pydantic's errors are ValueErrors
            log.info("what was read of the checkpoints is read again: %s can't be used: %s", self.file, error)
            return {}
        if not current:
            # Another version may read another card. A hash and a picture stay what they are.
            found = [kept.model_copy(update={"card": "", "problem": "", "passed": False}) for kept in found]
        return {kept.path: kept for kept in found}


def _key(path: Path) -> str:
    """The same from whichever folder a command is given a path."""
    return str(path) if path.is_absolute() else os.path.abspath(path)  # noqa: PTH100 - links stay what they are


def writer() -> str:
    """The program and its sources that make cards, as they are now."""
    package = Path(diffstudio.__file__).parent
    times = [int(file.stat().st_mtime) for pattern in _SOURCES for file in package.glob(pattern)]
    return f"{diffstudio.__version__} {len(times)} {max(times, default=0)}"


def cache_file() -> Path:
    """Where it lies."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False)) / "checkpoints.jsonl"
