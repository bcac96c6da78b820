"""The directory of a zip archive, looked at before it is read: zipfile believes whatever size it claims.

Standard library alone: the process that reads strangers' pickles has nothing else.
"""

from __future__ import annotations

from typing import BinaryIO

from diffstudio.errors import BadFile

MAX_DIRECTORY = 16 << 20
END, END_64, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


def check_directory(where: str, stream: BinaryIO, size: int, most: int) -> None:
    """Look at how many files an archive says it has, and how long its directory is. The stream is at its start then.

    most: how many it may have.

    Raises:
        BadFile: too many, or no directory.
    """
    stream.seek(max(0, size - 65_600))
    tail = stream.read(65_600)
    end = tail.rfind(END)
    if end < 0 or len(tail) < end + 22:
        raise BadFile(f"{where} is a truncated zip archive: its directory is missing; copy the file again")
    count, directory = _whole(tail, end + 10, 2), _whole(tail, end + 12, 4)
    # 0xFFFF… stands for "see the 64-bit directory".
    if (count != 0xFFFF and count > most) or MAX_DIRECTORY < directory < 0xFFFFFFFF:
        raise BadFile(f"{where}: an archive of {count:,} files, expected at most {most:,}")
    if end >= 76 and tail[end - 20 : end - 16] == LOCATOR_64:
        # It stands before the locator; readers that follow the locator's own number find it where that says.
        stream.seek(min(size, _whole(tail, end - 12, 8)))
        for found in (tail[end - 76 :], stream.read(56)):
            entries, directory = _whole(found, 32, 8), _whole(found, 40, 8)
            if found[:4] == END_64 and (entries > most or directory > MAX_DIRECTORY):
                raise BadFile(f"{where}: an archive of {entries:,} files, expected at most {most:,}")
    stream.seek(0)


def _whole(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")
