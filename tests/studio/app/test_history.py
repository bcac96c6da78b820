"""The folder of recorded runs: names, order, and what makes room."""

import os

import pytest

from diffstudio.studio.app.history import History, runs_folder


@pytest.fixture
def filled(tmp_path):
    """filled(n, keep): a history of n runs, a second apart, the oldest first."""

    def filled(count, keep):
        history = History(tmp_path / "runs", keep)
        paths = [history.new_path("digits") for _ in range(count)]
        for i, path in enumerate(reversed(paths)):  # written in the other order than their names say
            path.write_bytes(b"x")
            os.utime(path, (1000 + i, 1000 + i))
        return history, paths[::-1]

    return filled


def test_every_run_has_a_name_of_its_own_that_tells_the_model(tmp_path):
    history = History(tmp_path / "runs")
    names = [history.new_path(model).name for model in ("digits@400", "digits@400", "../../etc/passwd", "")]
    assert len(set(names)) == 4
    assert all(name.endswith(".trace") and str(os.getpid()) in name for name in names)
    assert "digits-400" in names[0]
    assert history.new_path("../../x").parent == tmp_path / "runs"
    assert len(history.new_path("m" * 500).name) < 120


def test_a_folder_that_is_not_there_has_no_runs(tmp_path):
    assert History(tmp_path / "nothing").runs() == []


def test_runs_are_listed_from_the_oldest_by_their_age(filled):
    history, paths = filled(4, keep=9)
    assert history.runs() == paths


def test_the_oldest_make_room(filled):
    history, paths = filled(6, keep=2)
    assert history.prune(set()) == paths[:4]
    assert history.runs() == paths[4:]
    assert history.prune(set()) == []


def test_what_is_in_use_is_never_deleted(filled):
    history, paths = filled(6, keep=2)
    assert history.prune({paths[0], paths[3]}) == [paths[1], paths[2]]
    assert history.runs() == [paths[0], *paths[3:]]


def test_files_of_other_kinds_are_left_alone(filled):
    history, _ = filled(3, keep=1)
    note = history.folder / "note.txt"
    note.write_text("mine")
    history.prune(set())
    assert note.exists()


def test_a_run_that_another_window_deleted_is_passed_over(filled, monkeypatch):
    history, paths = filled(3, keep=1)
    monkeypatch.setattr(history, "runs", lambda: paths)
    paths[0].unlink()
    assert history.prune(set()) == paths[:2]


def test_runs_lie_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if os.name == "posix":
        assert runs_folder().is_relative_to(tmp_path)
    assert runs_folder().name == "runs"
