"""The one way DiffStudio writes a file: fully and durably, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from diffstudio.errors import BadInput


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success flush, fsync and replace `path` with it.

    A full disk, an exception or a kill leaves the old file or the new one, never a mixture.

    Raises:
        BadInput: the folder does not exist or can't be written, or the disk is full.
    """
    target = Path(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise BadInput(f"can't write {target}: {error.strerror or error}") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
        _fsync_folder(target.parent)
    except OSError as error:
        raise BadInput(f"can't write {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_write(path) as stream:
        stream.write(data)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a temporary folder to fill with files; on success they are in the folder `path`.

    A folder that is not there appears whole. In one that is there, files of the same names are replaced, the others are
    left alone. An exception leaves everything as it was.

    Raises:
        BadInput: the folder can't be made or written, or the disk is full.
    """
    target = Path(path)
    there = target.is_dir()
    try:
        staging = Path(
            tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target if there else target.parent)
        )
    except OSError as error:
        raise BadInput(f"can't write the folder {target}: {error.strerror or error}") from error
    try:
        yield staging
        for file in staging.iterdir():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
        if there:
            for file in sorted(staging.iterdir()):
                file.replace(target / file.name)
        else:
            staging.chmod(0o777 & ~_umask())
            staging.rename(target)
        _fsync_folder(target if there else target.parent)
    except OSError as error:
        raise BadInput(f"can't write the folder {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _umask() -> int:
    # The umask can only be read by setting it; mkstemp makes 0600 files and a user expects the usual mode.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows can't open a folder for fsync
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
