"""Writing a trace: the bytes are taken apart by hand, and a full disk leaves what was written."""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib

import numpy as np
import pytest
from trace_bytes import HALF, SINGLE, STRIDE, half, header, record, scalars, single

from diffstudio.errors import NoRoom
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

HEADER = TraceHeader.model_validate(header())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.dstrace"


def append(writer, k):
    return writer.append(scalars(k), {"xt": single(k), "x0_hat": half(k)})


def full_disk(monkeypatch, room):
    write = os.write
    left = [room]

    def limited(descriptor, data):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        part = bytes(data)[: left[0]]
        left[0] -= len(part)
        return write(descriptor, part)

    monkeypatch.setattr(os, "write", limited)


def test_the_file_has_the_documented_layout(path):
    with TraceWriter(path, HEADER) as writer:
        assert [append(writer, k) for k in range(2)] == [0, 1]
        assert len(writer) == 2
    data = path.read_bytes()
    magic, length, crc = struct.unpack_from("<8sII", data)
    text = data[16 : 16 + length]
    assert magic == b"DSTRACE1"
    assert crc == zlib.crc32(text)
    assert json.loads(text)["fields"] == header()["fields"]
    assert data[16 + length :] == record(0) + record(1)


def test_what_is_written_is_read_back_in_single_and_half_precision(path):
    with TraceWriter(path, HEADER) as writer:
        for k in range(5):
            append(writer, k)
    with Trace.open(path) as found:
        assert found.header == HEADER
        assert found.complete
        for k in range(5):
            np.testing.assert_array_equal(found.array(k, "xt"), single(k))
            np.testing.assert_array_equal(found.array(k, "x0_hat"), half(k))
            assert found.scalar(k, "log_snr") == scalars(k)["log_snr"]


def test_half_precision_rounds_to_the_nearest_and_overflows_to_infinity(path):
    values = np.array([[1 / 3], [70_000.0], [np.nan]], np.float64)
    with TraceWriter(path, HEADER) as writer:
        writer.append(scalars(0), {"xt": single(0), "x0_hat": values})
    with Trace.open(path) as found:
        stored = found.array(0, "x0_hat")
    assert abs(stored[0, 0] - 1 / 3) <= 2**-13  # half a unit in the last place between 1/4 and 1/2
    assert stored[0, 0] != np.float32(1 / 3)
    assert np.isposinf(stored[1, 0])
    assert np.isnan(stored[2, 0])


def test_a_scalar_that_is_not_given_is_nan_and_none_is_left_from_the_record_before(path):
    with TraceWriter(path, HEADER) as writer:
        append(writer, 0)
        sound = {name: scalars(1)[name] for name in ("chain", "step", "t", "a", "s", "log_snr", "nfe", "seconds")}
        writer.append(sound, {"xt": single(1), "x0_hat": half(1)})
    with Trace.open(path) as found:
        assert found.scalar(0, "dx_norm") == scalars(0)["dx_norm"]
        assert np.isnan(found.scalar(1, "dx_norm"))
        assert found.scalar(1, "step") == scalars(1)["step"]


def test_the_reader_follows_the_writer(path):
    with TraceWriter(path, HEADER) as writer, Trace.open(path) as found:
        assert len(found) == 0
        for k in range(5):
            append(writer, k)
            assert found.refresh() == k + 1
            np.testing.assert_array_equal(found.array(k, "xt"), single(k))
        assert found.complete


def test_arrays_in_another_memory_order_are_written_in_c_order(path):
    fields = [{"name": "xt", "shape": [2, 3]}]
    values = np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3))
    with TraceWriter(path, TraceHeader.model_validate(header(fields=fields))) as writer:
        writer.append(scalars(0), {"xt": values})
    assert path.read_bytes()[-24:] == struct.pack("<6f", *range(6))


def test_an_array_that_is_missing_or_of_another_shape_writes_nothing(path):
    with TraceWriter(path, HEADER) as writer:
        append(writer, 0)
        size = path.stat().st_size
        with pytest.raises(KeyError):
            writer.append(scalars(1), {"xt": single(1)})
        with pytest.raises(ValueError, match="broadcast"):
            writer.append(scalars(1), {"xt": np.zeros((4, *SINGLE[1:])), "x0_hat": np.zeros(HALF)})
        assert path.stat().st_size == size
        append(writer, 1)
    with Trace.open(path) as found:
        assert (len(found), found.damaged) == (2, 0)
        np.testing.assert_array_equal(found.array(1, "xt"), single(1))


@pytest.mark.parametrize("room", [0, 1, 15, 16, 17, STRIDE - 1])
def test_a_full_disk_leaves_the_earlier_records_and_no_torn_one(path, monkeypatch, room):
    with TraceWriter(path, HEADER) as writer:
        append(writer, 0)
        append(writer, 1)
        size = path.stat().st_size
        with monkeypatch.context() as patch:
            full_disk(patch, room)
            with pytest.raises(NoRoom, match=r"^can't write the trace .*run\.dstrace: No space left on device"):
                append(writer, 2)
        assert len(writer) == 2
        assert path.stat().st_size == size
        with Trace.open(path) as found:
            assert (len(found), found.damaged) == (2, 0)
            np.testing.assert_array_equal(found.array(1, "xt"), single(1))
        assert append(writer, 2) == 2  # room was made
    with Trace.open(path) as found:
        np.testing.assert_array_equal(found.array(2, "xt"), single(2))


def test_short_writes_are_continued(path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data)[:7]))
    with TraceWriter(path, HEADER) as writer:
        append(writer, 0)
    assert path.read_bytes()[-STRIDE:] == record(0)


def test_a_disk_that_is_full_at_once_refuses_to_begin_and_leaks_no_descriptor(path, monkeypatch):
    full_disk(monkeypatch, 10)
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    with pytest.raises(NoRoom, match=r"run\.dstrace: No space left"):
        TraceWriter(path, HEADER)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_a_disk_that_turns_out_full_at_the_end_says_so(path, monkeypatch):
    close = os.close

    def full(descriptor):
        close(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = TraceWriter(path, HEADER)
    append(writer, 0)
    monkeypatch.setattr(os, "close", full)
    with pytest.raises(NoRoom, match=r"run\.dstrace: No space left"):
        writer.close()
    writer.close()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NoRoom, match=r"can't write the trace .*nowhere.run\.dstrace: No such file"):
        TraceWriter(tmp_path / "nowhere" / "run.dstrace", HEADER)


def test_an_older_trace_of_that_name_stays_whole_for_who_reads_it(path):
    with TraceWriter(path, HEADER) as writer:
        append(writer, 0)
        append(writer, 1)
    with Trace.open(path) as old, TraceWriter(path, HEADER) as writer:
        writer.append(scalars(0), {"xt": np.zeros(SINGLE), "x0_hat": np.zeros(HALF)})
        np.testing.assert_array_equal(old.array(1, "xt"), single(1))
        with Trace.open(path) as new:
            assert len(new) == 1
            assert not new.array(0, "xt").any()


def test_closing_twice_is_closing_once(path):
    writer = TraceWriter(path, HEADER)
    append(writer, 0)
    writer.close()
    writer.close()
    assert path.read_bytes().endswith(b"}" + record(0))
