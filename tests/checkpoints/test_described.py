"""Strangers' pickles are read by a process of their own: what one does to it, the others and the window live."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import threading
import time
import zipfile

import pytest
import torch

from diffstudio.checkpoints import described
from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.described import describe, end_all, numbers
from diffstudio.checkpoints.describing import receive, send
from diffstudio.checkpoints.loading import Left, watched
from diffstudio.errors import BadFile, NotFound

PRIME = (1 << 61) - 1  # numbers that it divides have the same hash
PROTOCOL = b"\x80\x02"
DEEP = b")" + b"\x85" * 400_000  # a tuple in a tuple in a tuple …


@pytest.fixture(autouse=True)
def _no_process_before_or_after():
    end_all()
    yield
    end_all()


def archive(pickle, more=()):
    """A file of torch.save with that pickle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("archive/data.pkl", PROTOCOL + pickle + b".")
        for name in more:
            made.writestr(name, b"")
    return out.getvalue()


def text(content):
    return b"X" + struct.pack("<I", len(content)) + content


def number(value):
    data = value.to_bytes((value.bit_length() + 8) // 8, "little")
    return b"\x8b" + struct.pack("<i", len(data)) + data


def legacy(version):
    """As torch.save wrote before its archives."""
    out = io.BytesIO()
    torch.save({"w": torch.ones(2)}, out, _use_new_zipfile_serialization=False)
    return out.getvalue().replace(b"M\xe9\x03", version, 1)


A_SHAPE = (
    b"}"
    + text(b"w")
    + b"ctorch._utils\n_rebuild_tensor_v2\n(("
    + text(b"storage")
    + b"ctorch\nFloatStorage\n"
    + text(b"0")
    + text(b"cpu")
    + b"K\x01tQK\x00%sK\x01\x85tRs"
)

# What the pickle is, and what the refusal says: each ended the process, held it up or filled the memory.
CASES = {
    "a deep key": (archive(b"}" + DEEP + b"K\x01s"), "a table with the key '((((…),),),)'"),
    "a deep key in what is dropped": (archive(b"}}" + DEEP + b"K\x01sb"), "a table with the key '((((…),),),)'"),
    "a deep name of a class": (archive(DEEP + b"K\x01\x93"), "names a class by something else than a short text"),
    "a deep value": (archive(b"}" + text(b"a") + DEEP + b"s"), "is nested more than 8 deep"),
    "a deep shape": (archive(A_SHAPE % DEEP, ["archive/data/0"]), "tensor 'w' has shape ((((…),),),)"),
    "a long number as a key": (archive(b"}" + number(1 << 24_000) + b"K\x01s"), "a number of 24,001 bits"),
    "a long number as a shape": (archive(A_SHAPE % (number(1 << 24_000) + b"\x85")), "a number of 24,001 bits"),
    "a long version": (legacy(number(1 << 24_000)), "a number of 24,001 bits"),
    "keys that collide": (
        archive(b"}(" + b"".join(number(i * PRIME) + b"K\x01" for i in range(1, 120_000)) + b"u"),
        "neither a short text nor a small number",
    ),
    "places that collide": (
        archive(b"}" + b"".join(b"p%d\n" % (i * PRIME) for i in range(1, 120_000))),
        "a place in its memory that no pickle has",
    ),
    "a name of 1 MB": (
        archive(b"}" + text(b"a" * 1_000_000) + b"](" + b"K\x01" * 190_000 + b"es"),
        "neither a short text nor a small number",
    ),
    "long names in each other": (
        archive(b"".join(b"}" + text(b"a" * 900) for _ in range(2)) + b"](" + b"K\x01" * 190_000 + b"ess"),
        "is a name of 1,801 characters",
    ),
    "many names": (
        archive(b"}" + text(b"a" * 900) + b"](" + b"K\x01" * 190_000 + b"es"),
        "names and texts have more than 8,388,608 characters",
    ),
    "a class of 4 MB": (archive(b"c" + b"a" * 4_000_000 + b"\nb\n"), "names a class by something else"),
    "a file of a million instructions": (archive(b"(" + b"}" * 4_000_000 + b"l"), "far more instructions"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_would_harm_the_reader_is_refused_in_a_sentence(tmp_path, case):
    path = tmp_path / "weights.pt"
    data, says = CASES[case]
    path.write_bytes(data)
    with pytest.raises(BadFile) as caught:
        card_at(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)  # not that its process died: it saw what the file is
    assert len(str(caught.value)) < 400 + len(str(path))


def good(path, step=3):
    torch.save({"step": step, "w": torch.ones(2, 3), "betas": torch.linspace(0, 1, 5)}, path)
    return path


def test_a_folder_is_read_by_one_process(tmp_path, monkeypatch):
    begun = []
    start = described._Process.__init__
    monkeypatch.setattr(described._Process, "__init__", lambda self: (begun.append(1), start(self))[1])
    for step in range(6):
        good(tmp_path / f"model-{step}.pt", step)
    (tmp_path / "model-6.pt").write_bytes(CASES["a deep key"][0])
    found = Catalog([("user", tmp_path)]).scan()
    assert [describe(entry.path).values["step"] for entry in found[:6]] == list(range(6))
    assert len(found) == 7 and len(begun) == 1


def program(tmp_path, monkeypatch, code):
    """A program in the place of Python."""
    out = tmp_path / "program"
    out.write_text(f"#!{sys.executable}\nimport os, sys, time\n{code}\n", "utf-8")
    out.chmod(0o700)
    monkeypatch.setattr(described.sys, "executable", str(out))


ANSWER = "say = sys.stdin.buffer.read(4) and b'{}'\nsys.stdout.buffer.write(len(say).to_bytes(4, 'big') + say)\n"


@pytest.mark.skipif(os.name == "nt", reason="programs are not made so there")
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("os.kill(os.getpid(), 11)", "the process that tried ended with -11, most likely because it took too long"),
        ("sys.exit(0)", "the process that tried ended with 0"),
        ("time.sleep(60)", "could not be looked at in 1 seconds: given up"),
        (ANSWER.format("[1]"), "what was read of it makes no sense"),
        (ANSWER.format("[" * 100_000), "what was read of it makes no sense"),
        (ANSWER.format('{"tensors": [["w", "F32", [-1], "0", 0]], "values": {}, "size": 1}'), "makes no sense"),
        (ANSWER.format('{"tensors": [], "values": {"a": {}}, "size": 1}'), "makes no sense"),
        (ANSWER.format('{"tensors": [], "values": {}}'), "makes no sense"),
        ("sys.stdout.buffer.write(b'\\xff' * 8)\nsys.stdout.flush()\ntime.sleep(60)", "the process that tried ended"),
    ],
)
def test_what_becomes_of_the_process_is_said_and_its_answer_is_judged(tmp_path, monkeypatch, code, says):
    program(tmp_path, monkeypatch, code)
    monkeypatch.setattr(described, "SECONDS", 1.0 if "given up" in says else 60.0)
    with pytest.raises(BadFile, match=says):
        describe(good(tmp_path / "model.pt"))


def test_one_that_ended_while_it_waited_is_replaced(tmp_path):
    path = good(tmp_path / "model.pt")
    describe(path)
    (waiting,) = described._idle
    waiting._process.stdin.close()
    waiting._process.wait()
    assert describe(path).values == {"step": 3}


def test_two_who_ask_at_once_are_answered_by_two(tmp_path):
    path, found = good(tmp_path / "model.pt"), []
    threads = [threading.Thread(target=lambda: found.append(describe(path).values["step"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 4


@pytest.mark.skipif(os.name == "nt", reason="programs are not made so there")
def test_who_is_not_waited_for_leaves_no_process(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    with pytest.raises(Left), watched(lambda share: None, lambda: (tmp_path / "pid").exists()):
        describe(good(tmp_path / "model.pt"))
    assert not described._idle
    while not (pid := (tmp_path / "pid").read_text()):
        time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_list_of_numbers_is_told_and_a_file_that_is_gone_named(tmp_path):
    path = good(tmp_path / "model.pt")
    assert numbers(path, "betas") == pytest.approx((0, 0.25, 0.5, 0.75, 1))
    assert numbers(path, "w") is None and numbers(path, "nothing") is None
    path.unlink()
    with pytest.raises(NotFound, match="there is no file"):
        describe(path)


def test_a_message_is_whole_or_none():
    stream = io.BytesIO()
    send(stream, json.dumps({"a": 1}).encode())
    assert receive(io.BytesIO(stream.getvalue()), 100) == b'{"a": 1}'
    for broken, most in ((stream.getvalue()[:-1], 100), (stream.getvalue(), 7), (b"", 100), (b"\0\0", 100)):
        assert receive(io.BytesIO(broken), most) is None
