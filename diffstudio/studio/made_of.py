"""The sha256 of the files that a run is made of: its checkpoints, its source, its mask."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from diffstudio.cancelling import check_cancelled
from diffstudio.checkpoints.hashing import Hashing
from diffstudio.checkpoints.listing import Entry
from diffstudio.checkpoints.scan_cache import ScanCache
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.clip_frames import natural
from diffstudio.studio.request.request import Request
from diffstudio.user_files import is_file, is_folder, open_regular

BLOCK = 1 << 20


def files_used(
    request: Request, checkpoint: str, weak: Entry | None, cache: ScanCache | None, stop: Callable[[], bool]
) -> dict[str, str]:
    """The sha256 by what a file is: "checkpoint", "guide", "source", "mask"; what can't be read is left out.

    checkpoint: its sha256, as it was read while the weights were loaded. That of a guide is kept in the cache of the
    scan, so that it is computed once. Once `stop` is true no
    further file is read.
    """
    found = {"checkpoint": checkpoint}
    if weak is not None:
        found["guide"] = checkpoint_sha256(weak, cache, stop)
    if request.source in ("file", "step") and request.source_file:
        found["source"] = file_sha256(Path(request.source_file), stop)
    if request.mask is not None:
        found["mask"] = file_sha256(Path(request.mask), stop)
    return {name: digest for name, digest in found.items() if digest}


def checkpoint_sha256(entry: Entry, cache: ScanCache | None, stop: Callable[[], bool] = lambda: False) -> str:
    """What the card says, else of the weights themselves; "" where they can't be read, or it was stopped."""
    if entry.card is not None and entry.card.sha256:
        return entry.card.sha256
    try:
        hashing = Hashing(entry.path, cache)
        while not hashing.digest and not stop():
            hashing.read(stop)
    except BadFile:
        return ""
    return hashing.digest


def file_sha256(path: Path, stop: Callable[[], bool] = lambda: False) -> str:
    """Of a file, or of the names and contents of a folder's files in their natural order; "" where it can't be read."""
    sha = hashlib.sha256()
    try:
        if is_folder(path):
            for file in sorted((one for one in path.iterdir() if is_file(one)), key=lambda one: natural(one.name)):
                sha.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
                _update(sha, file, stop)
        else:
            _update(sha, path, stop)
    except (OSError, BadInput):
        return ""
    return "" if stop() else sha.hexdigest()


def _update(sha: hashlib._Hash, file: Path, stop: Callable[[], bool]) -> None:
    with open_regular(file) as stream:
        while not stop() and (block := stream.read(BLOCK)):
            check_cancelled()
            sha.update(block)
