"""`diffstudio runs reproduce`: the same bytes again, or the first place where they are others."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.studio.engine import Engine
from diffstudio.studio.library.home import library_folder
from diffstudio.studio.library.library import Library
from diffstudio.studio.request.request import Request
from diffstudio.traces.format import PREFIX, RECORD
from diffstudio.traces.reader import Trace

FEW = ["--steps", "3", "--samples", "3", "--device", "cpu"]


@pytest.fixture
def made(run, dots, here):
    """made(*words): a trace of the model of points."""

    def made(*words, out="a.trace"):
        code, _, err = run("sample", dots, "--out", out, *FEW, *words)
        assert code == 0, err
        return here / out

    return made


def altered(path, k, field, sample, amount):
    """Add an amount to the first number of a sample, under a right checksum."""
    with Trace.open(path) as trace:
        header = trace.header
        raw = bytearray(path.read_bytes())
        start = len(raw) - len(trace) * header.record_bytes + k * header.record_bytes
    spec = next(spec for spec in header.fields if spec.name == field)
    at = start + RECORD.size + header.offset_of(field) + sample * spec.nbytes // spec.shape[0]
    raw[at : at + 4] = struct.pack("<f", struct.unpack("<f", raw[at : at + 4])[0] + amount)
    _seal(raw, start, header)
    path.write_bytes(raw)


def _seal(raw, start, header):
    payload = bytes(raw[start + RECORD.size : start + header.record_bytes])
    magic, length, _, zero = RECORD.unpack_from(raw, start)
    RECORD.pack_into(raw, start, magic, length, zlib.crc32(payload), zero)


def rewritten(path, change):
    """The same trace with another header: change(header as JSON)."""
    raw = path.read_bytes()
    magic, length, _ = PREFIX.unpack_from(raw)
    header = json.loads(raw[PREFIX.size : PREFIX.size + length])
    change(header)
    new = json.dumps(header).encode()
    path.write_bytes(PREFIX.pack(magic, len(new), zlib.crc32(new)) + new + raw[PREFIX.size + length :])


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("shapes-2d", ["--solver", "ddim", "--eta", "1"]),
        ("digits", ["--label", "each", "--half"]),
        ("words", []),
        ("spoken-digits", ["--label", "2"]),
        ("digits", ["--source", "data", "--strength", "0.6", "--solver", "heun"]),
    ],
)
def test_every_modality_is_identical_again(run, model, words):
    code, _, err = run("sample", model, "--out", "a.trace", "--samples", "2", "--steps", "2", "--device", "cpu", *words)
    assert code == 0, err
    code, out, err = run("runs", "reproduce", "a.trace")
    assert (code, err) == (0, "")
    assert out.startswith("identical, byte for byte: ")
    assert out.count("\n") == 1


def test_a_record_that_was_altered_is_found_with_sample_and_amount(run, made):
    path = made()
    with Trace.open(path) as trace:
        k = len(trace) - 2
        assert int(trace.scalar(k, "step")) == 2
    altered(path, k, "x0_hat", 1, 0.25)
    code, out, _ = run("runs", "reproduce", path, "--json")
    found = json.loads(out)
    assert (code, found["identical"]) == (1, False)
    difference = found["difference"]
    assert (difference["chain"], difference["step"], difference["record"]) == ("reverse", 2, k)
    assert (difference["tensor"], difference["sample"], difference["at_end"]) == ("x0_hat", 1, 0.0)
    assert difference["amount"] == pytest.approx(0.25, abs=1e-6)
    code, out, _ = run("runs", "reproduce", path)
    assert (code, out) == (
        1, "different from step 2 of the reverse chain on: x0_hat, sample 1 by 0.25, in the end 0\n",
    )  # fmt: skip


def test_where_it_stands_in_the_end(run, made):
    path = made()
    with Trace.open(path) as trace:
        last = len(trace) - 1
    altered(path, 2, "xt", 0, 0.5)
    altered(path, last, "xt", 2, -3.0)
    difference = json.loads(run("runs", "reproduce", path, "--json")[1])["difference"]
    assert (difference["chain"], difference["step"], difference["sample"]) == ("forward", 2, 0)
    assert difference["amount"] == pytest.approx(0.5, abs=1e-6)
    assert difference["at_end"] == pytest.approx(3.0, abs=1e-5)


def test_facts_that_are_others_now_are_named(run, made):
    path = made()

    def change(header):
        header["versions"]["torch"] = "1.9.0"
        header["sha256"]["checkpoint"] = header["checkpoint_sha256"] = "ab" * 32

    rewritten(path, change)
    code, out, _ = run("runs", "reproduce", path)
    assert code == 0  # the states are the same all the same
    assert "version of torch: 1.9.0 then, " in out
    assert f"sha256 of the checkpoint: {'ab' * 32} then, " in out
    assert "numpy" not in out


def test_a_stopped_run_is_compared_as_far_as_it_is_there(run, made):
    path = made()
    with Trace.open(path) as trace:
        size, total = trace.header.record_bytes, len(trace)
    raw = path.read_bytes()
    path.write_bytes(raw[: -2 * size - size // 2])
    code, out, _ = run("runs", "reproduce", path)
    assert (code, out) == (
        0, f"identical, byte for byte: {total - 3} records (the run was stopped: {total - 3} of {total})\n",
    )  # fmt: skip


def test_a_branch_is_made_again_as_long_as_its_trunk_is_there(run, dots, made):
    trunk = made("--solver", "ddim", "--eta", "1")
    engine = Engine(default_catalog())
    request = Request(
        model=dots, source="step", source_file=str(trunk), source_step=5, steps=3, samples=3, solver="euler",
        device="cpu", seed=4,
    )  # fmt: skip
    for _ in engine.run(request, Path("branch.trace")):
        pass
    code, out, err = run("runs", "reproduce", "branch.trace")
    assert (code, err) == (0, ""), out
    trunk.unlink()
    code, _, err = run("runs", "reproduce", "branch.trace")
    assert (code, err.count("\n")) == (2, 1)
    assert "its trunk, the run that it branches from, is gone" in err


def test_what_is_gone_is_one_sentence(run, made, here):
    np.save("mine.npy", np.zeros((3, 2), np.float32))
    path = made("--source", "mine.npy", "--fit", "keep", out="b.trace")
    Path("mine.npy").unlink()
    cases = {path: "its source is gone, there is no mine.npy"}
    cases[made(out="c.trace")] = "can't be made again: "
    rewritten(here / "c.trace", lambda header: header["request"].update(model="nowhere"))
    cases[made(out="d.trace")] = "the run that it branches from, is gone"
    rewritten(here / "d.trace", lambda h: h["request"].update(source="step", source_file="trunk.trace", source_step=1))
    cases[made(out="e.trace")] = "has no request"
    rewritten(here / "e.trace", lambda header: header.update(request={}))
    cases[made(out="f.trace")] = "does not understand its request: colour"
    rewritten(here / "f.trace", lambda header: header["request"].update(colour=1))
    cases[here / "none.trace"] = "can't open"
    cases["zzzz"] = "no run 'zzzz'"
    for case, said in cases.items():
        code, out, err = run("runs", "reproduce", case)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert said in err


def test_a_run_of_the_library_by_the_end_of_its_id(run, made):
    path = made()
    library = Library(library_folder())
    with Trace.open(path) as trace:
        kept = library.begin(trace.header.request, trace.header.card)
    kept.file.write_bytes(path.read_bytes())
    library.finish(kept.id, "done")
    library.close()
    assert run("runs", "reproduce", kept.id[-4:])[0] == 0
    kept.file.unlink()
    code, _, err = run("runs", "reproduce", kept.id)
    assert (code, err.count("\n")) == (2, 1)
    assert "any more" in err
