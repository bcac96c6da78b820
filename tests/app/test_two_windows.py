"""Two windows on one home share presets and settings; the last one to close takes nothing away."""

from __future__ import annotations

import pytest

from diffstudio.gui.app import Studio
from diffstudio.studio.app.settings import load_settings


@pytest.fixture
def other(studio, tmp_path, qapp):
    made = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    yield made
    made.shut_down()
    made.parts.window.deleteLater()
    qapp.processEvents()


def keep(studio, name):
    studio.commands.presets.keep(name, studio.parts.sampling.checked_request())


def test_a_preset_is_there_in_the_other_window_at_once(studio, other, qtbot):
    keep(studio, "mine")
    qtbot.waitUntil(lambda: "mine" in other.parts.settings.presets)
    assert "mine" in other.commands.presets.models
    keep(other, "theirs")
    qtbot.waitUntil(lambda: set(studio.commands.presets.models) == {"mine", "theirs"})
    other.commands.presets.delete("mine")
    qtbot.waitUntil(lambda: set(studio.commands.presets.models) == {"theirs"})


def test_the_last_one_to_close_takes_nothing_away(studio, other, tmp_path):
    keep(other, "of the second")
    studio.shut_down()
    other.shut_down()
    keep_path = tmp_path / "settings.json"
    assert set(load_settings(keep_path)[0].presets) == {"of the second"}


def test_a_preset_of_a_window_that_is_killed_is_kept(studio, tmp_path):
    keep(studio, "sure")
    assert set(load_settings(tmp_path / "settings.json")[0].presets) == {"sure"}


def test_the_theme_of_one_is_that_of_both(studio, other, qtbot):
    studio.use_settings(studio.parts.settings.model_copy(update={"theme": "light"}))
    qtbot.waitUntil(lambda: other.parts.settings.theme == "light")
    other.parts.settings.favourites = ["digits"]
    other.keeping.save()
    qtbot.waitUntil(lambda: studio.parts.settings.favourites == ["digits"])
    assert studio.parts.settings.theme == "light"
