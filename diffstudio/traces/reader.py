"""Reading a trace: any field of any record, also while the run is still writing it."""

from __future__ import annotations

import bisect
import math
import os
import stat
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile
from diffstudio.modalities import Meaning
from diffstudio.traces.format import (
    MAGIC,
    MAX_HEADER,
    PREFIX,
    RECORD,
    RECORD_MAGIC,
    FieldSpec,
    TraceHeader,
    parse_header,
)

BLOCK = 4 << 20  # of a record that is checked
PLACES = ("step", "t", "a", "s")  # the scalars that are finite in every run
COUNTS = ("nfe", "seconds")  # those that may be NaN, where nobody has counted
LARGEST = 1e12  # of all of them
RECENT = 6  # arrays kept in memory: at a move of the playhead every view asks for the same four
RECENT_BYTES = 8 << 20  # larger ones are not kept


class Trace:
    """A trace by its file. Reads with pread: no memory map that a truncated file would turn into a crash.

    A record is visible once it is complete. Its CRC is checked when a record is first touched in a file that was
    reopened; `refresh` checks each new record as it appears, which a live run's page cache makes cheap. The first
    record that fails ends the trace: `damaged` says how many bytes are not shown. So does one whose scalars say that it
    is of another chain, or when it was as NaN.
    """

    def __init__(self, path: Path, descriptor: int, header: TraceHeader, start: int) -> None:
        self.path = path
        self.header = header
        self._file = descriptor
        self._start = start
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[int, str], np.ndarray] = OrderedDict()
        self._length = 0
        self._table = np.zeros((0, len(header.scalars)))
        self._specs = {spec.name: spec for spec in header.fields}
        self._columns = {name: i for i, name in enumerate(header.scalars)}
        self.damaged = 0

    @classmethod
    def open(cls, path: str | os.PathLike[str], judge: Callable[[TraceHeader], str] = lambda header: "") -> Trace:
        """Open a trace and check every record in it.

        judge: what is wrong with a header, in a sentence, or ""; it is asked before any record is read.

        Raises:
            BadFile: it can't be read, is no trace, its header is damaged, or `judge` found something wrong with it; one
                sentence says which.
        """
        path = Path(path)
        descriptor, header, start = open_header(path)
        try:
            if problem := judge(header):
                raise BadFile(f"{path}: {problem}")
            trace = cls(path, descriptor, header, start)
            trace.refresh()
        except BaseException:
            os.close(descriptor)
            raise
        return trace

    def __len__(self) -> int:
        return self._length

    def __enter__(self) -> Trace:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            self._recent.clear()

    def refresh(self) -> int:
        """Look for new records; returns how many there are now."""
        with self._lock:
            if self._file < 0:
                return self._length
            stride = self.header.record_bytes
            available = max(0, os.fstat(self._file).st_size - self._start)
            complete = min(available // stride, self.header.total_records)
            rows = []
            for k in range(self._length, complete):
                row = self._checked(k)
                if row is None:
                    break
                rows.append(row)
            if rows:
                self._table = np.concatenate([self._table, np.stack(rows)])
                self._length += len(rows)
            self.damaged = max(0, available - self._length * stride)  # the file may have been cut while open
            return self._length

    def array(self, k: int, name: str, sample: int | slice | None = None) -> np.ndarray:
        """Field `name` of record k, all samples or some: (B, …), or (…) for one; float32, not to be written to.

        Raises:
            IndexError: no such record.  KeyError: no such field.  BadFile: the file was cut or closed meanwhile.
        """
        if not 0 <= k < self._length:
            raise IndexError(f"record {k} of {self._length}")
        at = self.header.offset_of(name)
        spec = self._specs[name]
        first, count = _extent(sample, spec)
        recent = self._recall(k, name)
        if recent is not None:
            out = recent[first : first + count]
        else:
            each = spec.nbytes // spec.shape[0]
            out = self._read(k, at + first * each, (count, *spec.shape[1:]), spec.dtype)
            if count == spec.shape[0]:
                self._remember(k, name, out)
        return out[0] if isinstance(sample, int | np.integer) else out

    def scalars(self, name: str) -> np.ndarray:
        """A scalar of every record: (len,) float64. KeyError where the trace has none of that name."""
        return self._table[:, self._columns[name]]

    def scalar(self, k: int, name: str) -> float:
        """A scalar of one record."""
        return float(self._table[k, self._columns[name]])

    def has_field(self, name: str) -> bool:
        """Whether the records hold that array."""
        return any(spec.name == name for spec in self.header.fields)

    def has_scalar(self, name: str) -> bool:
        """Whether the records carry that scalar."""
        return name in self._columns

    def chain(self, k: int) -> int:
        """0 where record k belongs to the forward chain, 1 for the reverse chain."""
        return int(self._table[k, self._columns["chain"]])

    def first_of(self, chain: int) -> int | None:
        """The first record of a chain, None if there is none yet."""
        found = np.flatnonzero(self.scalars("chain") == chain)
        return int(found[0]) if len(found) else None

    @property
    def modality(self) -> str:
        """What the card says the states are: one of `modalities.MODALITIES`, if this version knows it."""
        return str(self.header.card.get("modality", "image"))

    @property
    def meaning(self) -> Meaning:
        """What a state of this trace is."""
        return Meaning(self.modality, self.sample_shape, self.header.card)

    @property
    def batch(self) -> int:
        """Samples in every record."""
        return self.header.fields[0].shape[0]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.header.fields[0].shape[1:]

    @property
    def planned(self) -> int:
        """Records that the run will have when it is complete."""
        return self.header.total_records

    @property
    def stored_bytes(self) -> int:
        """The size of the file up to its last complete record."""
        return self._start + len(self) * self.header.record_bytes

    @property
    def complete(self) -> bool:
        """Whether all planned records are there."""
        return len(self) == self.planned

    def _read(self, k: int, at: int, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """An array of the payload of record k; float32 is the file's own bytes, without a copy."""
        stored = np.dtype(dtype).newbyteorder("<")
        size = math.prod(shape) * stored.itemsize
        raw = self._pread(size, self._start + k * self.header.record_bytes + RECORD.size + at)
        if len(raw) < size:
            raise BadFile(f"{self.path}: record {k} is gone: the file was cut while it was open")
        out = np.frombuffer(raw, stored).reshape(shape).astype(np.float32, copy=False)
        out.setflags(write=False)  # the same array is given to whoever asks
        return out

    def _recall(self, k: int, name: str) -> np.ndarray | None:
        with self._lock:
            found = self._recent.get((k, name))
            if found is not None:
                self._recent.move_to_end((k, name))
            return found

    def _remember(self, k: int, name: str, array: np.ndarray) -> None:
        if array.nbytes > RECENT_BYTES:
            return
        with self._lock:
            self._recent[k, name] = array
            while len(self._recent) > RECENT:
                self._recent.popitem(last=False)

    def _checked(self, k: int) -> np.ndarray | None:
        """The scalars of record k, or None if its framing, its CRC or a scalar that everything stands on is wrong."""
        size, count = self.header.payload_bytes, len(self.header.scalars)
        at = self._start + k * self.header.record_bytes
        raw = self._pread(RECORD.size + min(size, BLOCK), at)
        if len(raw) < RECORD.size + min(size, BLOCK):
            return None
        magic, length, crc, zero = RECORD.unpack_from(raw)
        if magic != RECORD_MAGIC or length != size or zero:
            return None
        row = np.frombuffer(raw, "<f8", count, RECORD.size).copy()  # a view would keep the whole record
        found = zlib.crc32(memoryview(raw)[RECORD.size :])
        for done in range(BLOCK, size, BLOCK):  # a large record need not be in memory at once
            part = self._pread(min(BLOCK, size - done), at + RECORD.size + done)
            if len(part) < min(BLOCK, size - done):
                return None
            found = zlib.crc32(part, found)
        return row if found == crc and self._sound(k, row) else None

    def _sound(self, k: int, row: np.ndarray) -> bool:
        """Whether a record is of the chain whose turn it is, and says when in it.

        The other scalars may be anything: the norms of a run that has become NaN are NaN, and drawn as gaps.
        """
        place = bisect.bisect_right(self.header.order, k)
        chain = {"forward": 0, "reverse": 1}[self.header.chains[place].name]
        if row[self._columns["chain"]] != chain or math.isnan(row[self._columns["log_snr"]]):
            return False
        counted = [row[self._columns[name]] for name in COUNTS if name in self._columns]
        placed = [row[self._columns[name]] for name in PLACES]
        return all(abs(n) <= LARGEST for n in placed) and not any(abs(n) > LARGEST for n in counted)

    def _pread(self, count: int, offset: int) -> bytes:
        if self._file < 0:
            raise BadFile(f"{self.path} is closed")
        try:
            return _read_at(self._file, count, offset)
        except OSError as error:
            raise BadFile(f"can't read {self.path}: {error.strerror}") from error


_SEEK_LOCK = threading.Lock()


def _read_at(descriptor: int, count: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, count, offset)
    with _SEEK_LOCK:  # Windows has no pread
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, count)


def open_header(path: Path) -> tuple[int, TraceHeader, int]:
    """Open a trace: its descriptor, its header, and where the first record begins.

    Raises:
        BadFile: it can't be read, is no trace, or its header is damaged.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            raise BadFile(f"can't open {path}: it is not a file")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise BadFile(f"can't open {path}: {error.strerror}") from error
    try:
        return (descriptor, *_read_header(descriptor, path))
    except BaseException:
        os.close(descriptor)
        raise


def _read_header(descriptor: int, path: Path) -> tuple[TraceHeader, int]:
    prefix = _read_at(descriptor, PREFIX.size, 0)
    if len(prefix) < PREFIX.size or prefix[:7] != MAGIC[:7]:
        raise BadFile(f"{path} is not a DiffStudio trace")
    magic, length, crc = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise BadFile(f"{path}: trace format {magic[7:].decode('ascii', 'replace')}, expected 1")
    if length > MAX_HEADER:
        raise BadFile(f"{path}: the trace header has {length} bytes, expected at most {MAX_HEADER}")
    raw = _read_at(descriptor, length, PREFIX.size)
    if len(raw) < length or zlib.crc32(raw) != crc:
        raise BadFile(f"{path}: the trace header is damaged or cut short")
    return parse_header(raw, str(path)), PREFIX.size + length


def _extent(sample: int | slice | None, spec: FieldSpec) -> tuple[int, int]:
    """First sample and count; a slice must have step 1."""
    batch = spec.shape[0]
    if sample is None:
        return 0, batch
    if isinstance(sample, slice):
        first, last, step = sample.indices(batch)
        if step != 1:
            raise IndexError("samples are read in one piece: a slice of step 1")
        return first, max(0, last - first)
    if not -batch <= sample < batch:
        raise IndexError(f"sample {sample} of {batch}")
    return sample % batch, 1
