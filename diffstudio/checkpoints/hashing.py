"""The sha256 of a checkpoint's file, in parts, so that it can be left at any time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from diffstudio.checkpoints.finding import stamp
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.errors import BadFile

PART = 128 << 20  # bytes that are read at a time
BLOCK = 1 << 20
MAX_LOOKED_AT = 1000


class Hashing:
    """done of size bytes are read; digest when all are, "" before."""

    def __init__(self, path: Path, cache: ScanCache | None = None) -> None:
        """path: of a checkpoint; of a folder the largest file in it is taken, which holds its network.

        Raises:
            BadFile: nothing can be read there.
        """
        try:
            self.file = _largest(path) if path.is_dir() else path
            self._stamp = stamp(self.file)
        except OSError as error:
            raise BadFile(f"can't read {path}: {error.strerror}") from error
        self.size, self.done = self._stamp[1], 0
        self._sha, self._cache = hashlib.sha256(), cache
        kept = cache.find(self.file, *self._stamp) if cache else None
        self.digest = kept.sha256 if kept else ""

    def read(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Read the next part, less where `stop` says so; the last one gives the digest, and remembers it.

        Raises:
            BadFile: it can't be read, or has changed meanwhile.
        """
        try:
            with self.file.open("rb") as stream:
                stream.seek(self.done)
                end = self.done + PART
                while self.done < end and not stop() and (block := stream.read(BLOCK)):
                    self._sha.update(block)
                    self.done += len(block)
            if self.done < self.size:
                return
            if stamp(self.file) != self._stamp:
                raise BadFile(f"{self.file} has changed while it was read")
        except OSError as error:
            raise BadFile(f"can't read {self.file}: {error.strerror}") from error
        self.digest = self._sha.hexdigest()
        if self._cache is not None:
            self._cache.put(self.file, *self._stamp, sha256=self.digest)
            self._cache.save()


def _largest(folder: Path) -> Path:
    """The largest file of a folder and of those in it. Raises: OSError, FileNotFoundError without any."""
    found: list[tuple[int, str]] = []
    for at, folders, files in os.walk(folder):
        if Path(at) != folder:
            folders.clear()
        for name in files[: MAX_LOOKED_AT - len(found)]:
            path = os.path.join(at, name)  # noqa: PTH118 - a string that sorts
            found.append((Path(path).stat().st_size, path))
    if not found:
        raise FileNotFoundError(2, "no file in the folder")
    return Path(max(found)[1])
