"""A trace file put together by hand from the written layout: what writer and reader are judged against."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np

SCALARS = ["chain", "step", "t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds"]
# An odd number of half-precision values first, so that the float32 field behind it is not aligned.
HALF, SINGLE = (3, 1), (3, 1, 2)
PAYLOAD = 11 * 8 + 3 * 2 + 6 * 4
STRIDE = 16 + PAYLOAD


def header(**changes: Any) -> dict[str, Any]:
    """A header of five reverse records with a float16 and a float32 field; changes replace its entries."""
    plain = {
        "format_version": 1,
        "created": "2026-01-02T03:04:05Z",
        "request": {"model": "rings", "seed": 7},
        "card": {"name": "rings", "modality": "points"},
        "fields": [
            {"name": "x0_hat", "shape": list(HALF), "dtype": "float16", "unit": ""},
            {"name": "xt", "shape": list(SINGLE), "dtype": "float32", "unit": "px"},
        ],
        "scalars": SCALARS,
        "chains": [{"name": "reverse", "records": 5}],
    }
    return {**plain, **changes}


def half(k: int) -> np.ndarray:
    """x0_hat of record k: halves, which float16 holds exactly."""
    return (np.arange(3, dtype=np.float32) / 2 - k).reshape(HALF)


def single(k: int) -> np.ndarray:
    """xt of record k: not representable in half precision."""
    return (np.arange(6, dtype=np.float32) + np.float32(0.1) * (k + 1)).reshape(SINGLE)


def scalars(k: int) -> dict[str, float]:
    """The scalars of record k; the chain is 1 (reverse), the rest are thirds, which need all of float64."""
    return {"chain": 1.0, **{name: k + i / 3 for i, name in enumerate(SCALARS[1:], 1)}}


def prefix(text: bytes) -> bytes:
    """Magic, length and CRC of a header, and the header."""
    return b"DSTRACE1" + struct.pack("<II", len(text), zlib.crc32(text)) + text


def record(k: int) -> bytes:
    """Record k with its framing."""
    payload = struct.pack("<11d", *scalars(k).values())
    payload += struct.pack("<3e", *half(k).ravel()) + struct.pack("<6f", *single(k).ravel())
    return b"STEP" + struct.pack("<III", len(payload), zlib.crc32(payload), 0) + payload


def trace(records: int, **changes: Any) -> bytes:
    """A whole file."""
    return start(**changes) + b"".join(record(k) for k in range(records))


def start(**changes: Any) -> bytes:
    """A file's beginning, up to the first record."""
    return prefix(json.dumps(header(**changes)).encode())
