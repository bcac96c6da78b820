"""Presets in the real window: saved, replaced knowingly, renamed, deleted, taken, and all of it undone."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QMessageBox

from diffstudio.errors import BadInput
from diffstudio.gui.app import Studio
from diffstudio.gui.dialogs.presets import PresetName, PresetsDialog
from diffstudio.studio.app.settings import MOST_PRESETS, Settings


def shown(kind):
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


@pytest.fixture
def window(studio, qtbot):
    studio.parts.window.show()
    qtbot.waitExposed(studio.parts.window)
    return studio


@pytest.fixture
def two(window):
    """A preset of digits with seven steps, and one of points."""
    p = window.parts
    p.sampling.steps.set_value(7)
    window.commands.presets.keep("seven", p.sampling.checked_request())
    assert p.models.choose("shapes-2d")
    window.commands.presets.keep("spots", p.sampling.checked_request())
    assert p.models.choose("digits")
    p.sampling.reset()
    return window


def save_as(window, name):
    window.commands.run("save_preset")
    dialog = shown(PresetName)
    dialog.name.clear()
    QTest.keyClicks(dialog.name, name)
    return dialog


def titles(window):
    return [a.text() for a in window.parts.sampling.presets.menu().actions() if a.data()]


def page(window):
    window.commands.run("presets")
    return shown(PresetsDialog)


def choose(dialog, name):
    items = [dialog.list.topLevelItem(i) for i in range(dialog.list.topLevelItemCount())]
    dialog.list.setCurrentItem(next(item for item in items if item.text(0) == name))


def test_each_says_for_which_model_it_is(two):
    assert titles(two) == ["seven\tdigits@3500", "spots\tshapes-2d@12000"]
    dialog = page(two)
    rows = [dialog.list.topLevelItem(i) for i in range(2)]
    assert [(row.text(0), row.text(1)) for row in rows] == [("seven", "digits@3500"), ("spots", "shapes-2d@12000")]
    dialog.close()


def test_a_name_that_is_taken_is_replaced_knowingly_and_can_be_had_back(two):
    two.parts.sampling.steps.set_value(9)
    dialog = save_as(two, "spots")
    save = dialog.buttons.button(QDialogButtonBox.StandardButton.Save)
    assert save.text() == "Replace" and "which is for shapes-2d@12000" in dialog.note.text()
    QTest.keyClicks(dialog.name, "x")
    assert save.text() == "Save" and not dialog.note.text()
    QTest.keyClick(dialog.name, Qt.Key.Key_Backspace)
    save.click()
    assert two.parts.settings.presets["spots"]["steps"] == 9
    assert two.parts.window.actions_by_id["undo"].isEnabled()
    two.commands.run("undo")
    assert two.parts.settings.presets["spots"]["model"] == "shapes-2d@12000"


def test_it_needs_a_name(two):
    dialog = save_as(two, "  ")
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert dialog.isVisible()
    dialog.close()


def test_it_is_deleted_and_comes_back(two):
    dialog = page(two)
    choose(dialog, "seven")
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert titles(two) == ["spots\tshapes-2d@12000"] and dialog.chosen == "spots"
    dialog.undo.click()
    assert titles(two)[0].startswith("seven") and not dialog.undo.isEnabled()
    dialog.close()


def test_deleting_is_undone_from_the_window_too_until_something_else_is_changed(two):
    panel = two.parts.sampling
    two.commands.presets.delete("seven")
    two.commands.run("undo")
    assert "seven" in two.parts.settings.presets
    two.commands.presets.delete("seven")
    panel.steps.set_value(11)
    two.commands.run("undo")
    assert panel.request().steps != 11 and "seven" not in two.parts.settings.presets


def test_it_is_renamed_but_not_to_a_name_that_is_taken(two):
    dialog = page(two)
    choose(dialog, "seven")
    dialog.rename.click()
    name = shown(PresetName)
    name.name.setText("spots")
    assert not name.buttons.button(QDialogButtonBox.StandardButton.Save).isEnabled()
    assert "There is a preset of that name" in name.note.text()
    name.name.setText("few steps")
    QTest.keyClick(name.name, Qt.Key.Key_Return)
    assert titles(two) == ["few steps\tdigits@3500", "spots\tshapes-2d@12000"]
    assert two.parts.settings.presets["few steps"]["steps"] == 7
    dialog.close()
    two.commands.run("undo")
    assert set(two.parts.settings.presets) == {"seven", "spots"}


def test_it_is_used_with_its_model(two):
    dialog = page(two)
    choose(dialog, "spots")
    dialog.use.click()
    assert not dialog.isVisible() and two.parts.sampling.card.name == "shapes-2d"
    two.commands.presets.take("seven")
    assert two.parts.sampling.card.name == "digits" and two.parts.sampling.request().steps == 7


def test_a_preset_for_a_model_that_is_gone_says_so(two):
    presets = two.parts.settings.presets
    two.parts.settings.presets = {"old": {**presets["seven"], "model": "gone@1"}}
    two.commands.presets.take("old")
    assert "gone@1 is not here: its settings are set for digits@3500." in two.parts.window.message.text()


def test_one_that_is_not_understood_any_more_is_one_sentence(two):
    two.parts.settings.presets = {"old": {"steps": -3}}
    two.commands.presets.take("old")
    box = shown(QMessageBox)
    assert "The preset 'old' can't be used any more." in box.text()
    box.close()


def test_there_is_an_end_to_how_many_are_kept(two):
    request = two.parts.sampling.checked_request()
    two.parts.settings.presets = {str(i): {} for i in range(MOST_PRESETS)}
    with pytest.raises(BadInput, match="200 presets are kept at most: delete one first"):
        two.commands.presets.keep("one more", request)
    two.commands.presets.keep("7", request)
    assert len(two.parts.settings.presets) == MOST_PRESETS


def test_an_empty_page_says_how_one_is_made(window):
    dialog = page(window)
    assert dialog.empty.isVisible() and not dialog.use.isEnabled() and not dialog.delete.isEnabled()
    dialog.close()


# ── the panel's own values ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def again(qapp, tmp_path):
    """The window as it is opened the next time."""
    made = []

    def start():
        made.append(Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False))
        return made[-1].parts.sampling

    yield start
    for studio in made:
        studio.shut_down()
        studio.parts.window.deleteLater()
    qapp.processEvents()


def test_a_restart_brings_every_models_settings_back(window, again):
    p = window.parts
    p.sampling.set_request(
        p.sampling.request().model_copy(update={"steps": 9, "label": 3, "guidance": 2.25, "seed": 77})
    )
    assert p.models.choose("sentences")
    p.sampling.set_request(p.sampling.request().model_copy(update={"prompt": "the ___ of", "samples": 3}))
    window.shut_down()
    panel = again()
    assert panel.card.name == "sentences"
    request = panel.request()
    assert (request.prompt, request.samples, request.seed) == ("the ___ of", 3, 77)
    assert not panel.can_undo, "it begins here"
    panel.set_entry(window.parts.catalog.find("digits"))
    request = panel.request()
    assert (request.steps, request.label, request.guidance, request.seed) == (9, 3, 2.25, 77)


def test_settings_that_are_not_understood_any_more_are_passed_over(window, again, tmp_path):
    window.shut_down()
    settings = Settings.model_validate_json((tmp_path / "settings.json").read_text())
    settings.requests = {"digits": {"steps": 9, "flux": 1}, "words": {"steps": 7}, "gone": {"steps": 3}}
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    panel = again()
    assert panel.card.name == "digits" and panel.request().steps == 30
    panel.set_entry(window.parts.catalog.find("words"))
    assert panel.request().steps == 7


def test_a_mask_or_a_source_that_is_gone_does_not_come_back(window, again, tmp_path):
    import numpy as np
    from PIL import Image

    p = window.parts
    Image.fromarray(np.full((28, 28), 255, np.uint8)).save(tmp_path / "mask.png")
    p.sampling.set_source_file(tmp_path / "mask.png")
    p.sampling.set_mask_file(tmp_path / "mask.png")
    window.shut_down()
    (tmp_path / "mask.png").unlink()
    assert (again().request().source, again().request().mask) == ("noise", None)
