"""Files that are no checkpoint, or a broken or hostile one: refused in one sentence, without harm."""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import tracemalloc
import zipfile

import pytest
from cards import read_card
from tensor_bytes import file_bytes, good, refusal, tensor

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.errors import BadFile, DiffStudioError


class Bomb:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_renamed_is_not_run(path, tmp_path, protocol):
    harm = tmp_path / "harm"
    data = pickle.dumps(Bomb(harm), protocol)
    said = refusal(path, data)
    assert "not a safetensors checkpoint" in said
    assert ("is a pickle" in said) == (protocol >= 2)
    (entry,) = Catalog([("user", tmp_path)]).scan()
    assert entry.problem == said
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    assert "is a zip archive" in refusal(path)
    assert not harm.exists()
    pickle.loads(data)
    assert harm.exists()  # it would have done harm


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"short", "is not a safetensors checkpoint"),
        (bytes(100), "is not a safetensors checkpoint"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "is a PNG picture, not a safetensors"),
        (b"<!doctype html><title>404</title>", "is a web page or XML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "is a Git LFS pointer: fetch the file itself"),
        (b"GGUF\x03\0\0\0" + bytes(40), "is a GGUF file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "is an HDF5 file"),
        (good()[:8], "is not a safetensors checkpoint"),
        (good()[:100], "is truncated: its header ends early"),
        (good()[:-1], "is truncated: 12 bytes of weights expected, 11 found"),
        (good()[:-12], "is truncated: 12 bytes of weights expected, 0 found"),
        (good() + b"more", "4 bytes lie behind the last tensor"),
        (struct.pack("<Q", 80_000_000) + b"{}", "the header has 80,000,000 bytes, expected at most 1,048,576"),
        (b"\xff" * 8 + b"{}", "the header has 18,446,744,073,709,551,615 bytes"),
        (file_bytes(b'{"a": '), "the header is not valid JSON"),
        (file_bytes(b'{"a": "\xff"}'), "the header is not valid JSON"),
        (file_bytes(b'{"a":' * 50_000), "the header is not valid JSON"),
        (file_bytes(b'{"a": 1%s}' % (b"0" * 5000)), "the header is not valid JSON"),
        (file_bytes(b'{"a":[' + b"[]," * 300_000 + b"[]]}"), "valid JSON: it has more than 500,000 parts"),
        (good(labels=[0] * 200_000), "the card is not JSON: it has more than 150,000 parts"),
        (good(network_args={"a" * 500_000: [[[[0]]]]}), "card field network_args: network_args.a{100}"),
        (good(step=-1), "card field step is '-1', expected at least 0"),
        (good(network="perceptron"), "network is 'perceptron', expected one of mlp, unet"),
        (good(network_args={"channels": 10**9}), "network_args.channels is 1000000000, expected at most 65536"),
        (good(format_version=2, new=1), "format_version 2, expected 1: open it with a newer DiffStudio"),
        (good(name="x" * 10_000), "card field name is 'x{60}', expected at most 80 characters$"),
    ],
)
def test_a_bad_file_says_what_was_found(path, data, says):
    path.write_bytes(data)
    with pytest.raises(BadFile, match=says):
        read_card(path)
    refusal(path)


def test_a_header_with_a_million_tensors_is_not_even_read(path):
    entry = json.dumps(tensor(0, 0))
    entries = ",".join(f'"{i}":{entry}' for i in range(10**6))
    data = file_bytes(f"{{{entries}}}".encode())
    assert len(data) > 50 << 20
    path.write_bytes(data)
    tracemalloc.start()
    try:
        said = refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert f"the header has {len(data) - 8:,} bytes, expected at most 1,048,576" in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(path):
    def waited(*_):
        raise AssertionError("waited for somebody to write into the pipe")

    os.mkfifo(path)
    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(5)
    try:
        assert "is not a file" in refusal(path)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_flipped_bit_anywhere_before_the_weights_is_refused_in_a_sentence_or_harmless(path):
    plain = good()
    refused = 0
    for i in range(len(plain) - 12):
        broken = bytearray(plain)
        broken[i] ^= 1 << (i % 8)
        path.write_bytes(broken)
        try:
            read_card(path)
        except DiffStudioError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > len(plain) // 2
