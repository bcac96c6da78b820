"""Writing a trace, one record at a time, while a run goes."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from diffstudio.errors import NoRoom
from diffstudio.traces.format import MAGIC, PREFIX, RECORD, RECORD_MAGIC, TraceHeader


class TraceWriter:
    """Appends records; each is one write of a buffer that is allocated once."""

    def __init__(self, path: str | os.PathLike[str], header: TraceHeader) -> None:
        """Create the file (an older one of that name is replaced) and write the header.

        Raises:
            NoRoom: the file can't be made or the disk is full.
        """
        self.path = Path(path)
        self.header = header
        self._count = 0
        self._buffer = bytearray(header.record_bytes)
        self._payload = memoryview(self._buffer)[RECORD.size :]
        self._scalars = np.frombuffer(self._payload, "<f8", len(header.scalars))
        self._arrays = {
            spec.name: np.frombuffer(
                self._payload,
                np.dtype(spec.dtype).newbyteorder("<"),
                math.prod(spec.shape),
                header.offset_of(spec.name),
            ).reshape(spec.shape)
            for spec in header.fields
        }
        text = header.model_dump_json().encode()
        try:
            self.path.unlink(missing_ok=True)  # whoever reads the old file keeps it
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise NoRoom(f"can't write the trace {self.path}: {error.strerror}") from error
        self._end = 0
        try:
            self._write(PREFIX.pack(MAGIC, len(text), zlib.crc32(text)) + text)
        except NoRoom:
            os.close(self._file)
            raise

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def append(self, scalars: Mapping[str, float], arrays: Mapping[str, np.ndarray]) -> int:
        """Write the next record and return its index; arrays are cast to their field's dtype.

        Raises:
            NoRoom: the disk is full; what was written before stays readable.
        """
        self._scalars[:] = [scalars.get(name, math.nan) for name in self.header.scalars]
        with np.errstate(over="ignore"):  # half precision may overflow to inf: the views say so
            for name, target in self._arrays.items():
                target[...] = arrays[name]
        RECORD.pack_into(self._buffer, 0, RECORD_MAGIC, len(self._payload), zlib.crc32(self._payload), 0)
        self._write(self._buffer)
        self._count += 1
        return self._count - 1

    def close(self) -> None:
        """Flush to the disk and close; a second call does nothing.

        Raises:
            NoRoom: the disk turns out to be full only now.
        """
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.fsync(file)
            except OSError as error:
                raise NoRoom(f"can't write the trace {self.path}: {error.strerror}") from error
            finally:
                os.close(file)

    def _write(self, data: bytes | bytearray) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            os.ftruncate(self._file, self._end)  # no torn record stays behind,
            os.lseek(self._file, self._end, os.SEEK_SET)  # and a later one follows without a gap
            raise NoRoom(f"can't write the trace {self.path}: {error.strerror}") from error
        self._end += len(data)
