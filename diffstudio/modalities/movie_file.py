"""Movies and sounds in containers, opened by PyAV, where it is installed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from diffstudio.errors import BadFile, BadInput
from diffstudio.user_files import open_regular

MOVIES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")  # read by PyAV
MAX_FILE = 2 << 30  # bytes
LEAST = 128  # bytes: the library looks for the tag of an MP3 so far before its end
NEEDS_AV = "needs the extra 'video': pip install 'diffstudio[video]'"
# What a file is, its first bytes say: left to itself the library would also open lists of other files and addresses.
_BEGINNINGS: tuple[tuple[str, int, tuple[bytes, ...]], ...] = (
    ("matroska", 0, (b"\x1aE\xdf\xa3",)),
    ("avi", 8, (b"AVI ",)),
    ("mov", 4, (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
    ("ogg", 0, (b"OggS",)),
    ("flac", 0, (b"fLaC",)),
    ("wav", 8, (b"WAVE",)),
    ("aiff", 8, (b"AIFF", b"AIFC")),
    ("asf", 0, (bytes.fromhex("3026B2758E66CF11"),)),
)
_BARE = {".mp3": "mp3", ".aac": "aac"}  # sound without a container around it: it may begin with anything
_TAG = b"ID3"  # may stand before all of them


@contextlib.contextmanager
def open_movie(path: Path, what: str = "video") -> Iterator[Any]:
    """An open PyAV container; `what` it should be is named where it is none.

    Raises:
        BadInput: the extra is missing, no such file, or too large a one.  BadFile: not a movie that can be read.
    """
    av = import_av(f"reading {path.name}")
    with open_regular(path, MAX_FILE) as stream:
        large = os.fstat(stream.fileno()).st_size >= LEAST
        kind = _kind(stream, path.suffix.lower()) if large else None
        if kind is None:
            raise BadFile(f"{path} is not a {what} that can be read")
        try:
            movie = av.open(stream, format=kind)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise BadFile(f"{path} is not a {what} that can be read") from error
        with movie:
            yield movie


def _kind(stream: BinaryIO, suffix: str) -> str | None:
    """The library's name of the format, None of one that is not known; the stream is at its start then."""
    start = stream.read(16)
    if start.startswith(_TAG):
        # Its length in four bytes of 7 bits, without its header (ID3v2.4, 3.1).
        length = int("".join(f"{byte & 0x7F:07b}" for byte in start[6:10]) or "0", 2)
        stream.seek(10 + length)
        start = stream.read(16)
    stream.seek(0)
    found = (kind for kind, at, words in _BEGINNINGS if start[at:].startswith(words))
    return next(found, _BARE.get(suffix))


def import_av(what: str) -> Any:
    """PyAV. `what` begins the sentence where it is not there.

    Raises:
        BadInput: the extra is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise BadInput(f"{what} {NEEDS_AV}") from error
    return av
