"""Anybody's trace: what its header says of the states is judged before a record is read, its records as they are."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from strange import KINDS, SOUND, good, put

from diffstudio.errors import BadFile
from diffstudio.traces.checked import open_checked
from diffstudio.traces.reader import Trace


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.trace"


@pytest.mark.parametrize("kind", KINDS)
def test_good_ones_open(path, kind):
    path.write_bytes(good(kind).bytes())
    with open_checked(path) as trace:
        assert (len(trace), trace.damaged, trace.sample_shape) == (8, 0, KINDS[kind][0])


def field(shape, name="xt"):
    return {"name": name, "shape": list(shape)}


# A kind, where its header is changed, to what, and what is said.
HEADERS = [
    ("image", ("card", "modality"), ["image"], "modality: Input should be a valid string"),
    ("image", ("card", "modality"), "smell", "a run of 'smell', which is not known here: .* newer DiffStudio"),
    ("image", ("card", "modality"), "points", r"a state of shape \(1, 8, 8\), expected 1 side"),
    ("points", ("fields", 0, "shape"), [3], r"a state of shape \(\), expected 1 side"),
    ("points", ("card", "shape"), [3], r"states have the shape \(2,\), those of its card \(3,\)"),
    ("image", ("fields", 1, "shape"), [3, 1, 8, 9], r"field 'x0_hat' has the shape \(3, 1, 8, 9\), 'xt' has"),
    ("image", ("fields", 1, "name"), "x1", "no field 'x0_hat', which every run has: it has xt, x1"),
    ("image", ("fields", 0, "shape"), [3, 1, 8, 5000], "sides of at most 4,096"),
    ("image", ("fields", 0, "shape"), [3, 1, 4000, 4000], "field 'xt' has 48,000,000 numbers a record, expected at"),
    ("image", ("chains", 0, "records"), 2 * 10**9, "chains.0.records: .*found '2000000000'"),
    ("image", ("labels",), [0] * 4, "4 labels for 3 samples"),
    ("image", ("labels",), [10**30] * 3, "labels.0"),
    ("image", ("card", "decoded"), [3, 8], r"decoded is \(3, 8\), expected the channels, height and width"),
    ("image", ("card", "colours"), [[math.nan]], "colours.0.0: Input should be a finite number"),
    ("image", ("request", "steps"), "many", "steps: Input should be a valid integer"),
    ("image", ("request", "forward"), {"a": 1}, "forward: Input should be a valid string"),
    ("image", ("device",), "x" * 2000, "device: String should have at most"),
    ("image", ("scalars", 7), "chain", "two scalars share a name"),
    ("image", ("chains", 1, "name"), "forward", "two chains share a name"),
    ("audio", ("card", "audio"), None, "does not say how its states become sound"),
    ("audio", ("card", "audio"), {**SOUND, "rate": 10**9}, "audio.rate"),
    ("text", ("card", "text"), None, "does not say what its tokens are"),
    ("text", ("card", "text", "process"), "embedding", "an embedding belongs to process 'embedding'"),
    ("text", ("fields", 2, "shape"), [3, 2, 8], r"field 'guesses' has the shape \(3, 2, 8\), expected"),
    ("vectors", ("card", "text", "embedding", 0, 0), 1e300, "text.embedding.0.0"),
    ("vectors", ("card", "text", "embedding"), [[1.0] * 4] * 5, "process 'embedding' have 4 channels, found 3"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "at", "value", "says"), HEADERS)
def test_a_header_that_does_not_fit_is_a_sentence_before_any_record_is_read(path, monkeypatch, kind, at, value, says):
    parts = good(kind)
    put(parts.header, at, value)
    path.write_bytes(parts.bytes())
    monkeypatch.setattr(Trace, "refresh", None)
    with pytest.raises(BadFile, match=says) as caught:
        open_checked(path)
    assert str(caught.value).startswith(f"{path}: ") and len(str(caught.value)) < 600 + len(str(path))


def test_what_a_file_of_gigabytes_promises_costs_nothing(path):
    parts = good("image")
    for spec in parts.header["fields"]:
        spec["shape"] = [4, 1, 4096, 4096]
    parts.header["card"]["shape"] = [1, 4096, 4096]
    path.write_bytes(parts.bytes())
    with path.open("r+b") as stream:
        stream.truncate(3 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(BadFile, match="67,108,864 numbers a record"):
            open_checked(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_large_record_is_not_in_memory_while_it_is_checked(path, monkeypatch):
    monkeypatch.setattr("diffstudio.traces.reader.BLOCK", 1 << 16)
    path.write_bytes(good("image", batch=4000).bytes())
    with Trace.open(path):
        pass
    tracemalloc.start()
    try:
        with Trace.open(path) as trace:
            assert (len(trace), trace.damaged) == (8, 0)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20 < trace.header.record_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("chain", math.nan, 5), ("chain", 0.0, 5), ("chain", 2.0, 5), ("step", math.inf, 5), ("t", math.nan, 5),
        ("a", 1e300, 5), ("s", -math.inf, 5), ("nfe", 1e30, 5), ("seconds", math.inf, 5), ("log_snr", math.nan, 5),
        ("log_snr", math.inf, 8), ("seconds", math.nan, 8), ("nfe", math.nan, 8),
        ("dx_norm", math.nan, 8), ("x0_change", math.inf, 8), ("eps_norm", -1e300, 8),
    ],
)  # fmt: skip
def test_a_record_that_does_not_say_when_it_is_ends_the_trace_and_a_norm_may_be_anything(path, name, value, kept):
    parts = good("image")
    parts.scalars[5][parts.header["scalars"].index(name)] = value
    path.write_bytes(parts.bytes())
    with open_checked(path) as trace:
        assert (len(trace), trace.damaged > 0) == (kept, kept < 8)
        if kept == 8:
            np.testing.assert_equal(trace.scalar(5, name), value)


def test_records_of_another_chain_than_whose_turn_it_is_are_not_shown(path):
    parts = good("points")
    parts.scalars[3], parts.scalars[4] = parts.scalars[4], parts.scalars[3]
    path.write_bytes(parts.bytes())
    with open_checked(path) as trace:
        assert (len(trace), trace.damaged > 0) == (3, True)
