"""Tables as people and programs write them: separators, decimal commas, headings, names, encodings."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning, Taking
from diffstudio.modalities.table_file import read_table

PLANE = Meaning("points", (2,))
ROWS = [[1.5, 2], [-3, 0.25]]


def read(path, text, part=None, encoding="utf-8", meaning=PLANE):
    path.write_bytes(text.encode(encoding))
    return read_table(path, meaning, Taking(part=part))


@pytest.mark.parametrize(
    "text",
    [
        "1.5,2\n-3,.25\n",
        "1.5\t2\n-3\t0.25",
        "1,5;2\n-3;0,25\n",  # as a German spreadsheet writes it
        "1,5\t2\n-3\t0,25\n",
        "1,5 2,0\n-3,0 0,25\n",
        "x;y\n1,5;2\n-3;0,25\n",
        '"x","y"\r\n"1.5","2"\r\n"-3","0.25"\r\n',
        ",x,y\n0,1.5,2\n1,-3,0.25\n",  # as pandas writes it, with its index
        "y,t,x\n2,9,1.5\n0.25,9,-3\n",  # columns by name
        "X, Y\n1.5, 2\n-3, 0.25,\n",
        "# made by hand\nx y\n1.5 2\n\n-3 0.25\n",
        "1.5 2\n-3\t0.25\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_way_of_writing_it_is_the_same_table(tmp_path, text, encoding):
    assert read(tmp_path / "a.csv", text, encoding=encoding).rows.tolist() == ROWS


def test_thousands_with_points_and_a_decimal_comma(tmp_path):
    assert read(tmp_path / "a.csv", "1.234,5;2\n3;4,25\n").rows.tolist() == [[1234.5, 2], [3, 4.25]]


def test_three_coordinates_by_name(tmp_path):
    taken = read(tmp_path / "a.csv", "z,x,y,label\n3,1,2,7\n", meaning=Meaning("points", (3,)))
    assert taken.rows.tolist() == [[1, 2, 3]]


DOZEN = "dataset\tx\ty\ndino\t55.4\t97.2\ndino\t51.5\t96\naway\t32\t61.4\naway\t53\t26\naway\t1\t2\n"


@pytest.mark.parametrize(
    ("part", "count", "taken"), [(None, 2, "dino"), ("away", 3, "away"), ("DINO", 2, "DINO"), ("all", 5, "all")]
)
def test_of_data_sets_in_one_file_one_is_taken_and_the_others_are_named(tmp_path, part, count, taken):
    found = read(tmp_path / "a.tsv", DOZEN, part)
    assert (len(found.rows), found.info.part, found.info.parts) == (count, taken, ("dino", "away", "all"))
    told = "its rows have 2 names in the column 'dataset': 'dino', 2 rows, is taken (--part chooses others)"
    assert found.info.note == (told if part is None else "")


def test_of_classes_in_one_file_all_are_taken_and_one_can_be_chosen(tmp_path):
    found = read(tmp_path / "a.csv", "x,y,species\n1,2,a\n3,4,b\n5,6,a\n")
    assert len(found.rows) == 3 and "all of them are taken" in found.info.note
    assert read(tmp_path / "a.csv", "1,2,a\n3,4,b\n5,6,a\n", "b").rows.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("text", "part", "error", "sentence"),
    [
        (DOZEN, "cat", BadInput, r"a\.csv has no rows named 'cat': choose one of dino, away, or all"),
        ("1,2\n", "dino", BadInput, r"a\.csv has no column of names, found 'dino': leave the part out"),
        ("x,y\n1,2\n3,four\n", None, BadFile, r"a\.csv, line 3: '3,four' is not a row of numbers"),
        ("x,y\n1,2\n3,\n", None, BadFile, r"a\.csv, line 3: 1 numbers, expected 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, part, error, sentence):
    with pytest.raises(error, match=sentence):
        read(tmp_path / "a.csv", text, part)


def test_what_is_written_in_another_encoding_is_told(tmp_path):
    found = read(tmp_path / "a.csv", "größe,x,y\n1,2,3\n", encoding="latin-1")
    assert found.rows.tolist() == [[2, 3]] and "Latin-1" in found.info.note
    np.testing.assert_array_equal(read(tmp_path / "a.csv", "größe,x,y\n1,2,3\n").rows, [[2, 3]])
