"""`diffstudio runs`, driven."""

import json

import pytest

from diffstudio.cli import run_cli
from diffstudio.studio.library.home import library_folder
from diffstudio.studio.library.library import Library


@pytest.fixture
def two(monkeypatch, tmp_path):
    """A library with two runs, in the user's own place."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    library = Library(library_folder())
    card = {"name": "digits", "modality": "image"}
    runs = []
    for solver in ("ddim", "heun"):
        run = library.begin({"model": "digits", "solver": solver, "steps": 9}, card)
        run.file.write_bytes(b"trace of " + solver.encode())
        library.finish(run.id, "done", bytes=13)
        runs.append(run)
    library.close()
    return runs


def _json(capsys, *words):
    assert run_cli(["runs", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_list_is_newest_first_with_what_others_rely_on(two, capsys):
    found = _json(capsys)
    assert [run["id"] for run in found] == [two[1].id, two[0].id]
    assert {"id", "request", "state", "path"} <= found[0].keys()
    assert found[0]["request"]["solver"] == "heun"
    assert [run["id"] for run in _json(capsys, "solver:ddim", "steps>5")] == [two[0].id]
    assert _json(capsys, "fox") == []


def test_the_table_and_one_run(two, capsys):
    assert run_cli(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert two[1].id in lines[1]
    assert run_cli(["runs", "show", two[0].id[-4:]]) == 0
    assert "ddim" in capsys.readouterr().out


def test_star_tag_delete_and_back(two, capsys):
    key = two[0].id
    assert run_cli(["runs", "star", key]) == 0
    assert run_cli(["runs", "tag", "paper", "solver:ddim"]) == 0
    capsys.readouterr()
    assert [(run["id"], run["tags"]) for run in _json(capsys, "star:yes")] == [(key, ["paper"])]
    assert run_cli(["runs", "delete", key]) == 0
    capsys.readouterr()
    assert [run["id"] for run in _json(capsys)] == [two[1].id]
    assert [run["id"] for run in _json(capsys, "--trash")] == [key]
    assert run_cli(["runs", "delete", "--undo", key]) == 0
    capsys.readouterr()
    assert len(_json(capsys)) == 2
    assert run_cli(["runs", "delete", "solver:heun"]) == 0
    assert run_cli(["runs", "delete", "--empty-trash"]) == 0
    assert not two[1].file.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "zzzz"], "no run 'zzzz'"),
        (["sovler:x"], "did you mean solver"),
        (["star", "nothing-like-this"], "no run is found"),
        (["delete"], "give ids or a query"),
        (["export", "steps>100", "--out", "x.runs"], "no run is found"),
    ],
)
def test_what_does_not_work_is_one_sentence(two, capsys, words, said):
    assert run_cli(["runs", *words]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1


def test_export_and_import(two, capsys, tmp_path, monkeypatch):
    out = tmp_path / "my.runs"
    assert run_cli(["runs", "export", "solver:ddim", "--out", str(out)]) == 0
    assert out.stat().st_size > 13
    two[1].file.unlink()
    assert run_cli(["runs", "export", "solver:heun", "--out", str(tmp_path / "gone.runs")]) == 2
    assert "is not where it was" in capsys.readouterr().err
    assert not (tmp_path / "gone.runs").exists()


@pytest.mark.parametrize("name", ["ring.trace", "ring.png"])
def test_a_run_is_kept_where_that_is_asked_for(monkeypatch, tmp_path, capsys, name):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    words = ["sample", "exact-ring", "--steps", "3", "--samples", "4", "--out", str(tmp_path / name), "--json"]
    assert run_cli(words) == 0
    assert "kept" not in json.loads(capsys.readouterr().out)
    assert _json(capsys) == []
    assert run_cli([*words, "--keep"]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = _json(capsys)
    assert found["id"] == told["kept"] and found["state"] == "done"
    assert found["request"] == told["request"]
    assert (tmp_path / name).exists() and found["path"] != str(tmp_path / name)
