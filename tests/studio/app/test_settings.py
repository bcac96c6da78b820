"""What is remembered between starts; damaged, hostile and unknown parts of the file."""

import json
import os

import pytest
from pydantic import ValidationError

from diffstudio.studio.app.settings import MAX_BYTES, Settings, load_settings, save_settings, settings_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "settings.json"


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_how_many_runs_were_kept_is_dropped(tmp_path):
    """Runs are kept by their size now, and never removed without a question."""
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"keep_runs": 7, "last_model": "digits"}))
    settings, sentence = load_settings(path)
    assert (settings.last_model, sentence) == ("digits", None)
    assert "keep_runs" not in settings.model_dump() and settings.library_budget_gib == 20


def test_the_first_start_has_the_defaults_and_says_nothing(path):
    assert load_settings(path) == (Settings(), None)
    assert not path.exists()


def test_what_is_saved_is_loaded(path):
    settings = Settings(theme="light", trace_budget_gib=0.5, folders=["/a b", "/ü"], seed_locked=True)
    settings.presets = {"mine": {"steps": 7, "label": None}}
    settings.window = {"layout": {"geometry": "AAAA"}, "advanced": True}
    assert save_settings(settings, path) is None
    assert load_settings(path) == (settings, None)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", "{'theme': 'dark'}", "\x00\x01", "[" * 100_000])
def test_a_damaged_file_is_kept_and_the_defaults_hold(path, text):
    write(path, text)
    settings, sentence = load_settings(path)
    assert settings == Settings()
    kept = path.with_name("settings.json.damaged")
    assert sentence == f"The settings were damaged and are kept as {kept}; defaults are used."
    assert kept.read_text(encoding="utf-8") == text
    assert not path.exists()
    assert load_settings(path) == (Settings(), None)


def test_an_enormous_file_is_not_read(path):
    write(path, json.dumps({"last_model": "x" * MAX_BYTES}))
    settings, sentence = load_settings(path)
    assert settings == Settings()
    assert sentence is not None
    assert "damaged" in sentence


@pytest.mark.parametrize(
    "bad",
    [
        {"theme": "pink"}, {"trace_budget_gib": -1}, {"trace_budget_gib": "NaN"}, {"library_budget_gib": 0},
        {"library_budget_gib": 10**9}, {"threads": 1000}, {"device": "x" * 41}, {"recent": ["a"] * 21},
        {"folders": [1, 2]}, {"presets": {"a": 3}}, {"seed_locked": "perhaps"}, {"window": []},
    ],
)  # fmt: skip
def test_a_field_out_of_its_bounds_falls_back_alone(path, bad):
    write(path, json.dumps({"last_model": "shapes-2d"} | bad))
    settings, sentence = load_settings(path)
    assert settings == Settings(last_model="shapes-2d")
    assert sentence == f"{path}: {next(iter(bad))} was out of bounds; the default is used."


def test_several_bad_fields_are_all_named(path):
    write(path, json.dumps({"theme": 3, "library_budget_gib": None, "last_model": "digits"}))
    settings, sentence = load_settings(path)
    assert settings == Settings(last_model="digits")
    assert sentence is not None
    assert "library_budget_gib, theme was out of bounds" in sentence


def test_a_field_of_a_newer_version_is_passed_over(path):
    write(path, json.dumps({"theme": "dark", "holograms": True}))
    assert load_settings(path) == (Settings(theme="dark"), None)


def test_a_value_out_of_bounds_is_not_taken_while_running():
    settings = Settings()
    with pytest.raises(ValidationError, match="library_budget_gib"):
        settings.library_budget_gib = 0


def test_recent_files_are_the_last_ten_without_doubles():
    settings = Settings()
    for i in range(12):
        settings.remember_recent(f"/{i}")
    settings.remember_recent("/7")
    assert settings.recent == ["/7", "/11", "/10", "/9", "/8", "/6", "/5", "/4", "/3", "/2"]


def test_what_can_not_be_saved_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    sentence = save_settings(Settings(), tmp_path / "file" / "settings.json")
    assert sentence is not None
    assert sentence.startswith("The settings were not saved: ")


def test_every_field_of_the_dialog_has_a_title_and_one_sentence():
    shown = {name: field for name, field in Settings.model_fields.items() if field.title}
    assert {"theme", "trace_budget_gib", "library_budget_gib", "threads", "device"} <= shown.keys()
    assert all((field.description or "").rstrip().endswith(("dark or light.", ".", "…")) for field in shown.values())


@pytest.mark.skipif(os.name != "posix", reason="XDG folders")
def test_the_file_lies_in_the_users_configuration(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_file() == tmp_path / "diffstudio" / "settings.json"
