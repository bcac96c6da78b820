"""Reading what a file says of itself: safetensors' own files, and files that must be refused without harm."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from cards import read_card
from safetensors.numpy import save as library_save
from tensor_bytes import card, card_table, file_bytes, good, metadata, refusal, tensor

from diffstudio.checkpoints.header import read_header
from diffstudio.errors import BadFile, NotFound


def test_a_file_of_the_library_is_read_as_it_was_written(path):
    arrays = {"w": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.ones(4), "n": np.array(7, np.int64)}
    path.write_bytes(library_save(arrays, metadata=metadata()))
    header = read_header(path)
    assert {name: (t.dtype, t.shape) for name, t in header.tensors.items()} == {
        "w": ("F16", (2, 3)),
        "b": ("F64", (4,)),
        "n": ("I64", ()),
    }
    data = path.read_bytes()
    for name, array in arrays.items():
        t = header.tensors[name]
        assert data[header.payload_start + t.begin : header.payload_start + t.end] == array.tobytes()
    assert header.parameters == 6 + 4 + 1
    assert header.size == len(data)
    assert header.dtype == "F16"
    assert read_card(path) == card().model_copy(update={"dtype": "F16"})  # six of the eleven numbers


@pytest.mark.parametrize("length", [0x180, 0x23C, 0x24B50])
def test_a_length_that_looks_like_another_files_magic_is_no_reason_to_refuse(path, length):
    text = json.dumps({"__metadata__": metadata(name="x")}).encode()
    assert len(text) <= 0x23C
    padded = text.ljust(length) if length >= len(text) else text.ljust(length + 0x400)
    path.write_bytes(file_bytes(padded))
    assert path.read_bytes()[:1] in (b"\x80", b"<", b"P")
    assert read_card(path).name == "x"


def test_the_card_is_read_without_torch(path):
    path.write_bytes(good())
    code = (
        "import sys; from pathlib import Path; from diffstudio.checkpoints.catalog import Catalog\n"
        "from diffstudio.checkpoints.header import card_of, read_header\n"
        "file = Path(sys.argv[1]); card = card_of(read_header(file))\n"
        "print(card.spec, Catalog([('user', file.parent)]).find('rings').spec)\n"
        "assert 'torch' not in sys.modules and 'PySide6' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "rings@300 rings@300"), done.stderr


@pytest.mark.parametrize(
    ("tensors", "payload", "says"),
    [
        ({"a": tensor(0, 8), "b": tensor(4, 12)}, 12, "overlap or leave gaps"),
        ({"a": tensor(0, 4), "b": tensor(0, 4)}, 4, "overlap or leave gaps"),
        ({"a": tensor(0, 4), "b": tensor(8, 12)}, 12, "overlap or leave gaps"),
        ({"a": tensor(4, 8)}, 8, "overlap or leave gaps"),
        ({"a": tensor(0, 4, [10**9, 10**9], "F32")}, 4, r"tensor 'a' takes 4 bytes"),
        ({"a": tensor(0, 4, [2**32, 2**32], "F32")}, 4, r"tensor 'a' takes 4 bytes"),
        ({"a": tensor(0, 4 * 10**18, [10**9, 10**9], "F32")}, 4, "truncated: 4,000,000,000,000,000,000 bytes"),
        ({"a": tensor(0, 4, [2**63])}, 4, "expected up to 8 whole numbers"),
        ({"a": tensor(0, int("9" * 4000))}, 4, "tensor 'a' has shape"),
        ({"a": tensor(4, 0, [-4])}, 4, r"tensor 'a' has shape \[-4\]"),
        ({"a": tensor(0, 1, [1] * 9)}, 1, "expected up to 8 whole numbers"),
        ({"a": tensor(0, 1, [True])}, 1, "expected up to 8 whole numbers"),
        ({"a": tensor(0, 1, [1.0])}, 1, "expected up to 8 whole numbers"),
        ({"a": tensor(0, 1, "1")}, 1, "tensor 'a'"),
        ({"a": tensor(0, 1, dtype="U9")}, 1, "tensor 'a' has dtype U9"),
        ({"a": tensor(0, 1, dtype=["U8"])}, 1, "tensor 'a'"),
        ({"a": tensor(0, 1, dtype={})}, 1, "tensor 'a'"),
        ({"a": 5}, 0, "tensor 'a' is not described"),
        ({"a": None}, 0, "tensor 'a' is not described"),
        ({"a": {"dtype": "U8", "shape": [0]}}, 0, "tensor 'a' is not described"),
        ({"a": {"dtype": "U8", "shape": [0], "data_offsets": [0]}}, 0, "tensor 'a' is not described"),
        ({"x" * 9999: 5}, 0, "tensor 'x{80}' is not described"),
    ],
)
def test_tensors_that_do_not_fit_the_file_are_refused(path, tensors, payload, says):
    path.write_bytes(file_bytes({"__metadata__": metadata(), **tensors}, bytes(payload)))
    with pytest.raises(BadFile, match=says):
        read_header(path)
    refusal(path)


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({}, "has no DiffStudio card"),
        ({"format": "pt"}, "has no DiffStudio card"),
        ({"diffstudio.card": card_table()}, "__metadata__ is not a table of texts"),
        (None, "__metadata__ is not a table of texts"),
        (["diffstudio.card"], "__metadata__ is not a table of texts"),
        ({"diffstudio.card": "{"}, "the card is not JSON"),
        ({"diffstudio.card": "[" * 50_000}, "the card is not JSON"),
        ({"diffstudio.card": "null"}, "card as a whole is"),
        ({"diffstudio.card": "[]"}, "card as a whole is"),
    ],
)
def test_a_file_without_a_usable_card_says_so(path, meta, says):
    assert says in refusal(path, file_bytes({"__metadata__": meta, "a": tensor(0, 4)}, bytes(4)))


@pytest.mark.parametrize("twice", ["a", "__metadata__"])
def test_a_name_that_stands_twice_is_refused(path, twice):
    parts = [("__metadata__", metadata()), ("a", tensor(0, 4))]
    pairs = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in parts for _ in range(1 + (name == twice))]
    assert "a name stands twice" in refusal(path, file_bytes(f"{{{', '.join(pairs)}}}".encode(), bytes(4)))


@pytest.mark.parametrize(("count", "fits"), [(10_000, True), (10_001, False)])
def test_ten_thousand_tensors_are_the_most(path, count, fits):
    tensors = {str(i): tensor(0, 0) for i in range(count)}
    path.write_bytes(file_bytes({"__metadata__": metadata(), **tensors}))
    if fits:
        assert len(read_header(path).tensors) == count
    else:
        assert "10,001 tensors, expected at most 10,000" in refusal(path)


def test_a_missing_file_a_folder_and_a_name_that_is_too_long(path, tmp_path):
    with pytest.raises(NotFound, match=r"there is no file .*rings\.safetensors"):
        read_header(path)
    assert "is not a file" in refusal(tmp_path)
    with pytest.raises(BadFile, match="name too long"):
        read_header(tmp_path / ("x" * 300))
