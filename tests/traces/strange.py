"""Good traces with something changed, their checksums made right again: what a stranger's file may be."""

from __future__ import annotations

import copy
import json
import math
import random
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

ODD: list[Any] = [
    None, True, -1, 0, 1, 2.5, 3, 10**6, 10**9, 2 * 10**9, 10**30, 1e308, float("nan"), float("inf"), "", "x", "image",
    "points", "text", "video", "audio", "smell", "../up", "\u202e<img src=x>\x1b[2J", "y" * 5000, [], [[]], [None], {},
    [1, 2], [0], [-1, -1], [10**6, 10**6], {"a": {"b": []}}, [[1.5] * 3] * 3, "invert", "each",
]  # fmt: skip
NUMBERS = [float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 0.5, 1.0, 2.0, 1e-300, 1e9, 1e30, 1e300, -1e300]


@dataclass
class Parts:
    """A trace taken apart: header, and of each record its scalars and its arrays' bytes."""

    header: dict[str, Any]
    scalars: list[list[float]]
    payloads: list[bytearray]

    @classmethod
    def of(cls, data: bytes) -> Parts:
        """Take a good file apart."""
        (length,) = struct.unpack_from("<I", data, 8)
        header = json.loads(data[16 : 16 + length])
        count = len(header["scalars"])
        scalars, payloads, at = [], [], 16 + length
        while at < len(data):
            (size,) = struct.unpack_from("<I", data, at + 4)
            payload = data[at + 16 : at + 16 + size]
            scalars.append(list(struct.unpack_from(f"<{count}d", payload)))
            payloads.append(bytearray(payload[8 * count :]))
            at += 16 + size
        return cls(header, scalars, payloads)

    def copy(self) -> Parts:
        """Another one that can be changed."""
        return copy.deepcopy(self)

    def bytes(self) -> bytes:
        """The file."""
        text = json.dumps(self.header).encode()
        out = [b"DSTRACE1", struct.pack("<II", len(text), zlib.crc32(text)), text]
        for scalars, rest in zip(self.scalars, self.payloads, strict=True):
            payload = struct.pack(f"<{len(scalars)}d", *scalars) + rest
            out += [b"STEP", struct.pack("<III", len(payload), zlib.crc32(payload), 0), payload]
        return b"".join(out)


def places(table: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a table of tables and lists; of long lists only the beginning."""
    found = [at] if at else []
    pairs = table.items() if isinstance(table, dict) else enumerate(table[:4]) if isinstance(table, list) else ()
    for key, value in pairs:
        found += places(value, (*at, key))
    return found


def put(table: Any, at: tuple[Any, ...], value: Any) -> None:
    """Another value at a place."""
    for key in at[:-1]:
        table = table[key]
    table[at[-1]] = value


def changed(good: Parts, seed: int) -> tuple[str, bytes]:
    """A change by that seed: what it is, and the file."""
    dice, made = random.Random(seed), good.copy()
    kind = dice.choice(
        ["header", "header", "header", "scalar", "scalar", "column", "values", "all", "bytes", "cut", "move"]
    )
    k = dice.randrange(len(made.scalars))
    if kind == "header":
        said = []
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            at, odd = dice.choice(places(made.header)), dice.choice(ODD)
            try:
                put(made.header, at, odd)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change has taken its place away
            said.append(f"{'.'.join(map(str, at))} = {str(odd)[:30]!r}")
        return f"header {', '.join(said)}", made.bytes()
    if kind in ("scalar", "column"):
        i, value = dice.randrange(len(made.scalars[0])), dice.choice(NUMBERS)
        for row in made.scalars[k : k + 1] if kind == "scalar" else made.scalars:
            row[i] = value
        return f"{kind} {made.header['scalars'][i]} of record {k} = {value}", made.bytes()
    if kind in ("values", "all"):
        value = dice.choice([float("nan"), float("inf"), -float("inf"), 1e38, -1e38, 0.0, 3.0, 1e-40, 7e4])
        for payload in made.payloads[k : k + 1] if kind == "values" else made.payloads:
            row = np.frombuffer(payload, "<f4").copy()
            part = slice(0, len(row) if dice.random() < 0.5 else max(1, len(row) // 7))
            row[part] = value
            payload[:] = row.tobytes()
        return f"{kind} of record {k} = {value}", made.bytes()
    if kind == "bytes":
        payload = made.payloads[k]
        for _ in range(dice.randrange(1, 200)):
            payload[dice.randrange(len(payload))] ^= 1 << dice.randrange(8)
        return f"bits of record {k}", made.bytes()
    if kind == "move":
        order = list(range(len(made.scalars)))
        dice.shuffle(order)
        made.scalars = [made.scalars[i] for i in order]
        return f"records in the order {order}", made.bytes()
    data = made.bytes()
    at = dice.randrange(len(data))
    return f"cut at {at}", data[:at]


LETTERS = list(" abcd")
TABLE = [[0.0, 0.0, 3.0], [3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [-3.0, 0.0, 0.0], [0.0, -3.0, 0.0]]
SOUND = {"rate": 8000, "window": 256, "hop": 64, "floor": 1e-3, "ceiling": 1.0}
# Of each kind the shape of a state, and what its card says.
KINDS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "image": ((1, 8, 8), {"data": {"dataset": "digits"}, "labels": ["0", "1"]}),
    "points": ((2,), {"data": {"dataset": "shapes-2d"}}),
    "video": ((3, 1, 8, 8), {}),
    "audio": ((1, 16, 8), {"audio": SOUND}),
    "text": ((1, 8), {"text": {"vocabulary": LETTERS, "process": "masked"}}),
    "vectors": ((3, 8), {"text": {"vocabulary": LETTERS, "process": "embedding", "embedding": TABLE}}),
}


def good(kind: str, batch: int = 3, steps: int = 4) -> Parts:
    """A trace of a kind as a run writes it, with values by a seed."""
    shape, more = copy.deepcopy(KINDS[kind])
    kinds = ("forward", "reverse")
    modality = "text" if kind == "vectors" else kind
    shapes = {"xt": shape, "x0_hat": shape}
    if modality == "text":
        shapes |= {"guesses": (5, 8), "odds": (5, 8), "entropy": (1, 8)} | (
            {"revealed": (1, 8)} if kind == "text" else {}
        )
    scalars = ["chain", "step", "t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds"]
    scalars += ["masked", "entropy"] if modality == "text" else []
    header = {
        "format_version": 1, "created": "2026-01-02", "device": "cpu", "labels": [0] * batch if kind == "image" else [],
        "request": {"model": kind, "seed": 1, "steps": steps, "forward": "fixed", "prompt": ""},
        "card": {"modality": modality, "name": kind, "step": 1, "shape": list(shape), **more},
        "fields": [{"name": n, "shape": [batch, *s], "dtype": "float32", "unit": ""} for n, s in shapes.items()],
        "scalars": scalars, "chains": [{"name": name, "records": steps} for name in kinds],
    }  # fmt: skip
    dice = np.random.default_rng(0)
    rows, payloads = [], []
    for k in range(2 * steps):
        chain, j = divmod(k, steps)
        t = 1 - j / (steps - 1) if chain else j / (steps - 1)
        snr = 2 * math.log((1 - t) / t) if 0 < t < 1 else math.inf if t == 0 else -math.inf
        rows.append([chain, j, t, 1 - t, t, snr, chain * j, float(j), 1.0, float(j), 0.1 * k, 4.0, 1.5][: len(scalars)])
        whole = {"guesses": 4, "odds": 0, "entropy": 0, "revealed": 3} | (
            {"xt": 5, "x0_hat": 4} if kind == "text" else {}
        )
        arrays = [
            dice.integers(0, whole[name] + 1, (batch, *each)) if whole.get(name) else dice.random((batch, *each))
            for name, each in shapes.items()
        ]
        payloads.append(bytearray(b"".join(array.astype("<f4").tobytes() for array in arrays)))
    return Parts(header, rows, payloads)
