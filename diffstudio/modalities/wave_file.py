"""WAV files: PCM of 8 to 32 bits and floating point are read, 16 bits are written, with a comment."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.user_files import open_regular

MAX_BYTES = 1 << 28
MAX_CHUNKS = 1000
MAX_TEXT = 4 << 20  # bytes of the INFO list
MAX_VALUES = 1 << 24  # that are read at once
RATES = (1000, 768_000)
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
COMMENT = b"ICMT"  # RIFF's INFO chunk of a comment
XMP = b"_PMX"  # the chunk of an XMP packet
LARGE = (b"RF64", b"BW64")  # RIFF with sizes of 64 bits in a chunk ds64
# Chunks that may follow an empty chunk of sound; anything else there is sound whose length was never filled in.
_OTHERS = (b"LIST", b"fact", b"cue ", b"smpl", b"inst", b"id3 ", b"bext", b"iXML", b"axml", b"JUNK", b"PAD ", XMP)


@dataclass(frozen=True)
class Wave:
    """Sound from a file. samples: (N, channels) float64 in [-1, 1]; comment: what else the file says, "" nothing."""

    samples: np.ndarray
    rate: int
    comment: str = ""


class Compressed(BadFile):
    """A WAV file whose sound is not plain numbers."""


@dataclass(frozen=True)
class _Format:
    kind: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of all channels at one moment."""
        return self.channels * self.bits // 8


class WaveFile:
    """An open WAV file: what it says of itself, and its samples piece by piece.

    length: samples of a channel; channels, rate: as they are stored.
    """

    def __init__(self, path: Path, stream: BinaryIO, size: int) -> None:
        """Raises: BadFile: it is not a WAV file, is damaged, or is compressed."""
        self._path, self._stream = path, stream
        start = stream.read(12)
        if start[:4] == b"RIFX":
            raise BadFile(f"{path} is a WAV file of big-endian numbers (RIFX): save it as a plain WAV")
        if start[:4] not in (b"RIFF", *LARGE) or start[8:12] != b"WAVE":
            raise BadFile(f"{path} is not a WAV file")
        chunks = _chunks(path, stream, size)
        if b"fmt " not in chunks or b"data" not in chunks:
            raise BadFile(f"{path} is a WAV file without sound, or was cut")
        self._form = _format(path, self._bytes(*chunks[b"fmt "], 64))
        self._begin, length = chunks[b"data"]
        self.length = length // self._form.frame
        self.channels, self.rate = self._form.channels, self._form.rate
        self.comment = _comment(self._bytes(*chunks.get(b"LIST", (0, 0)), MAX_TEXT))

    def mono(self, first: int, count: int) -> np.ndarray:
        """(at most count,): the mean of the channels. Raises: as `samples`."""
        found = self.samples(first, count)
        return found[:, 0] if self.channels == 1 else np.add.reduce(found, 1) / self.channels

    def samples(self, first: int, count: int) -> np.ndarray:
        """(at most count, channels) float64 in [-1, 1]. Raises: BadFile: not finite; Cancelled."""
        check_cancelled()
        count = max(0, min(count, self.length - first))
        frame = self._form.frame
        data = self._bytes(self._begin + first * frame, count * frame, count * frame)
        values = _values(self._form, data)
        if self._form.kind == FLOAT and not np.isfinite(values).all():
            raise BadFile(f"{self._path} has values that are not finite (NaN or ∞)")
        return values.reshape(-1, self.channels)

    def _bytes(self, at: int, length: int, most: int) -> bytes:
        try:
            self._stream.seek(at)
            return self._stream.read(min(length, most))
        except OSError as error:
            raise BadFile(f"can't read {self._path}: {error.strerror or error}") from error


@contextlib.contextmanager
def open_wave(path: Path) -> Iterator[WaveFile]:
    """Open a WAV file.

    Raises:
        BadInput: no such file, or too large a one.  BadFile: it is not a WAV file, is damaged, or is compressed.
    """
    with open_regular(path, MAX_BYTES) as stream:
        yield WaveFile(path, stream, os.fstat(stream.fileno()).st_size)


def read_wave(path: Path) -> Wave:
    """The sound in a WAV file. Raises: as `open_wave`; BadInput: more of it than should be in memory at once."""
    with open_wave(path) as found:
        if found.length * found.channels > MAX_VALUES:
            raise BadInput(f"{path} has {found.length * found.channels:,} samples, expected at most {MAX_VALUES:,}")
        return Wave(found.samples(0, found.length), found.rate, found.comment)


def _chunks(path: Path, stream: BinaryIO, size: int) -> dict[bytes, tuple[int, int]]:
    """Where the first chunk of each name begins, and how long it is.

    A program that did not know the length beforehand wrote one that is too large, or 0: the sound then goes to the end.
    """
    found, at, large = {}, 12, 0
    for _ in range(MAX_CHUNKS):
        stream.seek(at)
        head = stream.read(24)
        if len(head) < 8:
            return found
        name, length = head[:4], int.from_bytes(head[4:8], "little")
        if name == b"ds64" and length >= 16:
            large = int.from_bytes(head[16:24], "little")
        if name == b"data":
            if length == 0xFFFFFFFF and large:
                length = large
            elif length == 0 and head[8:12] not in _OTHERS:
                length = size
        found.setdefault(name, (at + 8, max(0, min(length, size - at - 8))))
        at += 8 + length + length % 2
        if at >= size:
            return found
    raise BadFile(f"{path} has more than {MAX_CHUNKS:,} chunks: that is no sound file that can be read")


def _format(path: Path, chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise BadFile(f"{path} is a WAV file that was cut")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if kind == EXTENSIBLE and len(chunk) >= 26:
        kind = int.from_bytes(chunk[24:26], "little")
    if (kind, bits) not in ((PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)):
        raise Compressed(f"{path} holds compressed sound (format {kind} of {bits} bits): save it as 16-bit PCM")
    if not 1 <= channels <= 64 or not RATES[0] <= rate <= RATES[1]:
        raise BadFile(f"{path} has {channels} channels of {rate:,} Hz: that is no sound file that can be read")
    return _Format(kind, channels, rate, bits)


def _values(form: _Format, data: bytes) -> np.ndarray:
    """Samples in their order, channels interleaved; the rest of a cut frame is left out."""
    data = data[: len(data) // form.frame * form.frame]
    if form.kind == FLOAT:
        return np.frombuffer(data, f"<f{form.bits // 8}").astype(np.float64)
    if form.bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
    if form.bits == 24:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0] / 2.0**31
    return np.frombuffer(data, f"<i{form.bits // 8}") / 2.0 ** (form.bits - 1)


def _comment(info: bytes) -> str:
    at = 4
    while info[:4] == b"INFO" and at + 8 <= len(info):
        size = int.from_bytes(info[at + 4 : at + 8], "little")
        if info[at : at + 4] == COMMENT:
            return info[at + 8 : at + 8 + size].rstrip(b"\0").decode("utf-8", "replace")
        at += 8 + size + size % 2
    return ""


def wave_bytes(sound: np.ndarray, rate: int, comment: str = "", xmp: bytes = b"") -> bytes:
    """A WAV file of one channel and 16 bits; sound: (samples,) in [-1, 1], clipped; xmp: a packet for others."""
    samples = np.rint(np.nan_to_num(sound).clip(-1, 1) * 32767).astype("<i2").tobytes()
    parts = [_chunk(b"fmt ", struct.pack("<HHIIHH", PCM, 1, rate, 2 * rate, 2, 16))]
    if comment:
        parts.append(_chunk(b"LIST", b"INFO" + _chunk(COMMENT, comment.encode() + b"\0")))
    body = b"WAVE" + b"".join(parts) + _chunk(b"data", samples) + (_chunk(XMP, xmp) if xmp else b"")
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
