"""Finding checkpoints: by name, by step, by path, in folders with good and broken files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file as library_save
from small_files import pipeline, put
from tensor_bytes import good

from diffstudio.checkpoints.catalog import Catalog, default_catalog
from diffstudio.checkpoints.finding import user_folder
from diffstudio.errors import BadFile, NotFound


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def names(catalog):
    return [entry.path.name for entry in catalog.scan()]


def test_checkpoints_are_grouped_by_name_in_the_order_of_their_steps(folder):
    for step in (1000, 50, 400):
        put(folder, step=step)
    put(folder, "digits", 7)
    models = Catalog([("user", folder)]).models()
    assert [(m.name, [e.spec for e in m.entries]) for m in models] == [
        ("digits", ["digits@7"]),
        ("rings", ["rings@50", "rings@400", "rings@1000"]),
    ]
    assert models[1].default.card == models[1].card
    assert models[1].card.step == 1000


def test_an_entry_says_where_it_lies_and_how_large_it_is(folder):
    path = put(folder)
    (entry,) = Catalog([("user", folder)]).scan()
    assert (entry.path, entry.group, entry.size, entry.problem) == (path, "user", path.stat().st_size, None)


def test_the_bare_name_is_the_last_of_the_training_and_a_step_can_be_asked_for(folder):
    paths = {step: put(folder, step=step) for step in (50, 1000)}
    catalog = Catalog([("user", folder)])
    assert catalog.find("rings").path == catalog.find("rings@1000").path == paths[1000]
    assert catalog.find("rings@50").path == paths[50]
    with pytest.raises(NotFound, match="'rings' has no checkpoint '51': it has the steps 50, 1000"):
        catalog.find("rings@51")
    with pytest.raises(NotFound, match="no checkpoint 'last'"):
        catalog.find("rings@last")


def test_an_unknown_name_is_answered_with_close_ones(folder):
    for name in ("digits", "digits-ddpm", "swissroll"):
        put(folder, name)
    catalog = Catalog([("user", folder)])
    with pytest.raises(NotFound, match=r"there is no model 'digit': did you mean digits or digits-ddpm\?"):
        catalog.find("digit")
    with pytest.raises(NotFound, match="there is no model 'qqq': there are digits-ddpm, digits, swissroll"):
        catalog.find("qqq")
    with pytest.raises(NotFound, match="there are none"):
        Catalog([]).find("digits")


@pytest.mark.parametrize("spec", ["", "@", "@300", "x" * 5000, "a\nb"])
def test_a_strange_name_is_only_unknown(folder, spec):
    put(folder)
    with pytest.raises(NotFound, match="there is no model"):
        Catalog([("user", folder)]).find(spec)


def test_a_path_is_read_wherever_it_lies(folder, monkeypatch):
    path = put(folder, file="elsewhere")
    monkeypatch.chdir(folder)
    for spec in (str(path), "elsewhere.safetensors", f".{os.sep}elsewhere.safetensors"):
        found = Catalog([]).find(spec)
        assert (found.spec, found.group, found.size) == ("rings@300", "file", path.stat().st_size)
    with pytest.raises(NotFound, match=r"there is no file gone\.safetensors"):
        Catalog([]).find("gone.safetensors")
    Path("note.txt").write_text("hello")
    with pytest.raises(BadFile, match=r"note\.txt is not a safetensors checkpoint"):
        Catalog([]).find(f".{os.sep}note.txt")
    with pytest.raises(BadFile, match=r"note\.txt is not a safetensors checkpoint"):
        Catalog([]).find("note.txt")


def test_a_broken_file_is_listed_with_its_problem_and_is_no_model(folder):
    put(folder)
    broken = folder / "broken.safetensors"
    broken.write_bytes(good()[:-1])
    catalog = Catalog([("user", folder)])
    first, second = catalog.scan()
    assert (first.path, first.card, first.spec) == (broken, None, str(broken))
    assert f"{broken} is truncated" in first.problem
    assert second.problem is None
    assert [m.name for m in catalog.models()] == ["rings"]
    with pytest.raises(BadFile, match="is truncated"):
        catalog.find(str(broken))


def test_hidden_files_and_other_files_are_not_looked_at(folder, tmp_path):
    put(folder)
    put(folder, file=".hidden")
    put(folder / ".git", file="inside")
    put(folder / "node_modules" / "x", file="inside")
    put(folder / "env", file="inside")
    (folder / "env" / "pyvenv.cfg").write_text("")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "a-folder.safetensors").mkdir()
    (folder / "dangling.safetensors").symlink_to(tmp_path / "gone.safetensors")
    assert names(Catalog([("user", folder)])) == ["rings@300.safetensors"]


def test_a_scan_sees_what_was_added_changed_and_deleted(folder):
    path = put(folder, title="before")
    catalog = Catalog([("user", folder)])
    assert catalog.find("rings").card.title == "before"
    put(folder, title="afterwards")
    put(folder, step=400)
    assert len(catalog.entries) == 1  # until the next scan
    assert [e.card.title for e in catalog.scan()] == ["afterwards", ""]
    path.unlink()
    assert [e.spec for e in catalog.scan()] == ["rings@400"]


def test_what_was_listed_and_is_gone_is_said_to_be_gone(folder):
    path = put(folder)
    kept = put(folder, "digits")
    catalog = Catalog([("user", folder)])
    catalog.scan()
    path.unlink()
    catalog.scan()
    with pytest.raises(NotFound, match=rf"{path} is gone, which was 'rings@300': choose another checkpoint"):
        catalog.find("rings@300")
    put(folder)
    catalog.scan()
    assert catalog.find("rings@300").path == path
    catalog.remove(("user", folder))
    with pytest.raises(NotFound, match="there is no model 'digits@300'"):
        catalog.find("digits@300")
    assert kept.is_file(), "a folder that was taken off the list is no loss"


def test_a_file_that_has_not_changed_is_not_read_again(folder):
    path = put(folder)
    catalog = Catalog([("user", folder)])
    (before,) = catalog.scan()
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, ns=times)
    assert catalog.scan() == [before]
    os.utime(path, ns=(times[0], times[1] + 10**9))
    assert "is not a safetensors checkpoint" in catalog.scan()[0].problem


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    assert Catalog([("user", tmp_path / "nowhere")]).scan() == []


def test_bundled_checkpoints_come_first_and_are_all_usable(folder, tmp_path):
    put(folder, "zebra")
    assert user_folder() == tmp_path / "home" / "diffstudio" / "checkpoints"
    put(user_folder(), "mine")
    catalog = default_catalog([folder])
    groups = [entry.group for entry in catalog.scan()]
    assert groups == ["bundled"] * groups.count("bundled") + ["user", str(folder)]
    assert groups.count("bundled") > 0
    assert [e.problem for e in catalog.entries] == [None] * len(groups)
    for model in catalog.models():
        assert catalog.find(model.name) == model.default
        assert catalog.find(model.default.spec) == model.default
    assert catalog.find("digits").group == "bundled"
    assert catalog.find("mine").group == "user"
    assert catalog.find("zebra").group == str(folder)


def test_a_folder_of_another_tool_is_one_model_with_the_steps_of_its_training(folder):
    for name in ("cats", "cats/checkpoint-500", "cats/checkpoint-1000"):
        pipeline(folder / name)
    (folder / "cats" / "checkpoint-500" / "optimizer.bin").write_bytes(b"no model")
    (model,) = Catalog([("user", folder)]).models()
    assert [(e.spec, e.path.name) for e in model.entries] == [
        ("cats@500", "checkpoint-500"),
        ("cats@1000", "checkpoint-1000"),
        ("cats@0", "cats"),  # the finished one, whose step nobody wrote down
    ]
    catalog = Catalog([("user", folder)])
    assert catalog.find("cats").path == folder / "cats"
    assert catalog.find("cats@500").path == folder / "cats" / "checkpoint-500"
    assert catalog.find(str(folder / "cats")).card == catalog.find("cats").card


def test_a_folder_that_did_not_change_is_not_read_again(folder, monkeypatch):
    pipeline(folder / "cats")
    catalog = Catalog([("user", folder)])
    (before,) = catalog.scan()
    monkeypatch.setattr("diffstudio.checkpoints.catalog.card_at", None)
    assert catalog.scan() == [before]
    monkeypatch.undo()
    (folder / "cats" / "unet" / "config.json").write_text('{"_class_name": "Other"}', "utf-8")
    (after,) = catalog.scan()
    assert "a network of the class 'Other'" in (after.problem or "")


def test_a_broken_folder_is_listed_with_its_problem(folder):
    (pipeline(folder / "cats") / "unet" / "config.json").write_text("{", "utf-8")
    (entry,) = Catalog([("user", folder)]).scan()
    assert (entry.path, entry.card) == (folder / "cats", None)
    assert "is not valid JSON" in (entry.problem or "")


def test_the_cache_of_the_hub_is_a_source_of_what_can_be_used(folder, monkeypatch, tmp_path):
    hub = tmp_path / "hub"
    pipeline(hub / "models--me--cats" / "snapshots" / "0a1b")
    other = hub / "models--they--words" / "snapshots" / "2c3d"
    other.mkdir(parents=True)
    (other / "config.json").write_text('{"architectures": ["Words"]}', "utf-8")
    library_save({"w": np.zeros(2, np.float32)}, other / "model.safetensors")
    broken = pipeline(hub / "models--they--noise" / "snapshots" / "4e5f")
    (broken / "unet" / "config.json").write_text("{", "utf-8")
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    put(hub / "models--me--rings" / "snapshots" / "6a7b", "rings", 5, "rings-fp16")
    catalog = default_catalog()
    entries = [entry for entry in catalog.scan() if entry.group == "Hugging Face"]
    assert [(entry.spec, entry.problem) for entry in entries] == [("me cats@0", None), ("rings@5", None)]
    assert catalog.find("me cats").path == hub / "models--me--cats" / "snapshots" / "0a1b"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nowhere"))
    assert {entry.group for entry in default_catalog().scan()} == {"bundled"}


def test_a_file_is_what_its_content_says_whatever_it_is_called(folder):
    path = put(folder, step=7).rename(folder / "rings.weights")
    assert Catalog([]).find(str(path)).spec == "rings@7"
    (entry,) = Catalog([("opened", path)]).scan()
    assert entry.spec == "rings@7"


def test_a_card_beside_a_file_that_changes_changes_the_entry(folder):
    weights, path = np.zeros((2, 2), np.float32), folder / "mine-3.safetensors"
    library_save({"w": weights}, path)
    beside = folder / "mine-3.safetensors.card.json"
    catalog = Catalog([("user", folder)])
    (entry,) = catalog.scan()
    assert "put a card beside it (mine-3.safetensors.card.json)" in (entry.problem or "")
    table = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
    beside.write_text(json.dumps(table), "utf-8")
    os.utime(beside, ns=(1, path.stat().st_mtime_ns + 10**9))
    (entry,) = catalog.scan()
    assert (entry.spec, entry.card.format if entry.card else "") == ("mine@3", "bare")


def test_a_scan_tells_what_it_has_found_as_it_goes(folder, tmp_path, monkeypatch):
    second = tmp_path / "second"
    put(second, "digits")
    for step in range(3):
        put(folder, step=step)
    monkeypatch.setattr("diffstudio.checkpoints.catalog.TOLD", 0)
    catalog = Catalog([("user", folder), ("added", second)])
    counts = [len(listing.entries) for listing in catalog.scanning(catalog.folders)]
    assert counts[0] == 0 and counts[-1] == 4
    assert sorted(counts) == counts and 2 in counts
    assert min(len(listing.entries) for listing in catalog.scanning(catalog.folders)) == 4, "rows stay during the next"


def test_one_folder_can_be_looked_at_alone_and_taken_away(folder, tmp_path):
    second = tmp_path / "second"
    put(second, "digits")
    put(folder)
    catalog = Catalog([("user", folder)])
    list(catalog.scanning([("user", folder)]))
    catalog.add(("added", second))
    assert [e.spec for e in catalog.entries] == ["rings@300"]
    list(catalog.scanning([("added", second)]))
    assert [e.spec for e in catalog.entries] == ["rings@300", "digits@300"]
    catalog.remove(("added", second))
    assert [e.spec for e in catalog.entries] == ["rings@300"]
    assert [folder for _, folder in catalog.folders] == [folder]


def test_a_scan_that_is_stopped_leaves_the_list_as_it_was(folder):
    put(folder)
    catalog = Catalog([("user", folder)])
    before = catalog.scan()
    put(folder, step=400)
    list(catalog.scanning(catalog.folders, stop=lambda: True))
    assert catalog.entries == before
    assert len(catalog.scan()) == 2


def test_a_file_that_is_being_written_waits(folder):
    put(folder)
    torn = folder / "torn.safetensors"
    torn.write_bytes(good()[:-1])
    catalog = Catalog([("user", folder)])

    def listed(**how):
        *_, last = catalog.scanning(catalog.folders, **how)
        return [entry.path.name for entry in last.entries], last.unsettled

    assert listed(settle=True) == (["rings@300.safetensors"], True)
    os.utime(torn, ns=(1, 1))
    assert listed(settle=True) == (["rings@300.safetensors", "torn.safetensors"], False)
    torn.write_bytes(good()[:-1])
    assert listed(settle=True) == (["rings@300.safetensors", "torn.safetensors"], False), "who was listed stays"


@pytest.mark.parametrize("form", ["checkpoint-{}", "checkpoint_{}", "step_{}", "global_step{}", "epoch-{}"])
def test_a_folder_of_steps_alone_is_one_model_with_the_last_as_its_usual_one(folder, form):
    for step in (500, 90, 1000):
        pipeline(folder / "cats" / form.format(step))
    catalog = Catalog([("user", folder)])
    (model,) = catalog.models()
    assert [entry.spec for entry in model.entries] == ["cats@90", "cats@500", "cats@1000"]
    assert catalog.find("cats").path.name == form.format(1000)


def test_files_and_folders_of_steps_in_two_trainings_stay_apart(folder):
    table = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
    for run in ("cats", "dogs"):
        place = folder / run / "checkpoints"
        place.mkdir(parents=True)
        for step in (1, 2):
            library_save({"w": np.zeros(2, np.float32)}, place / f"model-{step}.safetensors")
            (place / f"model-{step}.safetensors.card.json").write_text(json.dumps(table), "utf-8")
    found = {m.name: [e.spec for e in m.entries] for m in Catalog([("user", folder)]).models()}
    assert found == {"cats": ["cats@1", "cats@2"], "dogs": ["dogs@1", "dogs@2"]}
