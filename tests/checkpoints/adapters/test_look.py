"""What leads out of a folder, or is no file at all: refused before anything is read."""

from __future__ import annotations

import json
import os
import shutil
import socket

import pytest
import torch
from safetensors.torch import load_file as library_load
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.look import MAX_JSON, inside
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import levels
from diffstudio.errors import BadFile, DiffStudioError
from diffstudio.networks.model import load_file

WEIGHTS = "diffusion_pytorch_model.safetensors"
INDEX = f"{WEIGHTS}.index.json"


@pytest.fixture
def folder(tmp_path, make_unet, diffusers):
    """A small pipeline."""
    out = tmp_path / "cats"
    diffusers.DDIMPipeline(make_unet(), diffusers.DDIMScheduler()).save_pretrained(out)
    return out


def refusal(folder):
    with pytest.raises(DiffStudioError) as caught:
        card_at(folder)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../b", "..", "", "a\\b", "C:/b", "a\x1bb", "a\u202eb"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(BadFile, match="leads out of the folder"):
        inside(tmp_path, name)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"weight_map": {"conv_in.weight": "../evil.safetensors"}}, "which leads out of the folder"),
        ({"weight_map": {"conv_in.weight": "/evil.safetensors"}}, "which leads out of the folder"),
        ({"weight_map": {"conv_in.weight": "missing.safetensors"}}, "the file 'missing.safetensors' is missing"),
        ({"weight_map": {"conv_in.weight": WEIGHTS, "more": WEIGHTS}}, "the index places 'more' in"),
        ({"weight_map": {"a": 1}}, "has no weight_map"),
        ({"weight_map": {}}, "names 0 files, expected 1 to 200"),
        ({}, "has no weight_map"),
    ],
)
def test_an_index_must_fit_the_files_of_its_folder(folder, table, says):
    unet = folder / "unet"
    (unet / INDEX).write_text(json.dumps(table), "utf-8")
    shutil.move(unet / WEIGHTS, unet / "shard.safetensors")
    text = (unet / INDEX).read_text("utf-8").replace(WEIGHTS, "shard.safetensors")
    (unet / INDEX).write_text(text, "utf-8")
    assert says in refusal(folder)


def test_one_tensor_in_two_shards_is_refused(folder):
    unet = folder / "unet"
    weights = library_load(unet / WEIGHTS)
    (unet / WEIGHTS).unlink()
    save_file(weights, unet / "a.safetensors")
    save_file({"conv_in.weight": weights["conv_in.weight"]}, unet / "b.safetensors")
    table = dict.fromkeys(weights, "a.safetensors") | {"conv_in.weight": "b.safetensors"}
    (unet / INDEX).write_text(json.dumps({"weight_map": table}), "utf-8")
    assert "tensor 'conv_in.weight' is in two files, a.safetensors and b.safetensors" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights there")
def test_a_link_that_leaves_the_folder_is_refused_but_that_of_the_hugging_face_cache_is_its_own(folder, tmp_path):
    cache = tmp_path / "models--me--cats"
    snapshot, blobs = cache / "snapshots" / "abc", cache / "blobs"
    shutil.copytree(folder, snapshot)
    blobs.mkdir()
    weights = snapshot / "unet" / WEIGHTS
    shutil.move(weights, blobs / "0123")
    weights.symlink_to("../../../blobs/0123")
    assert card_at(snapshot).name == "me cats"
    assert load_file(snapshot).card.parameters == card_at(folder).parameters
    (folder / "unet" / WEIGHTS).unlink()
    (folder / "unet" / WEIGHTS).symlink_to(blobs / "0123")
    assert "is a link that leaves the folder" in refusal(folder)
    weights.unlink()
    weights.symlink_to(tmp_path / "cats" / "model_index.json")
    assert "is a link that leaves the folder" in refusal(snapshot)


@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not valid JSON"),
        ("[1]", "is not a table"),
        ('{"a":' * 50_000, "is not valid JSON"),
        ('{"a": 1%s}' % ("0" * 5000), "is not valid JSON"),
        (" " * (MAX_JSON + 1), "has more than 1,048,576 bytes"),
    ],
)
def test_a_config_that_is_no_table_is_refused(folder, file, text, says):
    (folder / file).write_text(text, "utf-8")
    assert says in refusal(folder)


def test_parts_that_are_missing_or_no_files_are_named(folder, tmp_path):
    (folder / "unet" / WEIGHTS).unlink()
    assert "has a config, but no weights beside it" in refusal(folder)
    (folder / "unet" / WEIGHTS).mkdir()
    assert f"'{WEIGHTS}' is not a file" in refusal(folder)
    (folder / "unet" / "config.json").unlink()
    assert "the file 'config.json' is missing" in refusal(folder)
    shutil.rmtree(folder / "unet")
    assert "the folder unet is missing, which its index names; copy the folder again" in refusal(folder)
    assert "is a folder without a model" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(folder):
    for name in ("unet/config.json", f"unet/{WEIGHTS}"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert "is not a file" in refusal(folder)
        (folder / name).unlink()
        (folder / "unet" / "config.json").write_text('{"_class_name": "UNet2DModel", "sample_size": 8}', "utf-8")


def test_no_socket_is_opened_while_listing_loading_and_sampling(folder, monkeypatch):
    def opened(*_):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", opened)
    monkeypatch.setattr(socket, "create_connection", opened)
    monkeypatch.setattr(socket, "getaddrinfo", opened)
    (entry,) = Catalog([("user", folder.parent)]).scan()
    assert entry.problem is None
    model = load_file(folder)
    grid = levels(model.path, 2)
    *_, last = reverse(model.denoiser, model.path, grid, torch.zeros(1, 3, 8, 8), None, solver="ddim")
    assert last.level.t == 0
    assert os.environ["HF_HUB_OFFLINE"] == "1"
