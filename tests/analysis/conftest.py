"""A trace with values that the test chooses."""

import pytest

from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import PLACES, Trace
from diffstudio.traces.writer import TraceWriter


@pytest.fixture
def make_trace(tmp_path):
    opened = []

    def make(records, planned=None, dtype="float32", scalars=None, request=None):
        """records: one dict each, of scalars (`chain` and those that matter) and of arrays by field."""
        arrays = {name: value for name, value in records[0].items() if hasattr(value, "shape")}
        named = ("forward", "reverse")
        chains = planned or {name: sum(r["chain"] == i for r in records) for i, name in enumerate(named)}
        header = TraceHeader(
            created="2026-01-02",
            request=request or {},
            card={},
            fields=tuple({"name": n, "shape": v.shape, "dtype": dtype} for n, v in arrays.items()),
            chains=tuple({"name": n, "records": count} for n, count in chains.items() if count),
            **({"scalars": scalars} if scalars else {}),
        )
        path = tmp_path / f"{len(opened)}.dstrace"
        with TraceWriter(path, header) as writer:
            for record in records:
                given = {n: v for n, v in record.items() if n not in arrays}
                writer.append(dict.fromkeys((*PLACES, "log_snr"), 0.0) | given, {n: record[n] for n in arrays})
        opened.append(Trace.open(path))
        return opened[-1]

    yield make
    for trace in opened:
        trace.close()
