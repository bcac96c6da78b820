"""The trace header: sizes counted by hand, and what it refuses."""

from __future__ import annotations

import json
import struct

import pytest
from trace_bytes import PAYLOAD, SCALARS, STRIDE, header, prefix, record, start, trace

from diffstudio.errors import BadFile
from diffstudio.traces.format import SCALARS as WRITTEN_SCALARS
from diffstudio.traces.format import TraceHeader, parse_header
from diffstudio.traces.reader import Trace


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.dstrace"


def parse(**changes):
    return parse_header(json.dumps(header(**changes)).encode(), "run.dstrace")


def field(**changes):
    return {"name": "xt", "shape": [3, 2], "dtype": "float32", **changes}


def test_sizes_are_those_counted_by_hand():
    found = parse(chains=[{"name": "forward", "records": 2}, {"name": "reverse", "records": 5}])
    assert found.payload_bytes == PAYLOAD == 118
    assert found.record_bytes == STRIDE == len(record(0))
    assert found.total_records == 7
    assert found.total_bytes == 7 * STRIDE
    assert [f.nbytes for f in found.fields] == [6, 24]


def test_fields_lie_behind_the_scalars_in_their_order():
    found = parse()
    assert (found.offset_of("x0_hat"), found.offset_of("xt")) == (88, 94)


def test_an_unknown_field_is_named_with_those_there_are():
    with pytest.raises(KeyError, match=r"no field 'mask': it has x0_hat, xt"):
        parse().offset_of("mask")


def test_header_keeps_what_it_was_given():
    found = parse(labels=[3, None], device="cpu", versions={"torch": "2.11"}, checkpoint_sha256="ab")
    assert found.request == {"model": "rings", "seed": 7}
    assert found.card["modality"] == "points"
    assert found.labels == (3, None)
    assert found.fields[1].unit == "px"
    assert parse_header(found.model_dump_json().encode(), "again") == found


def test_every_step_carries_the_documented_scalars_by_default():
    plain = header()
    del plain["scalars"]
    assert TraceHeader.model_validate(plain).scalars == tuple(SCALARS) == WRITTEN_SCALARS


@pytest.mark.parametrize("text", [b"", b"{", b"not json", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_not_json_is_called_damaged(text):
    with pytest.raises(BadFile, match=r"^run\.dstrace: the trace header is not JSON; the file is damaged"):
        parse_header(text, "run.dstrace")


@pytest.mark.parametrize("text", [b"[]", b"null", b"3", b'"text"'])
def test_json_that_is_no_table_is_refused(text):
    with pytest.raises(BadFile, match=r"^run\.dstrace: header: "):
        parse_header(text, "run.dstrace")


def test_a_newer_format_asks_for_a_newer_program():
    with pytest.raises(BadFile, match=r"^run\.dstrace: trace format 2, expected 1: open it with a newer DiffStudio"):
        parse(format_version=2, something_new=True)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format_version": 0}, "format_version"),
        ({"extra": 1}, r"extra: .*found '1'"),
        ({"fields": []}, "fields"),
        ({"fields": [field(name="x/t")]}, r"fields\.0\.name: .*found 'x/t'"),
        ({"fields": [field(name="")]}, r"fields\.0\.name"),
        ({"fields": [field(name="x" * 41)]}, r"fields\.0\.name"),
        ({"fields": [field(name="xt\n")]}, r"fields\.0\.name"),
        ({"fields": [field(shape=[])]}, r"fields\.0\.shape"),
        ({"fields": [field(shape=[3, 0])]}, r"fields\.0\.shape\.1: .*found '0'"),
        ({"fields": [field(shape=[-1, 2])]}, r"fields\.0\.shape\.0"),
        ({"fields": [field(shape=[10**9 + 1])]}, r"fields\.0\.shape\.0"),
        ({"fields": [field(shape=[1] * 9)]}, r"fields\.0\.shape"),
        ({"fields": [field(dtype="float64")]}, r"fields\.0\.dtype"),
        ({"fields": [field(name=f"f{i}") for i in range(17)]}, "fields"),
        ({"fields": [field(), field()]}, "two fields share a name"),
        ({"fields": [field(), field(name="mask", shape=[4, 2])]}, "different batch sizes"),
        ({"fields": [field(shape=[10**6, 10**6])]}, "4000000000088 bytes"),
        ({"chains": []}, "chains"),
        ({"chains": [{"name": "sideways", "records": 1}]}, r"chains\.0\.name"),
        ({"chains": [{"name": "reverse", "records": 0}]}, r"chains\.0\.records"),
        ({"chains": [{"name": "reverse", "records": 1}] * 3}, "chains"),
        ({"scalars": ["chain", "step", "t"]}, "the scalars lack a, log_snr, s"),
        ({"scalars": SCALARS + [f"more{i}" for i in range(64)]}, "scalars"),
    ],
)
def test_a_header_out_of_bounds_names_file_and_field(changes, says):
    with pytest.raises(BadFile, match=says) as caught:
        parse(**changes)
    assert str(caught.value).startswith("run.dstrace: ")


def test_a_record_may_take_four_gibibytes_and_no_more():
    third = (2**32 - 1 - 88) // 6
    assert parse(fields=[field(shape=[3, third], dtype="float16")]).payload_bytes == 2**32 - 6
    with pytest.raises(BadFile, match="4294967296 bytes, expected at most 4294967295"):
        parse(fields=[field(shape=[3, third + 1], dtype="float16")])


def test_what_was_found_is_cut_short_in_the_message():
    with pytest.raises(BadFile) as caught:
        parse(created=["long"] * 10_000)
    assert len(str(caught.value)) < 300


def test_a_flipped_bit_in_any_byte_of_the_header_is_found(path):
    for i in range(len(start())):
        broken = bytearray(trace(1))
        broken[i] ^= 1
        path.write_bytes(broken)
        with pytest.raises(BadFile) as caught:
            Trace.open(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not a DiffStudio trace"),
        (start()[:15], "is not a DiffStudio trace"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a DiffStudio trace"),
        (b"DSTRACE2" + start()[8:], "trace format 2, expected 1"),
        (start()[:-1], "header is damaged or cut short"),
        (start()[:16], "header is damaged or cut short"),
        (prefix(b"not json"), "header is not JSON"),
        (prefix(json.dumps(header(format_version=9)).encode()), "trace format 9, expected 1: open it with a newer"),
        (b"DSTRACE1" + struct.pack("<II", (4 << 20) + 1, 0) + b"{}", "has 4194305 bytes, expected at most 4194304"),
        (b"DSTRACE1" + b"\xff" * 8, "has 4294967295 bytes, expected at most 4194304"),
    ],
)
def test_a_file_that_is_no_usable_trace_says_why(path, data, says):
    path.write_bytes(data)
    with pytest.raises(BadFile, match=says) as caught:
        Trace.open(path)
    assert str(caught.value).startswith(str(path))
