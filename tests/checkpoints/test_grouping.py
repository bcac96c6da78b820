"""The list shows every checkpoint once, under a name that tells it from the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tiny_prompted
import torch
from small_files import pipeline, put, put_bare

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.grouping import Grouping
from diffstudio.checkpoints.listing import Entry
from diffstudio.checkpoints.names import name_and_step
from diffstudio.errors import NotFound
from diffstudio.networks.adm import ADM


def listed(*folders, group="added"):
    """The models with the specs and the files of their checkpoints."""
    catalog = Catalog([(group, folder) for folder in folders])
    return {model.name: [(e.spec, e.path.name) for e in model.entries] for model in catalog.models()}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


# ── steps and averaged weights ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def trained():
    """A network of guided-diffusion as its trainer saves it, and its optimiser."""
    net = ADM((3, 32, 32), 0, 32, (32, 64, 64), 1, (False, False, True), (True, True) + (False,) * 4, heads=4,
              scale_shift=True, resample=True)  # fmt: skip
    return net.state_dict(), torch.optim.AdamW(net.parameters()).state_dict()


def test_averaged_and_raw_weights_of_a_step_are_told_apart(tmp_path, trained):
    folder = tmp_path / "cats"
    folder.mkdir()
    for name in ("model010000", "ema_0.9999_010000", "ema_0.999_010000", "model020000"):
        torch.save(trained[0], folder / f"{name}.pt")
    torch.save(trained[1], folder / "opt010000.pt")
    catalog = Catalog([("added", folder)])
    (model,) = catalog.models()
    assert [(entry.spec, entry.path.name) for entry in model.entries] == [
        ("cats@10000", "model010000.pt"),
        ("cats@10000:ema_0.999", "ema_0.999_010000.pt"),
        ("cats@10000:ema_0.9999", "ema_0.9999_010000.pt"),
        ("cats@20000", "model020000.pt"),
    ]
    assert all(catalog.find(entry.spec) is entry for entry in model.entries)
    assert catalog.find("cats").path.name == "model020000.pt"
    assert len(catalog.entries) == 4, "an optimiser's state is no checkpoint, not even a broken one"
    (folder / "model020000.pt").unlink()
    catalog.scan()
    assert catalog.find("cats").path.name == "ema_0.9999_010000.pt", "the average over the longest time"
    with pytest.raises(NotFound, match=r"no weights 'ema' of step 10000: say cats@10000 or cats@10000:ema_0\.999 or "):
        catalog.find("cats@10000:ema")


def test_of_averaged_weights_alone_the_step_says_which_if_there_is_one(folder):
    put_bare(folder, "ema_0.9999_000500.safetensors")
    catalog = Catalog([("added", folder)])
    assert catalog.find("mine@500").spec == catalog.find("mine").spec == "mine@500:ema_0.9999"
    put_bare(folder, "ema_0.999_000500.safetensors")
    catalog.scan()
    with pytest.raises(NotFound, match=r"'mine' has several checkpoints of step 500: say mine@500:ema_0\.999 or "):
        catalog.find("mine@500")


@pytest.mark.parametrize("state", ["optimizer.pt", "opt-5.pt", "scheduler.bin", "random_states_0.pkl", "scaler.pt"])
def test_what_a_training_saves_beside_its_network_is_passed_over(folder, state):
    put(folder)
    (folder / state).write_bytes(b"\x80\x02}q\x00.")
    (folder / "options.pt").write_bytes(b"\x80\x02}q\x00.")
    assert [entry.path.name for entry in Catalog([("added", folder)]).scan()] == [
        "options.pt",
        "rings@300.safetensors",
    ]


def test_an_optimiser_is_passed_over_whatever_it_is_called_and_by_the_next_process_too(folder, tmp_path, trained):
    from diffstudio.checkpoints.scan_cache import ScanCache

    layer = torch.nn.Linear(2, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.zeros(1, 2)).sum().backward()
    optimiser.step()
    torch.save(optimiser.state_dict(), folder / "late.pt")
    for _ in range(2):
        assert Catalog([("added", folder)], ScanCache(tmp_path / "cache.jsonl")).scan() == []


def test_a_network_that_is_called_like_an_optimiser_is_listed(folder):
    put_bare(folder, "optimizer.safetensors")
    assert listed(folder) == {"optimizer": [("optimizer@0", "optimizer.safetensors")]}


def test_what_differs_by_its_average_alone_is_one_model(folder):
    put_bare(folder, "cats.safetensors")
    put_bare(folder, "cats_ema.safetensors")
    assert listed(folder) == {"cats": [("cats@0", "cats.safetensors"), ("cats@0:ema", "cats_ema.safetensors")]}
    (folder / "cats.safetensors").unlink()
    assert listed(folder) == {"cats_ema": [("cats_ema@0", "cats_ema.safetensors")]}, "alone it has its own name"


# ── digits in names ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("files", "models"),
    [
        (["sd15"], ["sd15"]),
        (["sd15", "sd21"], ["sd15", "sd21"]),
        (["dream_7", "dream_8"], ["dream_7", "dream_8"]),
        (["cats_v9", "cats_v10"], ["cats_v10", "cats_v9"]),
        (["anything-v4", "anything-v5"], ["anything-v4", "anything-v5"]),
        (["sd-v1-4", "sd-v1-5"], ["sd-v1-4", "sd-v1-5"]),
        (["cats256", "cats512"], ["cats256", "cats512"]),
        (["cats-2024", "cats-2025"], ["cats-2024", "cats-2025"]),
        (["cats500", "cats1000"], ["cats"]),
        (["cats_0001", "cats_0002"], ["cats"]),
        (["cats-1", "cats-2"], ["cats"]),
        (["cats", "cats-500", "cats_1000"], ["cats"]),
        (["step500", "step1000"], ["mine"]),
        (["cats@1", "cats@2"], ["cats"]),
    ],
)
def test_a_number_is_a_step_only_where_it_counts_one_training(folder, files, models):
    for name in files:
        put_bare(folder, f"{name}.safetensors")
    found = listed(folder)
    assert sorted(found) == sorted(models)
    assert sorted(file for rows in found.values() for _, file in rows) == sorted(
        f"{name}.safetensors" for name in files
    )


@pytest.mark.parametrize("files", [("cats500", "cats1000"), ("cats-1", "cats-2"), ("cats@1", "cats@2")])
def test_files_with_different_networks_are_never_steps_of_one_training(folder, files):
    for width, name in enumerate(files, 8):
        put_bare(folder, f"{name}.safetensors", width)
    found = listed(folder)
    assert len(found) == 2 and all(len(rows) == 1 for rows in found.values())
    if "@" not in files[0]:
        assert set(found) == set(files), "each has the name of its file"


def test_a_small_number_behind_a_model_that_draws_what_a_prompt_says_is_its_version():
    def placed(*files):
        entries = []
        for file in files:
            name, step = name_and_step(Path(file))
            card = tiny_prompted.card().model_copy(update={"name": name, "step": step, "format": "single-file"})
            entries.append(Entry(Path("/models") / file, card, 1, "added", identity=file))
        return [(place.name, place.step) for place in Grouping().places(entries)]

    assert placed("stable-diffusion-2.safetensors") == [("stable-diffusion-2", 0)]
    assert placed("photo-1.safetensors", "photo-2.safetensors") == [("photo-1", 0), ("photo-2", 0)]
    assert placed("mine-000001.safetensors", "mine-000002.safetensors") == [("mine", 1), ("mine", 2)]
    assert placed("mine-500.safetensors") == [("mine", 500)]


def test_two_files_of_one_step_are_told_apart_by_their_names(folder):
    for name in ("model-5.safetensors", "step_5.safetensors", "model-6.safetensors"):
        put_bare(folder, name)
    catalog = Catalog([("added", folder)])
    assert [e.spec for e in catalog.entries] == ["mine@5:model-5.safetensors", "mine@6", "mine@5:step_5.safetensors"]
    assert catalog.find("mine@5:step_5.safetensors").path.name == "step_5.safetensors"
    with pytest.raises(NotFound, match="'mine' has several checkpoints of step 5: say "):
        catalog.find("mine@5")


def test_a_step_that_the_file_says_itself_needs_no_other_file(folder):
    put_bare(folder, "cats_70.safetensors", step=70)
    put_bare(folder, "dogs_70.safetensors", step=71)
    assert sorted(listed(folder).values()) == [
        [("cats@70", "cats_70.safetensors")],
        [("dogs_70@71", "dogs_70.safetensors")],
    ]


def test_what_the_card_beside_a_file_says_is_believed(folder):
    put_bare(folder, "a7.safetensors", name="lions", step=90)
    put_bare(folder, "b7.safetensors", name="lions", step=95)
    assert {name: [spec for spec, _ in rows] for name, rows in listed(folder).items()} == {
        "lions (a7)": ["lions (a7)@90"],
        "lions (b7)": ["lions (b7)@95"],
    }


# ── equal names and equal cards ─────────────────────────────────────────────────────────────────────────────────────


def test_a_recipe_that_was_trained_again_does_not_hide_under_the_bundled_model(tmp_path):
    bundled, mine = tmp_path / "bundled", tmp_path / "mine"
    put(bundled, "shapes-2d", 6000, "shapes-2d")
    put(bundled, "shapes-2d", 400, "shapes-2d@400")
    put(mine, "shapes-2d", 60, "first")
    put(mine, "shapes-2d", 60, "second")
    put(mine, "shapes-2d", 6000, "shapes-2d")
    catalog = Catalog([("bundled", bundled), ("added", mine)])
    found = {model.name: [e.path.name for e in model.entries] for model in catalog.models()}
    assert found == {
        "shapes-2d": ["shapes-2d@400.safetensors", "shapes-2d.safetensors"],
        "shapes-2d (first)": ["first.safetensors"],
        "shapes-2d (second)": ["second.safetensors"],
        "shapes-2d (shapes-2d.safetensors)": ["shapes-2d.safetensors"],
    }
    assert catalog.find("shapes-2d").group == "bundled" and catalog.find("shapes-2d@6000").group == "bundled"
    assert catalog.find("shapes-2d (first)@60") is catalog.find("first"), "and by the name of its file"
    assert catalog.find("second.safetensors") is catalog.find("shapes-2d (second)")


def test_equal_cards_do_not_merge_two_files(folder):
    for name in ("one", "two"):
        put(folder, "rings", 300, name)
    assert listed(folder) == {
        "rings (one)": [("rings (one)@300", "one.safetensors")],
        "rings (two)": [("rings (two)@300", "two.safetensors")],
    }


def test_the_files_of_our_own_training_are_one_model(folder):
    put(folder, "rings", 900, "out")
    for step in (100, 300):
        put(folder, "rings", step, f"out@{step}")
    assert listed(folder) == {
        "rings": [
            ("rings@100", "out@100.safetensors"),
            ("rings@300", "out@300.safetensors"),
            ("rings@900", "out.safetensors"),
        ]
    }


def test_models_of_one_name_say_their_folders_and_the_bare_name_is_refused(tmp_path):
    for run in ("a", "b"):
        put(tmp_path / run, step=400)
        pipeline(tmp_path / run / "unet-run")
    put(tmp_path / "b", "unet-run", 5)
    catalog = Catalog([("user", tmp_path / "a"), ("added", tmp_path / "b")])
    assert [model.name for model in catalog.models()] == [
        "rings (a)", "unet-run (a)", "rings (b)", "unet-run (unet-run 5.safetensors)", "unet-run (b/unet-run)",
    ]  # fmt: skip
    assert catalog.find("rings (b)@400").path.parent.name == "b"
    with pytest.raises(NotFound, match=r"'rings' is the name of 2 models: say rings \(a\) or rings \(b\), or the path"):
        catalog.find("rings@400")
    assert len({entry.spec for entry in catalog.entries}) == len(catalog.entries)
    for entry in catalog.entries:
        assert catalog.find(entry.spec) is entry
        assert Catalog(catalog.folders).find(entry.spec).path == entry.path, "also by who has looked nowhere yet"


def test_a_name_with_its_folder_stays_good_when_the_other_is_gone(tmp_path):
    kept, gone = put(tmp_path / "a"), put(tmp_path / "b")
    catalog = Catalog([("added", tmp_path / "a"), ("added", tmp_path / "b")])
    spec = catalog.find("rings (a)").spec
    gone.unlink()
    catalog.scan()
    assert catalog.find("rings").path == catalog.find(spec).path == kept
    with pytest.raises(NotFound, match="there is no model"):
        catalog.find("rings (b)")


def test_a_name_given_to_tell_two_apart_stays_the_same_object(tmp_path):
    for name in ("a/unet-run", "b/unet-run"):
        pipeline(tmp_path / name)
    catalog = Catalog([("added", tmp_path)])
    before = catalog.scan()
    after = catalog.scan()
    assert [e.spec for e in after] == ["unet-run (a)@0", "unet-run (b)@0"]
    assert [e.card.title for e in after] == ["unet-run (a)", "unet-run (b)"]
    assert all(a is b for a, b in zip(before, after, strict=True))


def test_long_names_stay_as_long_as_a_card_may_have_them(tmp_path):
    for run in ("a" * 60, "b" * 60):
        put(tmp_path / run, "x" * 80)
    names = [model.name for model in Catalog([("added", tmp_path)]).models()]
    assert len(set(names)) == 2 and all(len(name) <= 80 for name in names)


# ── one file is listed once ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_really_one_file_is_listed_once_in_the_first_folder(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    path, training = put(first), pipeline(first / "cats")
    (first / "broken.safetensors").write_bytes(b"broken")
    second.mkdir()
    (second / "other-name.safetensors").symlink_to(path)
    os.link(path, second / "hard.safetensors")
    (second / "link").symlink_to(training, target_is_directory=True)
    (second / "again").symlink_to(first, target_is_directory=True)
    catalog = Catalog([("first", first), ("second", second)])
    assert [entry.group for entry in catalog.scan()] == ["first"] * 3
    catalog.remove(("first", first))
    assert {entry.group for entry in catalog.entries} == {"second"}
    assert [model.name for model in catalog.models()] == ["rings", "cats"]


def test_copies_are_files_of_their_own(tmp_path):
    path = put(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    assert [model.name for model in Catalog([("added", tmp_path)]).models()] == ["rings (a)", "rings (b)"]


def test_snapshots_that_share_their_weights_are_one_checkpoint_others_are_not(tmp_path):
    repository = tmp_path / "models--me--cats"
    first = pipeline(repository / "snapshots" / ("0a" * 20)) / "unet"
    for revision, shared in (("1b" * 20, True), ("2c" * 20, False)):
        unet = repository / "snapshots" / revision / "unet"
        unet.mkdir(parents=True)
        (unet / "config.json").symlink_to(first / "config.json")
        weights = "diffusion_pytorch_model.safetensors"
        if shared:
            (unet / weights).symlink_to(first / weights)
        else:
            (unet / weights).write_bytes((first / weights).read_bytes())
    assert list(listed(tmp_path)) == ["me cats (0a0a0a0)", "me cats (2c2c2c2)"]
