"""What a trace says of itself, without reading its records: for lists of many."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile
from diffstudio.traces.format import PREFIX, RECORD, TraceHeader
from diffstudio.traces.reader import open_header


@dataclass(frozen=True)
class Glance:
    """records: complete ones, by the file's size alone, not checked.  last: the scalars of the last of them.

    digest: SHA-256 of the header, by which a file that was moved is known again.  modified: seconds since 1970.
    """

    header: TraceHeader
    digest: str
    records: int
    bytes: int
    modified: float
    last: dict[str, float]

    @property
    def complete(self) -> bool:
        """Whether all planned records are there."""
        return self.records >= self.header.total_records


def glance(path: Path) -> Glance:
    """Look at a trace; a few reads, whatever its size.

    Raises:
        BadFile: it can't be read, or is no trace.
    """
    descriptor, header, start = open_header(path)
    try:
        about = os.fstat(descriptor)
        records = min(max(0, about.st_size - start) // header.record_bytes, header.total_records)
        raw = _at(descriptor, start - PREFIX.size, PREFIX.size)
        last: dict[str, float] = {}
        if records:
            at = start + (records - 1) * header.record_bytes + RECORD.size
            numbers = np.frombuffer(_at(descriptor, 8 * len(header.scalars), at), "<f8")
            last = dict(zip(header.scalars, map(float, numbers), strict=True))
        digest = hashlib.sha256(raw).hexdigest()
        return Glance(header, digest, records, about.st_size, about.st_mtime, last)
    except (OSError, ValueError) as error:
        raise BadFile(f"can't read {path}: it was cut while it was looked at") from error
    finally:
        os.close(descriptor)


def _at(descriptor: int, count: int, offset: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)  # the descriptor is this call's own
    return os.read(descriptor, count)
