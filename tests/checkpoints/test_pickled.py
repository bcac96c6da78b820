"""Files of torch.save: read without unpickling, loaded in a process of their own, refused where they are hostile."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import sys
import tracemalloc
import zipfile
from collections import OrderedDict

import pytest
import torch

from diffstudio.checkpoints import child, sandbox
from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.pickled import read_pickled
from diffstudio.checkpoints.sandbox import pickled_weights
from diffstudio.errors import BadFile, DiffStudioError

ROOT = "archive"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pt"


def saved(found, legacy=False):
    """The bytes of torch.save."""
    out = io.BytesIO()
    torch.save(found, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def state():
    """What a trainer saves: weights, an optimiser, numbers; views, shared numbers, an empty and a half tensor."""
    weight = torch.arange(12.0).reshape(3, 4)
    return {
        "step": 7,
        "model": OrderedDict(w=weight, turned=weight.t(), part=weight[1:, :2], b=torch.ones(2, dtype=torch.float16)),
        "opt": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]},
        "empty": torch.zeros(0, 5),
        "scaler": None,
        "parameter": torch.nn.Parameter(torch.ones(3)),
        "version": "1.0",
    }


@pytest.mark.parametrize("legacy", [False, True])
def test_names_shapes_and_numbers_are_read_without_unpickling(path, legacy, monkeypatch):
    path.write_bytes(saved(state(), legacy))
    for module in (pickle, torch):
        monkeypatch.setattr(module, "load", None)
    found = read_pickled(path)
    assert {name: (t.dtype, t.shape) for name, t in found.tensors.items()} == {
        "model.w": ("F32", (3, 4)),
        "model.turned": ("F32", (4, 3)),
        "model.part": ("F32", (2, 2)),
        "model.b": ("F16", (2,)),
        "opt.state.0.step": ("F32", ()),
        "empty": ("F32", (0, 5)),
        "parameter": ("F32", (3,)),
    }
    assert (found.values["step"], found.values["version"]) == (7, "1.0")
    assert found.values["opt.param_groups.0.betas.1"] == 0.999


def test_a_short_list_of_numbers_is_read_where_it_lies(path):
    numbers = torch.linspace(0, 1, 11)
    path.write_bytes(saved({"all": numbers, "betas": numbers[3:7], "whole": torch.arange(3)}))
    assert read_pickled(path).numbers("betas") == pytest.approx(numbers[3:7].tolist())
    assert read_pickled(path).numbers("whole") is None


def test_the_weights_come_from_a_process_of_their_own(path):
    path.write_bytes(saved(state()))
    found = pickled_weights(path, ["model.", "empty"])
    assert found.keys() == {"model.w", "model.turned", "model.part", "model.b", "empty"}
    for name, weight in state()["model"].items():
        assert torch.equal(found[f"model.{name}"], weight)


def test_what_the_process_says_is_said_and_its_limits_end_it(path, monkeypatch):
    path.write_bytes(saved(state()))
    python = sys.executable
    for code, says in (
        ("import sys; sys.stdout.write('it is no good'); sys.exit(1)", "^it is no good$"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9, most likely for want of memory"),
        ("import time; time.sleep(60)", "could not be read in 1 seconds: given up"),
    ):
        program = path.with_name("program")
        program.write_text(f"#!{python}\n{code}\n", "utf-8")
        program.chmod(0o700)
        monkeypatch.setattr(sandbox.sys, "executable", str(program))
        monkeypatch.setattr(sandbox, "SECONDS", 1.0 if "sleep" in code else 300.0)
        with pytest.raises(BadFile, match=says):
            pickled_weights(path)


def test_the_child_writes_what_it_was_asked_for_and_refuses_in_a_sentence(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(child, "limit_memory", lambda more: None)  # it would hold for this process
    out = tmp_path / "out.safetensors"
    path.write_bytes(saved(state()))
    assert child.main([str(path), str(out), "model."]) == 0
    assert out.is_file()
    path.write_bytes(saved({"a": torch.ones(1).expand(9)}))
    assert child.main([str(path), str(out)]) == 1
    assert "tensor 'a' is a view" in capsys.readouterr().out


def edited(change, found=None):
    """An archive of torch.save whose members `change` gets as (name, bytes) and gives back as it likes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(found or state()))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            for kept, data in change(name, old.read(name)):
                new.writestr(kept, data)
    return out.getvalue()


def with_pickle(change):
    """The archive with another data.pkl."""
    return edited(lambda name, data: [(name, change(data) if name.endswith("data.pkl") else data)])


class Harm:
    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return os.mkdir, (self.target,)


def bomb():
    """A compressed archive of one small file that unpacks to 64 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{ROOT}/data.pkl", pickle.dumps({}))
        archive.writestr(f"{ROOT}/data/0", bytes(64 << 20))
    return out.getvalue()


def huge():
    """540 bytes or so that declare a tensor of 256 GiB."""
    return with_pickle(lambda data: pickle_of(1 << 36, (1 << 36,), (1,)))


def pickle_of(numel, shape, stride, kind="FloatStorage", function="_rebuild_tensor_v2"):
    """The program that torch.save writes for {"w": a tensor}, with any numbers."""

    class Storage:
        pass

    class Writer(pickle._Pickler):
        def persistent_id(self, obj):
            return obj.id if isinstance(obj, Storage) else None

        def save_global(self, obj, name=None):
            self.write(b"c" + obj.__module__.encode() + b"\n" + obj.__name__.encode() + b"\n")

    def named(module, name):
        found = type(name, (), {})
        found.__module__ = module
        return found

    class Made:
        def __reduce__(self):
            storage = Storage()
            storage.id = ("storage", named("torch", kind), "0", "cpu", numel)
            rebuild = named("torch._utils", function)
            return rebuild, (storage, 0, shape, stride, False, OrderedDict())

    Writer.dispatch = {**pickle._Pickler.dispatch, type: Writer.save_global}
    out = io.BytesIO()
    Writer(out, 2).dump({"w": Made()})
    return out.getvalue()


def nested(depth, width):
    """A list in lists, each `width` times."""
    found: list = [1] * width
    for _ in range(depth):
        found = [found] * width
    return found


# What the bytes are, and what the refusal says.
CASES = {
    "expanded": (
        lambda: saved({"good": torch.ones(2), "w": torch.ones(1).expand(10**9)}),
        "'w' is a view that uses its",
    ),
    "overlapping view": (lambda: saved({"w": torch.ones(9).as_strided((8, 2), (1, 1))}), "'w' is a view that uses its"),
    "sparse": (lambda: saved({"w": torch.eye(3).to_sparse()}), "tensor 'w' is sparse"),
    "meta": (lambda: saved({"w": torch.empty(3, device="meta")}), "tensor 'w' is a meta tensor"),
    "subclass": (lambda: saved({"w": torch.nn.Buffer(torch.ones(2)), "x": Harm("/nowhere")}), "calls 'posix.mkdir'"),
    "a program": (lambda: saved(Harm("/nowhere")), "calls 'posix.mkdir', which weights have no use for"),
    "a class": (lambda: saved({"w": torch.nn.Linear(1, 1)}), "holds a whole module of the class Linear"),
    "no table": (lambda: saved(torch.ones(2)), "holds data, samples or labels (one tensor 2), and no network"),
    "deep": (lambda: saved(nested(20, 1)), "is nested more than 8 deep"),
    "laughs": (lambda: saved(nested(5, 10)), "more than 10,000 tensors or 200,000 values"),
    "many": (lambda: saved({str(i): torch.ones(0) for i in range(10_001)}), "more than 10,000 tensors"),
    "256 GiB": (huge, "needs 274,877,906,944 bytes, the file has 48 for it"),
    "beyond": (lambda: with_pickle(lambda d: pickle_of(12, (13,), (1,))), "'w' reaches beyond its storage"),
    "2^63": (lambda: with_pickle(lambda d: pickle_of(12, (1 << 63,), (1,))), "'w' has shape"),
    "negative": (lambda: with_pickle(lambda d: pickle_of(12, (2,), (-1,))), "'w' has shape"),
    "another storage": (lambda: with_pickle(lambda d: pickle_of(12, (2,), (1,), "EvilStorage")), "'torch.EvilStorage'"),
    "a function": (lambda: with_pickle(lambda d: pickle_of(12, (2,), (1,), function="_evil")), "'torch._utils._evil'"),
    "memo": (lambda: with_pickle(lambda d: b"\x80\x02}r\xff\xff\xff\xffh\x07."), "is damaged"),
    "endless": (lambda: with_pickle(lambda d: b"\x80\x02" + b"}0" * 600_000 + b"."), "far more instructions"),
    "long text": (lambda: with_pickle(lambda d: b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"."), "is damaged"),
    "no end": (lambda: with_pickle(lambda d: d[:-1]), "its pickle"),
    "zip bomb": (bomb, "is compressed or encrypted, torch.save does neither"),
    "twice": (lambda: twice(), "is in the archive twice"),
    "up": (
        lambda: edited(lambda n, d: [(n, d), ("../evil", b"")][: 2 if n.endswith(".pkl") else 1]),
        "'../evil' is no name",
    ),
    "script": (
        lambda: edited(lambda n, d: [(n, d), (f"{ROOT}/code/x.py", b"")][: 2 if n.endswith(".pkl") else 1]),
        "TorchScript",
    ),
    "other zip": (lambda: edited(lambda n, d: [(f"{n}.txt", d)]), "is a zip archive, but not one of torch.save"),
    "big-endian": (lambda: edited(lambda n, d: [(n, b"big" if n.endswith("byteorder") else d)]), "big-endian"),
    "cut": (lambda: saved(state())[:-30], "is a truncated zip archive"),
    "cut legacy": (lambda: saved(state(), legacy=True)[:-9], "is truncated"),
    "legacy version": (
        lambda: saved(state(), legacy=True).replace(b"M\xe9\x03", b"M\xea\x03", 1),
        "torch of another kind",
    ),
    "storage gone": (lambda: edited(lambda n, d: [] if "/data/" in n else [(n, d)]), "the file has 0 for it"),
    "edm": (lambda: b"\x80\x04\x95" + b"torch_utils.persistence _reconstruct_persistent_obj", "embeds program source"),
}


def twice():
    with pytest.warns(UserWarning, match="Duplicate name"):
        return edited(lambda name, data: [(name, data)] * (1 + name.endswith("data.pkl")))


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_refused_in_a_sentence_and_does_nothing(path, tmp_path, case):
    make, says = CASES[case]
    path.write_bytes(make())
    tracemalloc.start()
    try:
        with pytest.raises(DiffStudioError) as caught:
            card_at(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert says in said
    assert str(path) in said
    assert "\n" not in said
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_names_that_could_fool_a_reader_are_shown_as_escapes(path):
    path.write_bytes(saved({"a\x1b[2J\u202e<img src=x>": torch.ones(1).expand(4)}))
    with pytest.raises(BadFile, match=r"tensor 'a\\x1b\[2J\\u202e<img src=x>' is a view") as caught:
        card_at(path)
    assert str(caught.value).isprintable()


def test_a_file_that_shrinks_or_vanishes_is_refused(path):
    path.write_bytes(saved(state()))
    look = read_pickled(path)
    path.write_bytes(saved(state())[:200])
    with pytest.raises(BadFile):
        read_pickled(path)
    assert look.size > 200
    shutil.move(path, path.with_suffix(".gone"))
    with pytest.raises(DiffStudioError, match="there is no file"):
        read_pickled(path)
