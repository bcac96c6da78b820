"""Files of the user's own: only what can be read to its end at once, and no more of it than there should be.

A pipe or a device under the name of a picture would be waited for, or never end; a file can claim any size.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput

BLOCK = 4 << 20


def exists(path: Path) -> bool:
    """Whether anything is there; a name that is too long, or none at all, is not. (Path.exists raises for these.)"""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Whether a regular file is there; otherwise as `exists`."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a folder is there; otherwise as `exists`."""
    return os.path.isdir(path)  # noqa: PTH112


def with_ending(path: Path, suffix: str) -> Path:
    """The path with the suffix, appended where it lacks it: "cfg 7.5" is "cfg 7.5.trace", and its ".5" stays."""
    return path if path.name.lower().endswith(suffix.lower()) else path.with_name(path.name + suffix)


def open_regular(path: Path, most: int | None = None, what: str = "") -> BinaryIO:
    """Open a regular file for reading; most: the bytes that it may have.  what: "the recipe ", before its name.

    Raises:
        BadInput: no such file, a folder, a pipe or a device, one that may not be read, or too large.
    """
    # Not waited for, should something else take the file's place between the two looks at it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        _check_regular(path, path.stat().st_mode, what)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and not what:
            raise BadInput(f"there is no file {path}") from error
        raise BadInput(f"can't read {what}{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        found = os.fstat(descriptor)
        _check_regular(path, found.st_mode, what)
        if most is not None and found.st_size > most:
            raise BadInput(f"{path} has {found.st_size:,} bytes, expected at most {most:,}")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int, what: str = "") -> bytes:
    """All of a regular file. Raises: BadInput, as `open_regular`; Cancelled."""
    with open_regular(path, most, what) as stream:
        parts, left = [], most + 1
        try:
            while part := stream.read(min(BLOCK, left)):
                parts.append(part)
                left -= len(part)
                check_cancelled()
        except OSError as error:
            raise BadInput(f"can't read {what}{path}: {error.strerror or error}") from error
    if left <= 0:  # a file that says it is empty may go on for ever
        raise BadInput(f"{path} has more than {most:,} bytes: that is too many for its kind")
    return b"".join(parts)


def read_text(path: Path, most: int) -> str:
    """All of a text in UTF-8. Raises: BadInput, as `read_regular`; BadFile: it is another kind of text, or none."""
    try:
        return read_regular(path, most, "the text ").decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path}: not a UTF-8 text (byte {error.start})") from error


def _check_regular(path: Path, mode: int, what: str) -> None:
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise BadInput(f"can't read {what}{path}: it is {kind}, expected a file")
