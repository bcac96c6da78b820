"""Reading a trace that was put together by hand: whole, growing, torn, damaged, cut."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from trace_bytes import SCALARS, STRIDE, half, record, scalars, single, start, trace

from diffstudio.errors import BadFile
from diffstudio.traces.reader import Trace


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.dstrace"


@pytest.fixture
def opened(path):
    opened = []

    def open_bytes(data):
        path.write_bytes(data)
        opened.append(Trace.open(path))
        return opened[-1]

    yield open_bytes
    for found in opened:
        found.close()


def test_values_are_those_in_the_bytes(opened):
    found = opened(trace(5))
    assert (len(found), found.planned, found.complete, found.damaged) == (5, 5, True, 0)
    for k in range(5):
        np.testing.assert_array_equal(found.array(k, "xt"), single(k))
        np.testing.assert_array_equal(found.array(k, "x0_hat"), half(k))
        assert {name: found.scalar(k, name) for name in SCALARS} == scalars(k)
    assert found.array(0, "x0_hat").dtype == found.array(0, "xt").dtype == np.float32


def test_header_says_what_the_states_are(opened):
    found = opened(trace(1))
    assert (found.modality, found.batch, found.sample_shape) == ("points", 3, (1,))
    assert found.header.request["seed"] == 7
    assert opened(trace(1, card={})).modality == "image"


def test_scalars_by_name(opened):
    found = opened(trace(3))
    np.testing.assert_array_equal(found.scalars("t"), [0 + 2 / 3, 1 + 2 / 3, 2 + 2 / 3])
    assert found.has_scalar("t")
    assert not found.has_scalar("temperature")
    with pytest.raises(KeyError):
        found.scalars("temperature")


def test_chains_are_told_apart(opened):
    payload = bytearray(record(0)[16:])
    payload[:8] = struct.pack("<d", 0.0)
    forward = b"STEP" + struct.pack("<III", len(payload), zlib.crc32(payload), 0) + bytes(payload)
    chains = [{"name": "forward", "records": 2}, {"name": "reverse", "records": 3}]
    found = opened(start(chains=chains) + forward * 2 + record(2))
    assert [found.chain(k) for k in range(3)] == [0, 0, 1]
    assert (found.first_of(0), found.first_of(1)) == (0, 2)
    assert opened(trace(2)).first_of(0) is None


@pytest.mark.parametrize("sample", [0, 2, -1, np.int64(1), slice(0, 2), slice(1, None), slice(-2, None), slice(2, 1)])
def test_samples_are_picked_as_numpy_picks_them(opened, sample):
    found = opened(trace(2))
    for name, whole in (("xt", single(1)), ("x0_hat", half(1))):
        picked = found.array(1, name, sample)
        assert picked.shape == whole[sample].shape
        np.testing.assert_array_equal(picked, whole[sample])


@pytest.mark.parametrize("sample", [3, -4, slice(0, 3, 2), slice(None, None, -1)])
def test_samples_that_are_not_there_or_not_in_one_piece_are_refused(opened, sample):
    with pytest.raises(IndexError):
        opened(trace(2)).array(1, "xt", sample)


def test_an_array_that_was_read_is_at_hand_for_the_next_who_asks(opened, path):
    found = opened(trace(4))
    first, part = found.array(1, "xt"), found.array(1, "xt", slice(1, 3))
    assert np.shares_memory(first, found.array(1, "xt"))
    assert np.shares_memory(first, part)
    np.testing.assert_array_equal(part, single(1)[1:3])
    np.testing.assert_array_equal(found.array(1, "xt", 2), single(1)[2])
    np.testing.assert_array_equal(found.array(1, "x0_hat"), half(1))


def test_only_a_few_small_arrays_are_kept(opened, monkeypatch):
    found = opened(trace(5))
    first = found.array(0, "xt")
    for k in range(1, 5):
        found.array(k, "xt"), found.array(k, "x0_hat")
    assert not np.shares_memory(first, found.array(0, "xt"))
    monkeypatch.setattr("diffstudio.traces.reader.RECENT_BYTES", 11)
    assert not np.shares_memory(found.array(2, "xt", slice(0, 3)), found.array(2, "xt", slice(0, 3)))


@pytest.mark.parametrize("name", ["xt", "x0_hat"])
def test_what_is_shared_can_not_be_written_to(opened, name):
    found = opened(trace(2))
    for array in (found.array(0, name), found.array(1, name, 0), found.array(0, name, slice(0, 1))):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_closed_trace_gives_nothing_from_memory(opened):
    found = opened(trace(2))
    found.array(0, "xt")
    found.close()
    with pytest.raises(BadFile, match="is closed"):
        found.array(0, "xt")


def test_records_and_fields_that_are_not_there(opened):
    found = opened(trace(2))
    for k in (2, -1):
        with pytest.raises(IndexError, match=f"record {k} of 2"):
            found.array(k, "xt")
    with pytest.raises(KeyError, match="no field 'mask'"):
        found.array(0, "mask")


def test_a_growing_file_shows_each_record_once_it_is_complete(opened, path):
    found = opened(start())
    assert (len(found), found.complete) == (0, False)
    with path.open("ab") as stream:
        for k in range(5):
            stream.write(record(k)[:-1])
            stream.flush()
            assert found.refresh() == len(found) == k
            stream.write(record(k)[-1:])
            stream.flush()
            assert found.refresh() == k + 1
            np.testing.assert_array_equal(found.array(k, "xt"), single(k))
            assert found.scalar(k, "seconds") == scalars(k)["seconds"]
    assert found.complete
    assert found.damaged == 0


def test_a_tail_torn_at_any_byte_is_not_shown_and_is_counted(opened):
    whole = trace(3)
    for kept in range(STRIDE):
        found = opened(whole[: len(start()) + 2 * STRIDE + kept])
        assert (len(found), found.damaged) == (2, kept), kept
        np.testing.assert_array_equal(found.array(1, "xt"), single(1))
        found.close()


def test_a_flipped_bit_in_any_byte_ends_the_trace_there(opened):
    whole = trace(4)
    for i in range(STRIDE):
        broken = bytearray(whole)
        broken[len(start()) + STRIDE + i] ^= 1 << (i % 8)
        found = opened(broken)
        assert (len(found), found.damaged) == (1, 3 * STRIDE), i
        np.testing.assert_array_equal(found.array(0, "xt"), single(0))
        with pytest.raises(IndexError):
            found.array(1, "xt")
        found.close()


def test_what_lies_behind_the_planned_records_is_not_shown(opened):
    found = opened(trace(7))
    assert (len(found), found.complete, found.damaged) == (5, True, 2 * STRIDE)


def test_a_missing_file_and_a_folder_are_named(path, tmp_path):
    with pytest.raises(BadFile, match=r"^can't open .*run\.dstrace: No such file"):
        Trace.open(path)
    with pytest.raises(BadFile, match=rf"{tmp_path.name}: it is not a file"):
        Trace.open(tmp_path)


def test_a_file_cut_while_open_loses_only_what_was_cut(opened, path):
    found = opened(trace(4))
    os.truncate(path, len(start()) + 2 * STRIDE + 20)
    np.testing.assert_array_equal(found.array(1, "xt"), single(1))
    for k in (2, 3):
        with pytest.raises(BadFile, match=rf"run\.dstrace: record {k} is gone: the file was cut"):
            found.array(k, "xt")
    assert found.refresh() == 4
    assert found.damaged == 0  # bytes that are there and not shown: none


def test_a_closed_trace_keeps_its_scalars_and_refuses_its_arrays(opened):
    found = opened(trace(2))
    with found:
        pass
    found.close()
    assert found.refresh() == 2
    assert found.scalar(1, "t") == scalars(1)["t"]
    with pytest.raises(BadFile, match="is closed"):
        found.array(0, "xt")


def test_a_refused_file_is_not_left_open(path):
    path.write_bytes(b"no trace at all, but long enough for a prefix")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    with pytest.raises(BadFile):
        Trace.open(path)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_opening_holds_one_record_in_memory_not_the_file(opened):
    changes = {"fields": [{"name": "xt", "shape": [1, 1 << 18]}], "chains": [{"name": "reverse", "records": 24}]}
    payload = struct.pack("<11d", *scalars(0).values()) + bytes(1 << 20)
    one = b"STEP" + struct.pack("<III", len(payload), zlib.crc32(payload), 0) + payload
    data = start(**changes) + one * 24
    tracemalloc.start()
    try:
        assert len(opened(data)) == 24
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
