"""Bad input: exit code 2 and one sentence, before anything is computed, and nothing left behind."""

import os
import pickle
import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from diffstudio.studio.engine import Engine

SAMPLE = ["--steps", "4", "--samples", "3", "--device", "cpu"]


def big_png(path, side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


class Trap:
    """A pickle that would leave a mark if it were opened."""

    def __reduce__(self):
        return (os.mkdir, ("trapped",))


BAD = [
    (["--out", "a.foo"], r"can't write samples of image as a '\.foo' file: use \.png"),
    (["--out", "none/a.png"], "there is no folder none: make it first"),
    (["--out", "small.png/a.png"], "there is no folder small.png"),
    (["--out", ""], "--out: give a file or a folder"),
    (["--out", "a.csv"], r"can't write samples of image as a '\.csv' file: use \.png"),
    (["--out", "a.jpg", "--chain"], r"a '\.jpg' file can't hold the animation: use \.png, \.webp"),
    (["--out", "a.gif", "--strip"], r"a '\.gif' file can't hold the film strip"),
    (["--out", "a.png", "--strip", "--chain"], "--chain and --strip"),
    (["--out", "a.png", "--label", "ten"], "has no label 'ten': choose one of 0, 1"),
    (["--out", "a.png", "--solver", "magic"], "'--solver': 'magic' is not one of 'dpmpp_2m'"),
    (["--out", "a.png", "--eta", "0.5"], "solver 'euler' has no parameter 'eta'"),
    (["--out", "a.png", "--steps", "0"], "--steps: input should be greater than or equal to 1, found 0"),
    (["--out", "a.png", "--steps", "many"], "'--steps': 'many' is not a valid integer"),
    (["--out", "a.png", "--guidance", "nan"], "--guidance: .*finite"),
    (["--out", "a.png", "--tensor", "x"], "no tensor 'x'"),
    (["--out", "a.png", "--scale", "99"], "scale is 99"),
    (["--out", "a.png", "--scale", "64", "--samples", "200"], "pixels, a '.png' file holds at most"),
    (["--out", "a.gif", "--samples", "1000000", "--scale", "2"], "holds at most 65,535 a side|pixels"),
    (["--out", "a.png", "--path", "q"], "--path: unknown path 'q'"),
    (["--out", "a.npz", "--budget", "lots"], "'lots' is not an amount of memory"),
    (["--out", "a.npz", "--budget", "10kB"], "the trace would take .* the budget is 10 kB"),
    (["--out", "a.npz", "--samples", "1000000", "--budget", "9TB"], "memory, but only|has only"),
    (["--out", "a.png", "--source", "none.png"], "there is no file none.png"),
    (["--out", "a.png", "--source", "small.png"], "small.png has 9×7 pixels.*--fit on the command line"),
    (["--out", "a.png", "--source", "huge.png"], "huge.png has more than|huge.png has 60,000×60,000 pixels"),
    (["--out", "a.png", "--source", "trap.npy"], "trap.npy is not an array file.*pickled objects are refused"),
    (["--out", "a.png", "--source", "torn.trace"], "torn.trace"),
    (["--out", "a.png", "--seed", "-1"], "--seed: "),
    (["--out", "a.png", "--sede", "1"], "No such option '?--sede"),
    ([], "Missing option '--out'"),
]


@pytest.fixture
def bad_sources(here, names):
    Image.new("L", (9, 7)).save("small.png")
    big_png(here / "huge.png", 60_000)
    (here / "trap.npy").write_bytes(pickle.dumps(Trap()))
    (here / "torn.trace").write_bytes(b"DSTRACE1 torn")
    return names(here)


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_is_one_sentence_and_exit_2(run, tiny, here, bad_sources, words, message, monkeypatch, names):
    monkeypatch.setattr(Engine, "_load", lambda *_: pytest.fail("computing began"))
    code, out, err = run("sample", tiny, *words)
    assert (code, out) == (2, "")
    assert err.startswith("diffstudio: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert names(here) == bad_sources


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smaple", "digits"], "No such command 'smaple'"),
        (["run.trace"], "'run.trace' does not exist"),
        (["--frobnicate"], "No such option"),
        (["sample", "digitz", "--out", "a.png"], "there is no model 'digitz': did you mean digits"),
        (["sample", "digits@1", "--out", "a.png"], "'digits' has no checkpoint '1'"),
        (["sample", "none.safetensors", "--out", "a.png"], "none.safetensors"),
        (["sample", "trap.safetensors", "--out", "a.png"], "trap.safetensors"),
        (["sample", "torn.safetensors", "--out", "a.png"], "torn.safetensors"),
        (["sample", "digits", "--out", "a.png", "--device", "abacus"], "device 'abacus' can't be used here"),
        (["forward", "digits", "--out", "a.png", "--source", "noise"], "--source: the forward chain ends in noise"),
        (["forward", "digits", "--out", "a.png", "--solver", "ddim"], "No such option '?--solver"),
        (["models", "none"], "'none' does not exist"),
        (["train", "none.toml", "--out", "a.safetensors"], "none.toml"),
        (["train", "bad.toml", "--out", "a.safetensors"], r"bad\.toml: training\.steps: .*found 0"),
        (["train", "good.toml", "--out", "a.pt"], r"a checkpoint is a \.safetensors file, found 'a\.pt'"),
        (["train", "good.toml", "--out", "none/a.safetensors"], "there is no folder none"),
        (["train", "good.toml", "--out", "a.safetensors", "--device", "abacus"], "device 'abacus'"),
        (["train", "good.toml", "--out", "a.safetensors", "--threads", "0"], "'--threads'"),
        (["tour"], "Missing option '--out'"),
    ],
)
def test_every_command_refuses_in_one_sentence(run, tiny, here, words, message, names):
    (here / "trap.safetensors").write_bytes(pickle.dumps(Trap()))
    (here / "torn.safetensors").write_bytes(Path(tiny).read_bytes()[:-100])
    recipe = 'name = "x"\ndataset = "shapes-2d"\nnetwork = "mlp"\n[training]\nsteps = '
    (here / "bad.toml").write_text(recipe + "0")
    (here / "good.toml").write_text(recipe + "1")
    before = names(here)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert re.match(f"diffstudio: .*{message}", err), err
    assert err.count("\n") == 1
    assert names(here) == before


def test_a_disk_that_fills_up_is_one_sentence(run, tiny, here, monkeypatch, names):
    write, left = os.write, [30_000]

    def full(descriptor, data):
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    code, _, err = run("sample", tiny, "--out", "a.png", *SAMPLE)
    assert (code, err.count("\n")) == (2, 1)
    assert "No space left on device" in err
    assert names(here) == []


def test_too_little_memory_is_one_sentence(run, tiny, monkeypatch):
    def hungry(*_):
        raise MemoryError

    monkeypatch.setattr(Engine, "run", hungry)
    assert run("sample", tiny, "--out", "a.png")[::2] == (
        2,
        "diffstudio: there is not enough memory: use fewer samples or a smaller scale\n",
    )


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("flux.gguf", b"GGUF" + bytes(60), "is a GGUF file, of weights that are mostly quantised"),
        ("net.onnx", b"\x08\x07\x12\x07pytorch" + bytes(60), "is an ONNX program, which does not run here"),
        ("net.h5", b"\x89HDF\r\n\x1a\n" + bytes(60), "is an HDF5 file, as Keras saves its weights"),
    ],
)
def test_files_of_other_tools_are_called_what_they_are(run, here, name, data, says):
    (here / name).write_bytes(data)
    code, out, err = run("sample", name, "--out", "x.png", *SAMPLE)
    assert (code, out) == (2, "") and says in err
    code, _, err = run("models", here)
    assert code == 0 and says in err
