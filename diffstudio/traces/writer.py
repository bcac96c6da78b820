"""Writing a trace, one record at a time, while a run goes."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from diffstudio.errors import NoRoom
from diffstudio.traces.format import MAGIC, PREFIX, RECORD, RECORD_MAGIC, FieldSpec, TraceHeader


class TraceWriter:
    """Appends records, straight from the memory of their arrays.

    The file is not flushed to the disk: a trace is the record of work in progress, which outlives the app that falls
    over; what a power cut takes of its end, the records' CRCs tell. What is exported is flushed.
    """

    def __init__(self, path: str | os.PathLike[str], header: TraceHeader) -> None:
        """Create the file (an older one of that name is replaced) and write the header.

        Raises:
            NoRoom: the file can't be made or the disk is full.
        """
        self.path = Path(path)
        self.header = header
        self._count = 0
        self._dtypes = {spec.name: np.dtype(spec.dtype).newbyteorder("<") for spec in header.fields}
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
        numbers = np.array([scalars.get(name, math.nan) for name in self.header.scalars], "<f8")
        payload = [memoryview(numbers.tobytes())]
        for spec in self.header.fields:
            payload.append(self._stored(spec, arrays[spec.name]))
        crc = 0
        for part in payload:
            crc = zlib.crc32(part, crc)
        self._write(RECORD.pack(RECORD_MAGIC, self.header.payload_bytes, crc, 0), *payload)
        self._count += 1
        return self._count - 1

    def close(self) -> None:
        """Close the file; a second call does nothing.

        Raises:
            NoRoom: the disk turns out to be full only now, as a file of the network may.
        """
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.close(file)
            except OSError as error:
                raise NoRoom(f"can't write the trace {self.path}: {error.strerror}") from error

    def _stored(self, spec: FieldSpec, array: np.ndarray) -> memoryview:
        """The bytes of an array as its field has them, of its own memory where that is in order."""
        dtype = self._dtypes[spec.name]
        if array.dtype != dtype:
            with np.errstate(over="ignore"):  # half precision may overflow to inf: the views say so
                array = array.astype(dtype)
        if array.shape != spec.shape:
            array = np.broadcast_to(array, spec.shape)
        return np.ascontiguousarray(array).data.cast("B")

    def _write(self, *parts: bytes | memoryview) -> None:
        try:
            for part in parts:
                left = memoryview(part)
                while left:
                    left = left[os.write(self._file, left) :]
        except OSError as error:
            os.ftruncate(self._file, self._end)  # no torn record stays behind,
            os.lseek(self._file, self._end, os.SEEK_SET)  # and a later one follows without a gap
            raise NoRoom(f"can't write the trace {self.path}: {error.strerror}") from error
        self._end += sum(map(len, parts))
