"""Temporary files and folders, named after the process that made them, and removed once it is gone.

Where one was made, a list in the application's own folder says, one for each process. A process that ends takes its
list away; one that is killed leaves it, and the next that starts removes what is in it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from diffstudio.processes import MARK, is_gone, own_mark

SUFFIX = ".tmp"
LIST = ".list"
MAX_LIST = 4 << 20
_lock = threading.Lock()


def temporary_file(folder: Path, name: str) -> tuple[int, Path]:
    """A new empty file that only the user may read, open for writing; name: how it begins. Raises: OSError."""
    path = _fresh(folder, name)
    note(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags, 0o600), path


def temporary_path(folder: Path, name: str) -> Path:
    """A name for a temporary file that whoever asks makes and removes."""
    path = _fresh(folder, name)
    note(path)
    return path


def temporary_folder(folder: Path, name: str) -> Path:
    """A new folder that only the user may enter; name: how it begins. Raises: OSError."""
    path = _fresh(folder, name)
    note(path)
    path.mkdir(0o700)
    return path


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder in the application's own, for what has no place of its own, as long as it is needed. Raises: OSError."""
    home = _home()
    home.mkdir(parents=True, exist_ok=True)
    path = temporary_folder(home, "")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def is_temporary(path: Path) -> bool:
    """Whether it is named as one of these."""
    return path.name.startswith(".") and path.name.endswith(SUFFIX) and MARK.search(path.name) is not None


def note(path: Path) -> None:
    """Remember that something temporary is, or is about to be, there; that it can't be remembered is no failure."""
    with _lock, contextlib.suppress(OSError):
        file = _list()
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, os.fsencode(path.absolute()) + b"\0")
        finally:
            os.close(descriptor)


def remove_own() -> None:
    """Remove whatever temporary things of this process are there: it ends without letting go of them."""
    for path in _named_in(_list()):
        _removed(path)
    forget()


@atexit.register
def forget() -> None:
    """This process leaves nothing behind: its list goes."""
    with contextlib.suppress(OSError):
        _list().unlink(missing_ok=True)


def sweep() -> list[Path]:
    """Remove what processes have left that are gone; returns what was removed.

    Only what such a list names, is called as we call it, and belongs to the same user.
    """
    removed: list[Path] = []
    try:
        lists = [path for path in _home().iterdir() if path.name.endswith(LIST)]
    except OSError:
        return removed
    for file in lists:
        mark = file.name.removesuffix(LIST)
        if not is_gone(mark) or not _is_own(file):
            continue
        removed += [path for path in _named_in(file) if mark in path.name and _removed(path)]
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    return removed


def _named_in(file: Path) -> list[Path]:
    """The paths in a list, each once; none where it can't be read."""
    try:
        with file.open("rb") as stream:
            named = stream.read(MAX_LIST).split(b"\0")
    except OSError:
        return []
    return list(dict.fromkeys(Path(os.fsdecode(name)) for name in named if name))


def _removed(path: Path) -> bool:
    """Remove a file or folder of ours; whether it was there."""
    if not path.name.endswith(SUFFIX) or not path.is_absolute() or not _is_own(path):
        return False
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        return False
    return True


def _is_own(path: Path) -> bool:
    """Whether it is there, is no link, and belongs to whoever asks."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return False
    return not stat.S_ISLNK(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())


def _fresh(folder: Path, name: str) -> Path:
    """Hidden, and short enough whatever the name."""
    start = "".join(c for c in name[:40] if c.isalnum() or c in "-_. ")
    return folder / f".{start}.{own_mark()}.{secrets.token_hex(4)}{SUFFIX}"


def _list() -> Path:
    return _home() / f"{own_mark()}{LIST}"


def _home() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("diffstudio", appauthor=False)) / "scratch"
