"""The one way DiffStudio writes a file: fully and durably, or not at all.

What is done beyond the bytes themselves, a mode, the flush of a folder, is a courtesy: a file system that can't do it
(a network share, exFAT) has the file all the same. Where a finished file can't take its name it is kept under another.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from diffstudio.errors import BadInput
from diffstudio.scratch import temporary_file, temporary_folder

# What a file system says that can't do such a thing, rather than that the disk is full or broken.
_CANT = {getattr(errno, name, None) for name in ("EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EACCES")}
# What keeps a finished file from taking its name, and not from being there.
_NO_NAME = _CANT | {getattr(errno, name, None) for name in ("EXDEV", "EBUSY", "ETXTBSY", "ENAMETOOLONG", "EILSEQ")}
_PATIENCE = (0.02, 0.1, 0.3) if os.name == "nt" else ()  # seconds: there a scanner may hold a file for a moment


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success flush, fsync and replace `path` with it.

    A full disk, an exception or a kill leaves the old file or the new one, never a mixture.

    Raises:
        BadInput: the folder does not exist or can't be written, or the disk is full; where only the name can't be
            taken, it says under which name the finished file is kept.
    """
    target = Path(path)
    try:
        descriptor, temporary = temporary_file(target.parent, target.name)
    except OSError as error:
        raise BadInput(f"can't write {target}: {error.strerror or error}") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            _fsync(stream.fileno())
        with contextlib.suppress(OSError):
            temporary.chmod(0o666 & ~_umask())
        _named(temporary, target, temporary.replace)
        _fsync_folder(target.parent)
    except OSError as error:
        raise BadInput(f"can't write {target}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
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
        BadInput: as `atomic_write`.
    """
    target = Path(path)
    there = os.path.isdir(target)  # noqa: PTH112 - Path.is_dir raises for a name that is too long
    try:
        staging = temporary_folder(target if there else target.parent, target.name)
    except OSError as error:
        raise BadInput(f"can't write the folder {target}: {error.strerror or error}") from error
    try:
        yield staging
        for file in staging.iterdir():
            with file.open("rb+") as stream:
                _fsync(stream.fileno())
        if there:
            for file in sorted(staging.iterdir()):
                _named(file, target / file.name, file.replace)
        else:
            with contextlib.suppress(OSError):
                staging.chmod(0o777 & ~_umask())
            _named(staging, target, staging.rename)
        _fsync_folder(target if there else target.parent)
    except OSError as error:
        raise BadInput(f"can't write the folder {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_can_write(path: Path) -> None:
    """See before anything is computed whether a file or folder of that name can be written where it is to be.

    Raises:
        BadInput: there is no such folder, it can't be written, or it can't have such a name.
    """
    folder = path if os.path.isdir(path) else path.parent  # noqa: PTH112 - as above
    if not os.path.isdir(folder):  # noqa: PTH112
        raise BadInput(f"there is no folder {folder}: make it first")
    try:
        if path.name and not os.path.lexists(path):
            path.lstat()
    except FileNotFoundError:
        _try_name(path)
    except (OSError, ValueError) as error:
        raise BadInput(f"can't write {path}: {getattr(error, 'strerror', None) or error}") from error
    else:
        _try_folder(folder)
    if os.path.lexists(path) and not (os.path.islink(path) or os.path.isfile(path) or os.path.isdir(path)):  # noqa: PTH112, PTH113, PTH114
        raise BadInput(f"can't write {path}: it is a pipe or a device")


def _try_name(path: Path) -> None:
    """Whether the file system takes the name: for a moment there is an empty file."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        path.unlink()
    except FileExistsError:
        return  # somebody else was quicker
    except (OSError, ValueError) as error:
        raise BadInput(f"can't write {path}: {getattr(error, 'strerror', None) or error}") from error


def _try_folder(folder: Path) -> None:
    try:
        descriptor, probe = temporary_file(folder, "")
        os.close(descriptor)
        probe.unlink()
    except OSError as error:
        raise BadInput(f"can't write into {folder}: {error.strerror or error}") from error


def _named(finished: Path, target: Path, rename: Callable[[Path], object]) -> None:
    """Give a finished file or folder its name. Raises: OSError; BadInput: it is kept under another."""
    for wait in (*_PATIENCE, None):
        try:
            rename(target)
            return
        except OSError as error:
            if error.errno not in _NO_NAME:
                raise
            if wait is None:
                kept = _kept(finished, target)
                raise BadInput(
                    f"can't write {target}: {error.strerror or error}; what was made is kept as {kept}"
                ) from error
            time.sleep(wait)


def _kept(finished: Path, target: Path) -> Path:
    """Another name that it can have, beside it, in the user's own folder, or where the system keeps what is temporary.

    Raises:
        BadInput: there is none.
    """
    stem, suffix = (target.stem, target.suffix) if finished.is_file() else (target.name, "")
    plain = "".join(c for c in stem if c.isalnum() or c in "-_. ")[:40] or "diffstudio"
    for folder in (target.parent, Path.home(), Path(tempfile.gettempdir())):
        for number in range(1, 100):
            other = folder / f"{plain} (kept {number}){suffix[:20]}"
            if os.path.lexists(other):
                continue
            with contextlib.suppress(OSError):
                finished.rename(other)
                return other
            with contextlib.suppress(OSError):
                shutil.copytree(finished, other) if finished.is_dir() else shutil.copyfile(finished, other)
                return other
            break
    raise BadInput(f"can't write {target}, and there is no other place for what was made")


def _umask() -> int:
    # The umask can only be read by setting it; a temporary file is 0600 and a user expects the usual mode.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _fsync(descriptor: int) -> None:
    """Flush to the disk, where the file system can do that. Raises: OSError: the disk is full or broken."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANT:
            raise


def _fsync_folder(folder: Path) -> None:
    """Flush the name too: the file is there already, whatever comes of it."""
    if os.name == "nt":
        return  # Windows can't open a folder for fsync
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
