"""The sha256 of a checkpoint's weights, in parts, so that it can be left at any time; kept in the scan's cache.

Of a single file it is that of the file: what `sha256sum FILE` prints. Of a folder it is that of the text which
`sha256sum` prints for its files of weights, named from the folder, in the order of their names' bytes:

    cd FOLDER && find . -type f | sed 's|^./||' | grep -E '(safetensors|bin|pt|pth|ckpt|pkl)$' | LC_ALL=C sort | \
        xargs sha256sum | sha256sum

without hidden files and folders, the steps of a training (`checkpoint-500`) and what a training saves beside its
network (`optimizer.bin`). So it says which weights lie there, whatever the folder is called, and changes with each of
them. Our own checkpoints say their hash in their card: that of the weights in the file, without its header.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from diffstudio.checkpoints.adapters import is_step_folder
from diffstudio.checkpoints.finding import SUFFIXES, stamp
from diffstudio.checkpoints.names import shown
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.checkpoints.training_state import is_state_name
from diffstudio.errors import BadFile

PART = 128 << 20  # bytes that are read at a time
BLOCK = 4 << 20  # large enough that another thread computes meanwhile
MAX_FILES = 1000
MAX_DEPTH = 3
Stop = Callable[[], bool]


class Hashing:
    """done of size bytes are read; digest when all are, "" before; stamp: of the weights as they lie there now."""

    def __init__(self, path: Path, cache: ScanCache | None = None) -> None:
        """path: of a checkpoint.

        Raises:
            BadFile: nothing can be read there.
        """
        self.path, self._cache = path, cache
        try:
            self._listed_at = stamp(path)
            self._files = _files_of(path)
            self._before = [_state(file) for file in self._files]
        except OSError as error:
            raise BadFile(f"can't read {shown(path, 400)}: {error.strerror}") from error
        if not self._files:
            raise BadFile(f"{shown(path, 400)} has no file of weights")
        self.size, self.done = sum(size for size, _ in self._before), 0
        self._digests: list[str] = []
        self._at, self._sha = 0, hashlib.sha256()
        self.stamp = _stamp_of(path, self._files, self._before)
        self.digest = cache.hash_of(path, self.stamp) if cache else ""

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    def read(self, stop: Stop = lambda: False) -> None:
        """Read the next part, less where `stop` says so; the last one gives the digest, and remembers it.

        Raises:
            BadFile: it can't be read, or has changed meanwhile.
        """
        end = self.done + PART
        try:
            while not self.digest and self.done < end and not stop():
                if not self._read_on(end, stop):
                    return
        except OSError as error:
            raise BadFile(f"can't read {shown(self.path, 400)}: {error.strerror}") from error

    def read_all(self, stop: Stop = lambda: False) -> str:
        """The digest, "" where it was stopped. Raises: as `read`."""
        while not self.digest and not stop():
            self.read(stop)
        return self.digest

    def _read_on(self, end: int, stop: Stop) -> bool:
        """Read of the file whose turn it is; whether there is more to be done now."""
        file = self._files[len(self._digests)]
        with file.open("rb") as stream:
            stream.seek(self._at)
            while self.done < end and not stop():
                block = stream.read(BLOCK)
                if not block:
                    self._end_file(file)
                    return True
                self._sha.update(block)
                self._at += len(block)
                self.done += len(block)
        return False

    def _end_file(self, file: Path) -> None:
        if _state(file) != self._before[len(self._digests)]:
            raise BadFile(f"{shown(file, 400)} has changed while it was read: try again")
        self._digests.append(self._sha.hexdigest())
        self._at, self._sha = 0, hashlib.sha256()
        if len(self._digests) == len(self._files):
            self.digest = self._of_all()
            if self._cache is not None:
                self._cache.put(self.path, *self._listed_at, sha256=self.digest, weights=self.stamp)
                self._cache.save()

    def _of_all(self) -> str:
        if not self.path.is_dir():
            return self._digests[0]
        names = [file.relative_to(self.path).as_posix() for file in self._files]
        lines = "".join(f"{digest}  {name}\n" for digest, name in zip(self._digests, names, strict=True))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def known_hash(path: Path, cache: ScanCache) -> str:
    """The sha256 of a checkpoint's weights as they lie there now, if somebody has read them; "" if not."""
    try:
        return Hashing(path, cache).digest
    except BadFile:
        return ""


@contextlib.contextmanager
def read_meanwhile(hashing: Hashing, stop: Stop) -> Iterator[Callable[[], str]]:
    """Read on a thread while something else is done; gives a function that waits for the digest.

    The function gives "" where `stop` was true. At the end of the block the reading ends, whether it is done or not.

    Raises:
        BadFile: the function, as `Hashing.read`.
    """
    left = threading.Event()
    failed: list[BadFile] = []

    def read() -> None:
        try:
            hashing.read_all(lambda: left.is_set() or stop())
        except BadFile as error:
            failed.append(error)

    thread = threading.Thread(target=read, name="sha256")

    def digest() -> str:
        thread.join()
        if failed:
            raise failed[0]
        return hashing.digest

    thread.start()
    try:
        yield digest
    finally:
        left.set()
        thread.join()


def _files_of(path: Path) -> list[Path]:
    """The file, or the files of a folder in their order. Raises: OSError."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for at, folders, files in os.walk(path):
        depth = len(Path(at).parts) - len(path.parts)
        folders[:] = [f for f in folders if depth < MAX_DEPTH and not f.startswith(".") and not is_step_folder(f)]
        names = (name for name in files if name.lower().endswith(SUFFIXES) and not name.startswith("."))
        paths = (Path(at) / name for name in names if not is_state_name(name))
        found.extend(file for file in paths if file.is_file())
    return sorted(found, key=lambda file: os.fsencode(file.relative_to(path).as_posix()))[:MAX_FILES]


def _stamp_of(path: Path, files: list[Path], states: list[tuple[int, int]]) -> str:
    """The names, sizes and times of the files, as a short text."""
    lines = [f"{file.relative_to(path.parent).as_posix()} {state}" for file, state in zip(files, states, strict=True)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _state(file: Path) -> tuple[int, int]:
    """Size and time of a file."""
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns
