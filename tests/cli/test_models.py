"""`models` prints what `sample` takes; folders of trainings; the folders of the window's list."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from diffstudio.checkpoints import finding
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.hashing import Hashing
from diffstudio.studio.app.settings import Settings, save_settings, settings_file
from diffstudio.studio.provenance import read_settings
from diffstudio.traces.reader import Trace

FEW = ("--samples", 1, "--steps", 2, "--device", "cpu")


@pytest.fixture
def put(tiny):
    """Writes the weights of the tiny model as another tool's, with a card beside them; value: added to them."""
    weights = load_file(tiny)

    def put(path, value=0.0):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: (tensor + np.float16(value)) for name, tensor in weights.items()}, path)
        card = {"modality": "image", "shape": [1, 28, 28], "path": {}, "prediction": "flow", "network": "unet"}
        card |= {"network_args": {"channels": [8, 8], "patch": 2}, "labels": list("0123456789")}
        path.with_name(f"{path.name}.card.json").write_text(json.dumps(card))
        return path

    return put


@pytest.fixture
def cats(put, here):
    """A training in a folder deep below: two steps, one of them averaged too, and the optimiser."""
    folder = here / "my trainings" / "cats"
    put(folder / "model-5.safetensors")
    put(folder / "ema_0.99_5.safetensors", 0.01)
    put(folder / "model-9.safetensors", 0.02)
    (folder / "optimizer.pt").write_bytes(b"\x80")
    return folder


def rows(run, *words):
    code, out, err = run("models", "--json", *words)
    assert code == 0
    return {row["path"]: row for row in json.loads(out) if row["path"].startswith(words[-1] if words else "/")}, err


@pytest.mark.parametrize(
    "where", ["{}", "{}/cats", ".", "my trainings", "my trainings/cats", "./my trainings/../my trainings"]
)
def test_what_models_prints_can_be_pasted_back(run, cats, where):
    code, out, err = run("models", where.format(cats.parent))
    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    lines = [line for line in lines if str(cats) in line[head.index("path") :]]
    assert len(lines) == 3
    for line in lines:
        spec, path = shlex.split(line)[0], Path(line[head.index("path") :])
        for name in (spec, path):
            assert run("sample", name, "--out", "a.trace", *FEW)[0] == 0, name
            with Trace.open("a.trace") as trace:
                assert trace.header.checkpoint_sha256 == Hashing(path).read_all()


def test_a_folder_that_is_a_model_is_its_own_spec(run, here):
    unet = here / "a model" / "unet"
    unet.mkdir(parents=True)
    (unet / "config.json").write_text('{"_class_name": "UNet2DModel", "sample_size": 8}')
    save_file({"w": np.zeros((2, 3), np.float32)}, unet / "diffusion_pytorch_model.safetensors")
    whole = str(here / "a model")
    for where, spec in ((".", "a model"), ("a model", "a model"), (whole, whole), (str(here), "a model")):
        (row,) = [row for row in json.loads(run("models", "--json", where)[1]) if row["path"] == whole]
        assert row["spec"] == spec and Catalog([]).find(spec).path.resolve() == unet.parent


def test_the_folder_of_a_training_is_sampled(run, cats, monkeypatch):
    monkeypatch.chdir(cats.parent)
    for spec, name in (("cats", "model-9"), ("./cats", "model-9"), ("cats/", "model-9"), ("cats@5", "model-5"),
                       ("cats@5:ema_0.99", "ema_0.99_5"), ("./cats@9", "model-9")):  # fmt: skip
        assert run("sample", spec, "--out", "a.png", *FEW)[0] == 0
        found = read_settings(Path("a.png"))
        assert found["checkpoint_sha256"] == Hashing(cats / f"{name}.safetensors").read_all(), spec
        assert found["model"] == {"ema_0.99_5": "cats@5:ema_0.99"}.get(name, f"cats@{name[-1]}")


def test_a_picture_says_which_weights_made_it_also_of_other_tools(run, put, here):
    for folder, value in (("a", 0.0), ("b", 0.5)):
        put(here / folder / "cats.safetensors", value)
    hashes = []
    for folder in ("a", "b"):
        assert run("sample", f"{folder}/cats.safetensors", "--out", f"{folder}.png", *FEW)[0] == 0
        found = read_settings(here / f"{folder}.png")
        assert found["model"] == found["request"]["model"] == "cats@0", "where it lies is nobody's business"
        hashes.append(found["checkpoint_sha256"])
    assert hashes == [Hashing(here / folder / "cats.safetensors").read_all() for folder in ("a", "b")]
    listed, _ = rows(run, str(here))
    assert {row["sha256"] for row in listed.values()} == set(hashes), "and the list remembers them"


def test_a_folder_of_the_window_s_list_is_known_by_name(run, cats, here):
    settings_file().parent.mkdir(parents=True, exist_ok=True)
    assert run("sample", "cats", "--out", "a.png", *FEW)[0] == 2
    assert save_settings(Settings(folders=[str(cats.parent)]), settings_file()) is None
    assert run("sample", "cats@5", "--out", "a.png", *FEW)[0] == 0
    assert "cats@5:ema_0.99 " in run("models")[1]
    settings_file().write_text("{torn")
    assert run("sample", "digits", "--out", "a.png", *FEW)[0] == 0
    assert settings_file().read_text() == "{torn", "a command repairs nothing"


def test_a_guide_may_be_a_path_and_the_picture_does_not_tell_it(run, put, here):
    put(here / "secret" / "weak.safetensors")
    put(here / "secret" / "strong.safetensors", 0.1)
    words = ("--guidance-model", "secret/weak.safetensors", "--guidance", 2, "--label", 3)
    assert run("sample", "secret/strong.safetensors", "--out", "a.png", *FEW, *words)[0] == 0
    assert "secret" not in json.dumps(read_settings(here / "a.png"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "a.trace"], "a.trace is the recording of a run, not a checkpoint"),
        (["sample", "digits", "--source", "{tiny}"], "is a checkpoint, nothing to start from"),
        (["sample", "digits", "--source", "data", "--mask", "{tiny}"], "is a checkpoint: a mask is a picture"),
        (["likelihood", "a.trace"], "a.trace is the recording of a run, not a checkpoint"),
    ],
)
def test_a_file_in_the_wrong_place_is_one_sentence(run, tiny, words, sentence):
    assert run("sample", tiny, "--out", "a.trace", *FEW)[0] == 0
    words = [word.format(tiny=tiny) for word in words]
    out = ["--out", "a.png"] if words[0] == "sample" else []
    code, _, err = run(*words, *out)
    assert code == 2 and sentence in err and err.count("\n") == 1


def test_where_the_search_ended_is_said(run, cats, here, monkeypatch):
    monkeypatch.setattr(finding, "MAX_FILES", 2)
    code, _, err = run("models", here)
    assert code == 0 and "only the first 2 checkpoints were looked at" in err
