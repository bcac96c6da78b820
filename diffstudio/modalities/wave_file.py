"""WAV files: PCM of 8 to 32 bits and floating point are read, 16 bits are written, with a comment."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile, BadInput

MAX_BYTES = 1 << 28
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


def read_wave(path: Path) -> Wave:
    """The sound in a WAV file.

    Raises:
        BadInput: no such file, or too large a one.  BadFile: it is not a WAV file, is damaged, or is compressed.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"can't read {path}: {error.strerror}") from error
    if content[:4] == b"RIFX":
        raise BadFile(f"{path} is a WAV file of big-endian numbers (RIFX): save it as a plain WAV")
    if content[:4] not in (b"RIFF", *LARGE) or content[8:12] != b"WAVE":
        raise BadFile(f"{path} is not a WAV file")
    chunks = _chunks(content)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise BadFile(f"{path} is a WAV file without sound, or was cut")
    form = _format(path, chunks[b"fmt "])
    values = _values(form, chunks[b"data"])
    if not np.isfinite(values).all():
        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
    return Wave(values.reshape(-1, form.channels), form.rate, _comment(chunks.get(b"LIST", b"")))


def _chunks(content: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name.

    A program that did not know the length beforehand wrote one that is too large, or 0: the sound then goes to the end.
    """
    found, at, large = {}, 12, 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"ds64" and size >= 16:
            large = int.from_bytes(content[at + 16 : at + 24], "little")
        if name == b"data":
            if size == 0xFFFFFFFF and large:
                size = large
            elif size == 0 and content[at + 8 : at + 12] not in _OTHERS:
                size = len(content)
        found.setdefault(name, content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


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
    frame = form.channels * form.bits // 8
    data = data[: len(data) // frame * frame]
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
