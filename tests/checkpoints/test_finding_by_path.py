"""A path as a spec: a file, a folder that is a model, a folder of steps, and the names in a folder."""

import os
from pathlib import Path

import pytest
from small_files import pipeline, put, put_bare

from diffstudio.checkpoints.catalog import Catalog, default_catalog
from diffstudio.errors import BadFile, NotFound


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder in which one works."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def cats(here):
    """Two steps of a training, as diffusers saves them."""
    for step in (500, 1000):
        pipeline(here / "cats" / f"checkpoint-{step}")
    return here / "cats"


@pytest.mark.parametrize(
    ("spec", "step"),
    [
        ("cats", 1000), ("./cats", 1000), ("cats/", 1000), ("{}", 1000), ("~/cats", 1000), (".", 1000),
        ("../here", 1000), ("cats@500", 500), ("./cats@500", 500), ("{}@500", 500), ("~/cats@500", 500),
        ("cats/checkpoint-500", 500), ("./cats/checkpoint-1000/", 1000),
    ],
)  # fmt: skip
def test_the_folder_of_a_training_is_its_last_checkpoint_or_the_one_of_a_step(here, cats, monkeypatch, spec, step):
    monkeypatch.setenv("HOME", str(here))
    found = default_catalog().find(spec.format(cats))
    assert (found.card.name, found.card.step, found.path.name) == ("cats", step, f"checkpoint-{step}")


def test_the_finished_model_in_the_folder_comes_before_its_steps(cats):
    pipeline(cats)
    assert Catalog([]).find("./cats").path == Path("cats")
    assert Catalog([]).find("./cats@1000").path.name == "checkpoint-1000"


@pytest.mark.parametrize("place", ["cats", "cats/checkpoints"])
def test_a_folder_of_single_files_is_a_training_too(here, place):
    for name in ("model-1.safetensors", "model-12.safetensors", "ema_0.999_12.safetensors", "opt-12.pt"):
        put_bare(here / place, name)
    catalog = Catalog([])
    assert catalog.find("cats").path.name == "ema_0.999_12.safetensors"
    assert catalog.find("cats@12").path.name == "model-12.safetensors"
    assert catalog.find("./cats@12:ema_0.999").path.name == "ema_0.999_12.safetensors"
    assert catalog.find(f"{here}/cats@1").path.name == "model-1.safetensors"


def test_a_folder_of_several_models_says_which_there_are(here, cats):
    put(here / "dogs", "dogs", 5)
    with pytest.raises(NotFound, match=r"\. holds 2 models: say which, as FOLDER/NAME: cats, dogs"):
        Catalog([]).find(".")
    assert Catalog([]).find("./dogs").card.name == "dogs"
    assert Catalog([]).find(f"{here}/dogs@5").card.step == 5


def test_of_several_models_the_one_that_lies_right_in_the_folder_is_meant(here, cats):
    pipeline(cats / "old" / "lions")
    assert Catalog([]).find("./cats").path.name == "checkpoint-1000"


def test_a_name_in_a_folder_and_a_name_where_one_works(here, cats):
    put(here / "shelf", "rings", 7, "out")
    put(here, "spots", 3, "spots@3")
    catalog = Catalog([])
    assert catalog.find("shelf/rings").card.step == catalog.find("./shelf/rings@7").card.step == 7
    assert catalog.find("spots@3").path == Path("spots@3.safetensors")
    with pytest.raises(NotFound, match="'spots' has no checkpoint '4': it has the steps 3"):
        catalog.find("spots@4")


def test_a_listed_name_comes_before_a_folder_of_that_name(here):
    pipeline(here / "digits")
    assert default_catalog().find("digits").group == "bundled"
    assert default_catalog().find("./digits").path == Path("digits")


def test_what_is_not_there_is_one_sentence(here, cats):
    for spec, sentence in (
        ("./gone", "there is no file gone"),
        ("./gone@500", "there is no file gone@500"),
        ("./cats@7", "'cats' has no checkpoint '7': it has the steps 500, 1000"),
        ("cats@500:ema", r"'cats' has no weights 'ema' of step 500: say cats@500"),
        ("gone", "there is no model 'gone'"),
        ("cats/gone.pt", "there is no file cats/gone.pt"),
        ("a\0b/c", "can't read"),
        ("~nobody-here/cats", "there is no file"),
    ):
        with pytest.raises((NotFound, BadFile), match=sentence):
            Catalog([]).find(spec)


def test_a_folder_without_a_checkpoint_says_so_or_why_none_can_be_used(here):
    (here / "empty").mkdir()
    with pytest.raises(BadFile, match="empty is a folder without a model that is known here"):
        Catalog([]).find("empty")
    (here / "empty" / "torn.safetensors").write_bytes(b"torn")
    with pytest.raises(BadFile, match=r"torn\.safetensors is not a safetensors checkpoint"):
        Catalog([]).find("empty")


def test_a_path_to_a_listed_file_is_the_listed_checkpoint(here):
    path = put(here / "a")
    put(here / "b")
    (here / "link.safetensors").symlink_to(path)
    catalog = Catalog([("added", here / "a"), ("added", here / "b")])
    catalog.scan()
    assert catalog.find(str(path)).spec == catalog.find("./link.safetensors").spec == "rings (a)@300"
    assert catalog.find(str(path)) is catalog.find("rings (a)")


def test_a_file_is_looked_at_once_however_often_it_is_found(here, monkeypatch):
    from diffstudio.checkpoints import catalog as module

    path, looks = put(here), []
    monkeypatch.setattr(module, "card_at", lambda look, card_at=module.card_at: looks.append(look) or card_at(look))
    catalog = Catalog([])
    for _ in range(3):
        catalog.find(str(path))
    catalog.add(("opened", path))
    assert [entry.group for entry in catalog.scan()] == ["opened"] and len(looks) == 1
    os.utime(path, ns=(1, 1))
    catalog.find(str(path))
    assert len(looks) == 2


def test_a_name_of_the_bundled_models_is_found_without_a_look_at_the_others(here, monkeypatch):
    put(here / "mine", "rings")
    catalog = default_catalog([here / "mine"])
    seen = []
    monkeypatch.setattr(
        Catalog, "_read", lambda self, path, *rest, read=Catalog._read: seen.append(path) or read(self, path, *rest)
    )
    assert catalog.find("digits@400").card.step == 400
    assert not any(here in path.parents for path in seen)
    assert catalog.find("rings").path.parent == here / "mine"


def test_to_load_a_checkpoint_it_is_looked_at_once_with_all_that_it_can_read(monkeypatch):
    from diffstudio.checkpoints.adapters import Look
    from diffstudio.networks import model as module

    looks = []

    class Counted(Look):
        def __init__(self, path):
            looks.append(path)
            super().__init__(path)

    path = default_catalog().find("exact-ring").path
    monkeypatch.setattr(module, "Look", Counted)
    monkeypatch.setattr("diffstudio.checkpoints.adapters.Look", Counted)
    module.load_file(path)
    assert looks == [path]
