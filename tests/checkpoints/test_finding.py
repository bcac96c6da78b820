"""Where checkpoints are looked for: links, deep folders, and bounds that are said."""

import pytest
from small_files import pipeline, put

from diffstudio.checkpoints import finding
from diffstudio.checkpoints.catalog import Catalog
from diffstudio.checkpoints.finding import Search, folders_in


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def found(folder):
    return [str(path.relative_to(folder)) for path in Search(folder)]


def test_a_linked_folder_is_followed(folder, tmp_path):
    pipeline(tmp_path / "elsewhere" / "cats")
    put(tmp_path / "shelf" / "deep", "rings")
    (folder / "linked").symlink_to(tmp_path / "elsewhere" / "cats", target_is_directory=True)
    (folder / "shelf").symlink_to(tmp_path / "shelf", target_is_directory=True)
    assert found(folder) == ["linked", "shelf/deep/rings@300.safetensors"]
    assert [entry.spec for entry in Catalog([("added", folder)]).scan()] == ["linked@0", "rings@300"]


def test_each_real_folder_is_gone_through_once_under_its_own_name(folder):
    put(folder / "z-real")
    for name in ("a-link", "z-real/itself", "z-real/back"):
        (folder / name).symlink_to(folder / "z-real", target_is_directory=True)
    assert found(folder) == ["z-real/rings@300.safetensors"]
    assert folders_in(folder, 99) == [folder, folder / "z-real"]


def test_links_to_folders_above_are_not_followed(folder, tmp_path):
    put(tmp_path, "not-mine")
    put(folder / "deep")
    for name, target in (("round", folder), ("up", tmp_path), ("deep/up", tmp_path), ("deep/root", "/")):
        (folder / name).symlink_to(target, target_is_directory=True)
    assert found(folder) == ["deep/rings@300.safetensors"]
    assert folders_in(folder, 99) == [folder, folder / "deep"]


def test_a_root_that_is_a_link_is_looked_through(folder, tmp_path):
    put(folder)
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    assert found(link) == ["rings@300.safetensors"]


def test_deep_folders_are_found_down_to_a_bound_that_is_said(folder, monkeypatch):
    monkeypatch.setattr(finding, "MAX_DEPTH", 6)
    at = folder
    for depth in range(8):
        put(at, step=depth)
        at = at / "deeper"
    search = Search(folder)
    assert [path.name for path in search] == [f"rings@{depth}.safetensors" for depth in range(7)]
    assert search.cut == f"{folder}: folders more than 6 levels deep were not looked at"
    assert finding.MAX_DEPTH >= 6


@pytest.mark.parametrize(("bound", "what"), [("MAX_FILES", "checkpoints"), ("MAX_FOLDERS", "folders")])
def test_a_bound_that_ends_the_search_is_said(folder, monkeypatch, bound, what):
    for step in range(30):
        put(folder / f"run-{step:02}", step=step)
    catalog = Catalog([("added", folder)])
    assert len(catalog.scan()) == 30 and catalog.listing.remarks == ()
    monkeypatch.setattr(finding, bound, 10)
    assert 5 < len(catalog.scan()) <= 10
    assert catalog.listing.remarks == (
        f"{folder}: only the first 10 {what} were looked at: add the folder in which your checkpoints lie",
    )
    monkeypatch.undo()
    assert len(catalog.scan()) == 30 and catalog.listing.remarks == ()


def test_the_steps_in_a_model_are_found_and_nothing_else_in_it(folder):
    for name in ("cats", "cats/checkpoint-5", "cats/other"):
        pipeline(folder / name)
    pipeline(folder / "elsewhere")
    (folder / "cats" / "checkpoint-9").symlink_to(folder / "elsewhere", target_is_directory=True)
    assert found(folder) == ["cats", "cats/checkpoint-5", "elsewhere"]


def test_a_dangling_link_in_a_folder_does_not_hide_its_model(folder, tmp_path):
    cats = pipeline(folder / "cats")
    (cats / "unet" / "extra.safetensors").symlink_to(tmp_path / "gone")
    assert [entry.spec for entry in Catalog([("added", folder)]).scan()] == ["cats@0"]


def test_a_new_step_in_a_training_does_not_change_the_finished_model(folder):
    pipeline(folder / "cats")
    catalog = Catalog([("added", folder)])
    (before,) = catalog.scan()
    pipeline(folder / "cats" / "checkpoint-5")
    assert {entry.spec: entry.size for entry in catalog.scan()}[before.spec] == before.size
