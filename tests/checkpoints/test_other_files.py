"""Files of other tools: each is called what it is, with the way out, wherever it is met; nothing in it is run."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
import torch
from cards import read_card

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.other_files import ROWS
from diffstudio.errors import BadFile
from diffstudio.networks import NETWORKS


class Denoiser(torch.nn.Module):
    """A class of somebody's own."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 40), torch.nn.Linear(40, 2))

    def forward(self, x):
        return self.layers(x)


def saved(found, **how):
    out = io.BytesIO()
    torch.save(found, out, **how)
    return out.getvalue()


def scripted():
    out = io.BytesIO()
    torch.jit.save(torch.jit.script(Denoiser()), out)
    return out.getvalue()


def exported():
    out = io.BytesIO()
    torch.export.save(torch.export.export(Denoiser(), (torch.zeros(1, 2),)), out)
    return out.getvalue()


def states():
    """As accelerate keeps them beside the weights of a training."""
    found = {"step": 1, "random_state": random.getstate(), "numpy_random_seed": np.random.get_state()}
    return saved(found | {"torch_manual_seed": torch.get_rng_state()})


def arrays():
    out = io.BytesIO()
    np.savez(out, x=np.zeros(3), labels=np.zeros(3))
    return out.getvalue()


def tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.pth"))
    return out.getvalue()


def keras():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, b"{}")
    return out.getvalue()


def gguf(name=b"flux"):
    key = b"general.architecture"
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    return head + struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(name)) + name + bytes(40)


@pytest.fixture(scope="module")
def files():
    """The bytes of each by the name that it usually has, and what is said of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that TorchScript is old
        return _files()


def _files():
    whole = "holds a whole module of the class Denoiser"
    return {
        "flux-Q4.gguf": (gguf(), "is a GGUF file (flux), of weights that are mostly quantised"),
        "odd.gguf": (gguf()[:30], "is a GGUF file, of weights that are mostly quantised"),
        "model.onnx": (b"\x08\x07\x12\x07pytorch\x1a\x032.0" + bytes(40), "is an ONNX program, which does not run"),
        "weights.h5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "as Keras saves its weights: networks of TensorFlow and"),
        "model.keras": (keras(), "is a model of Keras"),
        "flax_model.msgpack": (b"\x81\xa6params\x80" + bytes(40), "holds weights of Flax: save them as .safetensors"),
        "samples.npz": (arrays(), "holds arrays of NumPy (x, labels), and no network"),
        "program.pt2": (exported(), "`model = torch.export.load('program.pt2')` and `torch.save(model.state_dict"),
        "traced.pt": (scripted(), "`model = torch.jit.load('traced.pt')` and `torch.save(model.state_dict()"),
        "whole.pth": (saved(Denoiser()), f"{whole}, with code of its own"),
        "old.pth": (saved(Denoiser(), _use_new_zipfile_serialization=False), whole),
        "run.pt": (saved({"model": Denoiser(), "epoch": 3}), "`model = torch.load('run.pt', weights_only=False)` and"),
        "random_states_0.pkl": (states(), "holds the random states of a training, and no network"),
        "model.tar": (tar(), "is a tar archive: unpack it"),
        "model.tar.gz": (b"\x1f\x8b\x08" + bytes(40), "is a compressed archive: unpack it"),
        "page.ckpt": (b"<!doctype html><title>404</title>", "is a web page or XML, what a download gives"),
        "pointer.bin": (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer: fetch the file itself"),
        "picture.pt": (b"\x89PNG\r\n\x1a\n" + bytes(40), "is a PNG picture, not a safetensors checkpoint"),
        "model.tflite": (b"\x20\0\0\0TFL3" + bytes(40), "is a program of TensorFlow Lite"),
        "model.engine": (b"ftrt" + bytes(40), "is an engine of TensorRT"),
        "other.pt": (keras().replace(b".weights.h5", b".weights.xx"), "is a zip archive, but not one of torch"),
    }  # fmt: skip


NAMES = (
    *("flux-Q4.gguf", "odd.gguf", "model.onnx", "weights.h5", "model.keras", "flax_model.msgpack", "samples.npz"),
    *("program.pt2", "traced.pt", "whole.pth", "old.pth", "run.pt", "random_states_0.pkl", "model.tar"),
    *("model.tar.gz", "page.ckpt", "pointer.bin", "picture.pt", "model.tflite", "model.engine", "other.pt"),
)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_called_what_it_is_and_the_folder_lists_it(tmp_path, files, name):
    data, says = files[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadFile) as caught:
        card_at(path)
    said = str(caught.value)
    assert said.startswith(str(path)) and says in said and "\n" not in said
    problems = [entry.problem for entry in Catalog([("user", tmp_path)]).scan()]
    assert problems == ([] if name == "random_states_0.pkl" else [said])  # a training's own states are passed over


def test_all_names_are_tried(files):
    assert sorted(NAMES) == sorted(files)


def test_what_lies_beside_the_description_of_tensorflow_js_is_its(tmp_path):
    (tmp_path / "model.json").write_text('{"weightsManifest": []}', "utf-8")
    (tmp_path / "model.weights.bin").write_bytes(bytes(200))
    with pytest.raises(BadFile, match="holds weights of TensorFlow"):
        card_at(tmp_path / "model.weights.bin")


@pytest.mark.parametrize("name", ["checkpoint.pth.tar", "best.tar", "CATS.PT", "cats.sft"])
def test_what_torch_save_or_safetensors_wrote_opens_under_any_of_its_names(tmp_path, name):
    """PyTorch's own tutorial recommends .tar for checkpoints."""
    state = NETWORKS["smalldiffusion_mlp"]((2,), 0, hidden=(8, 8)).state_dict()
    if name.endswith("sft"):
        from safetensors.torch import save_file

        save_file(state, tmp_path / name)
    else:
        torch.save({"epoch": 3, "model_state_dict": state}, tmp_path / name)
    (entry,) = Catalog([("user", tmp_path)]).scan()
    assert entry.card is not None and entry.card.network == "smalldiffusion_mlp"


def test_whole_modules_within_a_hostile_pickle_are_not_run(tmp_path):
    ran = tmp_path / "ran"

    class Harm:
        def __reduce__(self):
            return ran.mkdir, ()

    torch.save({"model": Denoiser(), "_modules": "_parameters", "harm": Harm()}, tmp_path / "x.pt")
    with pytest.raises(BadFile):
        card_at(tmp_path / "x.pt")
    assert not ran.exists()


def test_an_archive_with_a_directory_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("diffstudio.archives.MAX_DIRECTORY", 10)
    (tmp_path / "a.npz").write_bytes(arrays())
    with pytest.raises(BadFile, match=r"not one of torch\.save|compressed or encrypted"):
        card_at(tmp_path / "a.npz")


def test_every_row_has_a_sentence_with_a_way_out():
    for row in ROWS:
        assert row.label and row.recognised and row.why.startswith(("is a", "holds")) and "\n" not in row.why


def test_a_file_with_a_card_says_the_same_when_it_is_read_as_our_own(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(gguf())
    with pytest.raises(BadFile, match="is a GGUF file"):
        read_card(tmp_path / "a.safetensors")
