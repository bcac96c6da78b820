"""Windows that share their settings lose nothing of each other's."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from diffstudio.studio.app.settings import Settings, load_settings
from diffstudio.studio.app.shared_settings import merged, read_shared, save_shared

A, B, C = {"model": "a"}, {"model": "b"}, {"model": "c"}


def of(**fields):
    return Settings(**fields)


def test_tables_are_merged_entry_by_entry():
    base = of(presets={"kept": A, "gone here": A, "gone there": A, "both": A})
    ours = of(presets={"kept": A, "gone there": A, "both": B, "new here": B})
    theirs = of(presets={"kept": A, "gone here": A, "both": C, "new there": C})
    assert merged(base, ours, theirs).presets == {"kept": A, "both": B, "new here": B, "new there": C}


def test_what_was_deleted_here_and_changed_nowhere_stays_deleted():
    assert merged(of(presets={"x": A}), of(presets={}), of(presets={"x": A, "y": B})).presets == {"y": B}


def test_lists_keep_what_came_and_lose_what_went():
    base, ours, theirs = of(favourites=["a", "b"]), of(favourites=["b", "c"]), of(favourites=["a", "b", "d"])
    assert merged(base, ours, theirs).favourites == ["b", "d", "c"]


def test_the_newest_stand_first():
    base, ours, theirs = of(recent=["1", "2"]), of(recent=["x", "1", "2"]), of(recent=["y", "2", "1"])
    assert merged(base, ours, theirs).recent == ["x", "y", "2"]


def test_one_that_changed_nothing_takes_over_and_the_other_way_round():
    base, other = of(theme="dark"), of(theme="light", threads=3)
    assert merged(base, base, other) == other and merged(base, other, base) == other


def test_of_how_a_window_stands_the_last_one_says():
    base = of(last_model="a", window={"layout": 1})
    found = merged(base, base, of(last_model="b", window={"layout": 2}, threads=2))
    assert (found.last_model, found.window, found.threads) == ("a", {"layout": 1}, 2)


TABLES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([A, B, C]))


@given(TABLES, TABLES, TABLES)
def test_every_change_of_either_is_in_what_comes_of_it(base, ours, theirs):
    found = merged(of(presets=base), of(presets=ours), of(presets=theirs)).presets
    for key in {*base, *ours, *theirs}:
        here, there, before = ours.get(key), theirs.get(key), base.get(key)
        if here == before:
            assert found.get(key) == there
        elif there == before or here is not None:
            assert found.get(key) == here


def test_two_windows_write_one_after_the_other(tmp_path):
    path = tmp_path / "settings.json"
    start, _ = save_shared(of(presets={"x": A}), of(), path)
    one, two = start.model_copy(deep=True), start.model_copy(deep=True)
    one.presets = one.presets | {"of one": B}
    two.presets = two.presets | {"of two": C}
    two.theme = "light"
    save_shared(one, start, path)
    found, problem = save_shared(two, start, path)
    assert problem is None and found == load_settings(path)[0]
    assert found.presets == {"x": A, "of one": B, "of two": C} and found.theme == "light"


def test_a_file_that_can_not_be_read_takes_nothing_away(tmp_path):
    path = tmp_path / "settings.json"
    ours = of(presets={"x": A})
    assert read_shared(path, ours) == ours
    path.write_text("{")
    found, _ = save_shared(ours, ours, path)
    assert found.presets == {"x": A} and json.loads(path.read_text())["presets"] == {"x": A}
    assert path.with_name("settings.json.damaged").read_text() == "{"


def test_where_nothing_can_be_written_it_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    found, problem = save_shared(of(theme="dark"), of(), tmp_path / "file" / "settings.json")
    assert found.theme == "dark" and "not saved" in problem
