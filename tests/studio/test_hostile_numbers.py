"""Arrays, tables and texts that promise more than there is room for, or are torn: each is a sentence, at once."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hostile import MEANINGS, npy, packed, refused

from diffstudio.errors import BadFile
from diffstudio.modalities import table_file, text_file
from diffstudio.studio import array_file
from diffstudio.studio.sources import load_source


def test_an_array_is_judged_by_its_header(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy((1 << 24, 2), b"x" * 100))
    assert "is not an array file" in refused(tmp_path / "a.npy", "points", BadFile)
    (tmp_path / "a.npy").write_bytes(npy((4, 2), bytes(8 << 20), "<U262144"))
    assert "holds values of type <U262144, expected numbers" in refused(tmp_path / "a.npy", "points")
    hole = np.zeros((1 << 25, 2), np.uint8)  # 64 MB that are 64 kB in the archive
    assert "holds an array of 67,108,864 values" in refused(
        packed(tmp_path / "a.npz", ("a.npy", npy(hole.shape, hole.tobytes(), "|u1"))), "points"
    )


def test_an_archive_of_too_many_arrays_is_not_listed(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.npz", *((f"{i}.npy", b"") for i in range(30)))
    monkeypatch.setattr(array_file, "MAX_MEMBERS", 29)
    assert "an archive of 30 files, expected at most 29" in refused(path, "points", BadFile)


@pytest.mark.parametrize("fortran", [False, True])
def test_of_our_own_arrays_the_last_state_is_read_whatever_came_before(tmp_path, monkeypatch, fortran):
    states = np.arange(24.0, dtype="<f4").reshape(3, 4, 2)
    data = npy(states.shape, states.tobytes("F" if fortran else "C"), fortran=fortran)
    monkeypatch.setattr(array_file, "PIECE", 5)
    found = load_source(
        packed(tmp_path / "a.npz", ("t.npy", npy((3,), bytes(12))), ("xt.npy", data)), MEANINGS["points"]
    )
    np.testing.assert_array_equal(found, states[-1])


def test_a_table_of_too_many_rows_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 50)
    monkeypatch.setattr(table_file, "MAX_ROWS", 49)
    assert "more than 49 rows" in refused(tmp_path / "a.csv", "points")


def test_a_table_is_bounded_in_cells_and_in_the_length_of_a_line(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("1,2\n" * 50)
    monkeypatch.setattr(table_file, "MAX_CELLS", 99)
    assert "more than 99 cells" in refused(tmp_path / "a.csv", "points")
    monkeypatch.setattr(table_file, "MAX_LINE", 2)
    assert "line 1: 3 characters, expected at most 2" in refused(tmp_path / "a.csv", "points")


@pytest.mark.parametrize("text", ['1,2\n"3,4\n5,6\n', f'1,2\n"{"x" * 200_000}",4\n'])
def test_a_quotation_mark_that_is_never_closed_and_a_long_cell_are_a_wrong_row(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert "line 2: " in refused(tmp_path / "a.csv", "points", BadFile)


def test_a_header_of_an_array_is_not_read_whatever_its_length(tmp_path):
    head = b"\x93NUMPY\x02\x00" + struct.pack("<I", 256 << 20)
    path = packed(tmp_path / "a.npz", ("a.npy", head + bytes(256 << 20)))
    assert "is not an array file" in refused(path, "points", BadFile)


@pytest.mark.parametrize(
    "header", ["{'descr': (", "((((" * 999, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 10**99)}",
               "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -2)}", "{1: 2, 'a': 3}", "{'descr': [()]}",
               f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {10**30})}}"]
)  # fmt: skip
@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00"])
def test_a_header_of_an_array_that_is_none_is_one_sentence(tmp_path, header, version):
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY" + version + length + header.encode())
    assert "is not an array file" in refused(tmp_path / "a.npy", "points", BadFile)


def test_a_text_becomes_no_more_states_than_there_is_room_for(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a\n" * 90)
    monkeypatch.setattr(text_file, "MAX_VALUES", 8 * 10)
    assert load_source(tmp_path / "a.txt", MEANINGS["text"]).shape == (10, 1, 8)


def test_numbers_that_single_precision_does_not_hold_are_not_finite(tmp_path):
    for kind, shape in (("points", (3, 2)), ("image", (1, 8, 8))):
        np.save(tmp_path / "a.npy", np.full(shape, 1e300))
        if kind == "points":
            assert "not finite" in refused(tmp_path / "a.npy", kind, BadFile)
        else:
            assert np.isfinite(load_source(tmp_path / "a.npy", MEANINGS[kind])).all()  # one grey
