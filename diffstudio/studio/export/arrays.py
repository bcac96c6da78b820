"""The arrays of a trace as one .npz, written record by record: memory stays at one record, whatever the run's size."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from typing import IO, BinaryIO

import numpy as np

from diffstudio.analysis.fields import is_true
from diffstudio.studio.provenance import portable_request
from diffstudio.traces.reader import Trace

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same trace gives the same file


def write_arrays(trace: Trace, stream: BinaryIO, step: Callable[[], None] = lambda: None) -> None:
    """Write what is recorded; nothing in the file needs unpickling.

    xt, x0_hat: (R, B, …) float32, the reverse chain from noise to sample.  t: (R,) float64.
    x0_cond, x0_free: the same of both halves of guidance, where they are recorded.
    forward_xt (F, B, …), forward_t: the forward chain from data to noise; of an inversion forward_x0_hat too.
    Each chain only where it is recorded.
    labels: (B,) int64, −1 where none was asked for.  request: JSON.
    step: called before every record of every array; it may raise to stop.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as file:
        for name, field, records in members(trace):
            with file.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                _start(member, (len(records), trace.batch, *trace.sample_shape), "<f4")
                for k in records:
                    step()
                    member.write(trace.array(k, field).astype("<f4").tobytes())
        small = {f"{prefix}t": trace.scalars("t")[records] for prefix, records in _chains(trace)}
        small["labels"] = np.array([-1 if label is None else label for label in trace.header.labels], np.int64)
        small["request"] = np.array(json.dumps(portable_request(trace.header)))
        for name, values in small.items():
            with file.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w") as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


def members(trace: Trace) -> list[tuple[str, str, list[int]]]:
    """The large arrays: name in the file, field, records.

    The x̂0 of a forward chain is x_0, its first record, unless a network made the chain; halves of guidance it has none.
    """
    recorded = tuple(spec.name for spec in trace.header.fields)
    found = []
    for prefix, records in _chains(trace):
        noised = ("xt",) if is_true(trace, records[0]) else ("xt", "x0_hat")
        fields = noised if prefix else recorded
        found += [(prefix + field, field, records) for field in fields]
    return found


def size(trace: Trace) -> int:
    """Bytes of the file, to within some kilobytes."""
    each = 4 * trace.batch * math.prod(trace.sample_shape)
    return 4096 + 8 * trace.batch + sum(len(records) * each for _, _, records in members(trace))


def _chains(trace: Trace) -> list[tuple[str, list[int]]]:
    chains = trace.scalars("chain")
    found = [("", np.flatnonzero(chains == 1).tolist()), ("forward_", np.flatnonzero(chains == 0).tolist())]
    return [(prefix, records) for prefix, records in found if records]


def _start(member: IO[bytes], shape: tuple[int, ...], dtype: str) -> None:
    np.lib.format.write_array_header_1_0(member, {"descr": dtype, "fortran_order": False, "shape": shape})
