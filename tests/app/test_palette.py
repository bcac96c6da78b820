"""The palette finds everything that the window has, does it by keyboard alone, and says when it finds nothing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from diffstudio.gui.dialogs.keys import KeysDialog
from diffstudio.gui.dialogs.page import PageDialog
from diffstudio.gui.dialogs.palette import COMMAND, Palette, matches
from diffstudio.gui.dialogs.preferences import PreferencesDialog
from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.gui.kit.theme import THEMES


@pytest.fixture
def palette(studio):
    """Opens it and types; gives the dialog."""

    def type_in(text):
        studio.parts.window.resize(1280, 800)
        studio.parts.window.show()
        studio.commands.run("palette")
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, Palette) and w.isVisible()]
        QTest.keyClicks(dialog.search, text)
        return dialog

    return type_in


def rows(dialog):
    return [dialog.list.topLevelItem(i).text(0) for i in range(dialog.list.topLevelItemCount())]


def enter(dialog):
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)


def test_a_number_behind_a_fields_name_sets_it(studio, palette):
    dialog = palette("steps 50")
    assert rows(dialog)[0] == "Set: Steps 50"
    enter(dialog)
    assert studio.parts.sampling.request().steps == 50
    dialog = palette("guidance 2,5")
    enter(dialog)
    assert studio.parts.sampling.request().guidance == 2.5
    enter(palette("seed 123456789012"))
    assert studio.parts.sampling.request().seed == 123456789012


@pytest.mark.parametrize(("typed", "says"), [("samples 0", "1 to 1e+06"), ("steps 2.5", "a whole number")])
def test_a_number_that_does_not_go_says_why(studio, palette, typed, says):
    before = studio.parts.sampling.request()
    dialog = palette(typed)
    assert says in rows(dialog)[0] and dialog.list.topLevelItem(0).isDisabled()
    dialog.close()
    assert studio.parts.sampling.request() == before


def test_a_field_lists_its_choices(studio, palette):
    dialog = palette("solver")
    listed = [row for row in rows(dialog) if row.startswith("Solver: ")]
    assert len(listed) > 10 and "Sampling: Solver" in rows(dialog)
    dialog.search.clear()
    QTest.keyClicks(dialog.search, "solver heun")
    enter(dialog)
    assert studio.parts.sampling.request().solver == "heun"


def test_a_class_is_chosen(studio, palette):
    enter(palette("class 7"))
    assert studio.parts.sampling.request().label == 7


def test_a_folded_field_is_shown(studio, palette):
    dialog = palette("spacing")
    assert "Sampling: Spacing" in rows(dialog)
    at = rows(dialog).index("Sampling: Spacing")
    dialog.list.setCurrentItem(dialog.list.topLevelItem(at))
    enter(dialog)
    assert studio.parts.sampling.folds.open == ("advanced",)


def test_models_and_checkpoints_are_found(studio, palette):
    enter(palette("bouncing"))
    assert studio.parts.sampling.card.name == "bouncing-digits"
    enter(palette("digits@400"))
    assert studio.parts.sampling.card.spec == "digits@400"
    dialog = palette("audio")
    assert any(row.startswith("Model: spoken-digits") for row in rows(dialog)), "by what it makes"
    dialog.close()


def test_a_filter_of_the_list_does_not_hide_what_was_chosen(studio, palette):
    studio.parts.models.search.setText("digits")
    enter(palette("shapes-2d"))
    assert studio.parts.sampling.card.name == "shapes-2d" and studio.parts.models.search.text() == ""


def test_panels_pages_clocks_and_settings_are_found(studio, palette):
    enter(palette("inspect norms"))
    assert studio.parts.inspect.page == "norms"
    studio.parts.window._arrangement.set_shown("card", False)
    enter(palette("panel card"))
    assert studio.parts.card.isVisible()
    enter(palette("clock log-snr"))
    assert studio.parts.timeline.clock == "log_snr"
    enter(palette("theme light"))
    assert studio.parts.settings.theme == "light"
    enter(palette("trace budget"))
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, PreferencesDialog) and w.isVisible()]
    assert dialog.fields["trace_budget_gib"] is dialog.focusWidget()
    dialog.reject()


def test_pages_of_help_are_found(palette):
    enter(palette("keys"))
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, KeysDialog) and w.isVisible()]
    dialog.close()
    enter(palette("files that can be"))
    (page,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, PageDialog) and w.isVisible()]
    assert "safetensors" in page.page.toPlainText()
    page.close()


def test_it_says_when_it_finds_nothing(palette):
    dialog = palette("qqzzx")
    assert not dialog.list.isVisible() and dialog.none.isVisible()
    assert "qqzzx" in dialog.none.text()
    enter(dialog)
    assert dialog.isVisible(), "there is nothing to run"
    dialog.search.clear()
    assert dialog.list.isVisible() and not dialog.none.isVisible()
    dialog.close()


def test_what_was_done_lately_comes_first_also_after_a_restart(studio, palette):
    enter(palette("dark / light"))
    enter(palette("steps 40"))
    dialog = palette("")
    assert rows(dialog)[:2] == ["Sampling: Steps", "View: Dark / light"]
    dialog.close()
    assert studio.parts.settings.palette_recent[:2] == ["field steps", "toggle_theme"]


def test_the_keyboard_does_everything(studio, palette):
    dialog = palette("inspect ")
    first = dialog.list.currentItem().text(0)
    QTest.keyClick(dialog.search, Qt.Key.Key_Down)
    second = dialog.list.currentItem().text(0)
    assert first != second
    QTest.keyClick(dialog.search, Qt.Key.Key_Up)
    assert dialog.list.currentItem().text(0) == first
    QTest.keyClick(dialog.search, Qt.Key.Key_PageDown)
    assert dialog.list.currentItem().text(0) not in (first, second)
    dialog.search.setText("sampling: steps")
    QTest.keyClick(dialog.search, Qt.Key.Key_Tab)
    assert dialog.search.text() == "Steps ", "ready for a number"
    QTest.keyClicks(dialog.search, "33")
    enter(dialog)
    assert studio.parts.sampling.request().steps == 33
    dialog = palette("steps")
    QTest.keyClick(dialog.search, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_enter_will_do_is_marked(studio, palette, theme):
    studio.use_settings(studio.parts.settings.model_copy(update={"theme": theme}))
    dialog = palette("solver")
    marked, other = (dialog.list.visualItemRect(dialog.list.topLevelItem(i)).center() for i in (0, 1))
    picture = dialog.list.viewport().grab().toImage()
    wide = dialog.list.viewport().width() - 40  # beside the words
    at, beside = (picture.pixelColor(wide, place.y()) for place in (marked, other))
    assert at != beside and at.name() == THEMES[theme].accent_soft
    dialog.close()


def test_shortcuts_are_shown_and_what_can_not_be_done_says_why(palette):
    dialog = palette("export")
    item = dialog.list.topLevelItem(rows(dialog).index("File: Export…   (nothing is generated yet)"))
    assert item.isDisabled() and item.text(1) == "Ctrl+E"
    dialog.close()


def test_every_action_can_be_found_by_its_name(studio):
    commands = list(studio.commands.palette.commands())
    for name, row in ACTIONS.items():
        if name != "palette":
            assert name in {command.id for command in matches(commands, row.title, [])}, row.title


def test_every_command_has_an_id_of_its_own(studio):
    ids = [command.id for command in studio.commands.palette.commands()]
    assert len(set(ids)) == len(ids)


def test_no_text_is_cut_in_the_list(palette):
    dialog = palette("steps")
    for i in range(dialog.list.topLevelItemCount()):
        item = dialog.list.topLevelItem(i)
        keys = dialog.list.fontMetrics().horizontalAdvance(item.text(1))
        assert keys <= dialog.list.columnWidth(1), item.text(1)
        assert item.data(0, COMMAND).name in item.toolTip(0)
    dialog.close()
