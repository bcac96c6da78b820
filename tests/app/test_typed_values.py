"""What is seen in a field is what runs: typed and not left, by every way in which a run, a copy or a menu begins."""

import json

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from diffstudio.gui.app import Studio
from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.gui.dialogs.likelihood import LikelihoodDialog
from diffstudio.gui.dialogs.preferences import PreferencesDialog
from diffstudio.gui.dialogs.presets import PresetName
from diffstudio.specs import PathSpec


@pytest.fixture
def window(studio, qtbot):
    """The real window with four quick samples asked for."""
    p = studio.parts
    p.window.resize(1280, 800)
    p.window.show()
    qtbot.waitExposed(p.window)
    p.window.activateWindow()
    p.sampling.steps.set_value(4)
    p.sampling.samples.set_value(2)
    return studio


def type_over(field, text):
    """Replaces what a field says, and does not leave it."""
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)


def shown(kind):
    (found,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    return found


@pytest.fixture
def ran(window, qtbot, monkeypatch):
    """The request that a way of starting a run asks for; nothing is computed."""
    asked = []
    monkeypatch.setattr(window.parts.runs, "generate", lambda request, budget=None: asked.append(request))

    def start(way):
        WAYS[way](window)
        assert len(asked) == 1, way
        return asked.pop()

    start.asked = asked
    return start


def press(widget, at=None):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or QPoint())


def toolbar(studio):
    (button,) = [b for b, name in studio.parts.window._buttons if name == "generate"]
    press(button, QPoint(8, 8))


def press_keys(key, modifier):
    QTest.keyClick(QApplication.focusWidget(), key, modifier)


WAYS = {
    "the panel's button": lambda s: press(s.parts.sampling.footer.button, QPoint(8, 8)),
    "the toolbar's button": toolbar,
    "Ctrl+Enter": lambda s: press_keys(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier),
    "the menu": lambda s: s.parts.window.actions_by_id["generate"].trigger(),
    "Enter on a model": lambda s: s.parts.models.activated.emit(s.parts.models.entry),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_typed_number_runs_however_the_run_is_started(window, ran, way):
    type_over(window.parts.sampling.steps.spin, "9")
    assert ran(way).steps == 9
    assert window.parts.sampling.steps.value() == window.parts.sampling.request().steps == 9


FIELDS = {  # how the field is reached, what is typed, and what the request then says
    "steps": (lambda p: p.steps.spin, "9", 9),
    "guidance": (lambda p: p.guidance.spin, "4,25", 4.25),
    "samples": (lambda p: p.samples, "3", 3),
    "seed": (lambda p: p.seed.edit, "9007199254740993", 9007199254740993),
    "solver_params": (lambda p: p.params.row("eta").field.spin, "0,5", {"eta": 0.5}),
    "guidance_rescale": (lambda p: p.guiding.rescale.spin, ".35", 0.35),
    "guidance_interval": (lambda p: p.guiding.interval.high, "2,5", (0.2, 2.5)),
    "variation": (lambda p: p.edit.variation.spin, "0.15", 0.15),
    "interpolate": (lambda p: p.edit.interpolate.seed, "77", 77),
    "trace_every": (lambda p: p.advanced.every, "2", 2),
    "grid_params": (lambda p: p.advanced.params["grid"].row("rho").field.spin, "3,5", {"rho": 3.5}),
    "times": (lambda p: p.advanced.times.edit, "1; 0,5; 0,2", (1.0, 0.5, 0.2)),
    "path": (lambda p: p.advanced.betas.edit, "0,1 0,2 0,5", PathSpec(name="vp_table", betas=(0.1, 0.2, 0.5))),
}
NEEDS = {
    "solver_params": {"solver": "ddim"}, "guidance_rescale": {"label": 3}, "grid_params": {"grid": "karras"},
    "guidance_interval": {"label": 3, "guidance_interval": (0.2, 5.0)}, "interpolate": {"interpolate": 1},
    "times": {"grid": "custom", "times": (1.0, 0.0)},
    "path": {"path": PathSpec(name="vp_table", betas=(0.1, 0.2))},
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_counts_while_it_is_typed(window, ran, name):
    panel = window.parts.sampling
    panel.folds.set_open("guidance", "edit", "advanced")
    panel.set_request(panel.request().model_copy(update=NEEDS.get(name, {})))
    field, typed, value = FIELDS[name]
    type_over(field(panel), typed)
    assert getattr(ran("Ctrl+Enter"), name) == value


def test_a_typed_prompt_runs(window, ran):
    assert window.parts.models.choose("words")
    type_over(window.parts.sampling.prompt.edit, "th_ng")
    assert ran("the panel's button").prompt == "th_ng"


BAD = {
    "steps": ("1e", "Steps: “1e” is no whole number from 1 to 100000"),
    "guidance": ("", "Guidance is empty: write a number from 0 to 100"),
    "samples": ("1,000", "Samples: “1,000” is no whole number from 1 to 1000000"),
    "seed": ("9223372036854775808", "Seed: “9223372036854775808” is no whole number"),
    "trace_every": ("0", "Record every: “0” is no whole number"),
    "guidance_interval": ("-", "To σ: “-” is no number from"),
    "times": ("1, x", "“1, x” is no list of times"),
    "path": ("0.1", "the number of betas in the table is 1"),
}


@pytest.mark.parametrize("way", ["the panel's button", "Ctrl+Enter"])
@pytest.mark.parametrize("name", BAD)
def test_what_can_not_be_used_is_said_at_the_field_and_never_runs_the_former_value(window, ran, name, way):
    panel = window.parts.sampling
    panel.set_request(panel.request().model_copy(update=NEEDS.get(name, {})))
    typed, sentence = BAD[name]
    field = FIELDS[name][0](panel)
    type_over(field, typed)
    WAYS[way](window)
    box = shown(QMessageBox)
    assert sentence in box.text() and not ran.asked
    box.close()
    assert field.text() == typed and field.isVisible(), "its fold is open now, and the text is as it was"
    row = panel.wrong
    assert row is not None and row.isAncestorOf(field)
    assert any(
        sentence in note.text() and note.isVisible() for note in (row.note, getattr(row.field, "note", row.note))
    )


def test_a_mistake_in_a_field_that_nobody_asks_is_no_hindrance(window, ran):
    panel = window.parts.sampling
    panel.set_request(panel.request().model_copy(update={"label": 3}))
    type_over(panel.guidance.spin, "1e")
    panel.label.set_value(None)  # guidance means nothing now
    assert ran("the menu").guidance == 1.0


def test_leaving_a_field_keeps_what_can_not_be_used_and_esc_takes_it_back(window):
    spin = window.parts.sampling.steps.spin
    type_over(spin, "1e")
    press(window.parts.sampling.footer.note, QPoint(3, 3))
    assert not spin.hasFocus() and spin.text() == "1e" and window.parts.sampling.rows["steps"].note.isVisible()
    spin.setFocus()
    QTest.keyClick(spin, Qt.Key.Key_Escape)
    assert not spin.hasFocus() and spin.text() == "4" and not window.parts.sampling.rows["steps"].note.isVisible()


# ── the other ways in which settings leave the panel ────────────────────────────────────────────────────────────────


def test_copied_settings_and_commands_are_those_that_are_seen(window):
    type_over(window.parts.sampling.steps.spin, "9")
    window.commands.run("copy_request")
    assert json.loads(QGuiApplication.clipboard().text())["steps"] == 9
    type_over(window.parts.sampling.guidance.spin, "2,5")
    window.commands.run("copy_command")
    assert "--steps 9" in QGuiApplication.clipboard().text() and "--guidance 2.5" in QGuiApplication.clipboard().text()


@pytest.mark.parametrize("action", ["copy_request", "copy_command", "save_preset", "likelihood"])
def test_nothing_leaves_the_panel_while_a_field_is_wrong(window, action):
    QGuiApplication.clipboard().setText("before")
    type_over(window.parts.sampling.steps.spin, "1e")
    window.commands.run(action)
    box = shown(QMessageBox)
    assert "Steps" in box.text()
    box.close()
    assert QGuiApplication.clipboard().text() == "before"
    assert not [w for w in QApplication.topLevelWidgets() if isinstance(w, PresetName | LikelihoodDialog)]


def test_a_preset_keeps_what_is_seen(window):
    type_over(window.parts.sampling.steps.spin, "9")
    window.commands.run("save_preset")
    dialog = shown(PresetName)
    QTest.keyClicks(dialog.name, "nine")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert window.parts.settings.presets["nine"]["steps"] == 9


def test_undo_from_the_menu_takes_back_what_was_typed_last(window):
    type_over(window.parts.sampling.steps.spin, "9")
    window.parts.window._menus["Edit"].aboutToShow.emit()
    assert window.parts.window.actions_by_id["undo"].isEnabled()
    window.commands.run("undo")
    assert window.parts.sampling.request().steps == 4
    window.commands.run("redo")
    assert window.parts.sampling.request().steps == 9


def test_another_model_and_back_has_what_was_typed(window):
    type_over(window.parts.sampling.steps.spin, "9")
    assert window.parts.models.choose("shapes-2d") and window.parts.models.choose("digits")
    assert window.parts.sampling.request().steps == 9 and window.parts.sampling.steps.spin.text() == "9"


def test_a_fork_goes_on_with_what_is_typed(window, generate, ran):
    window.parts.runs.__dict__.pop("generate")  # this one is to run
    generate()
    ran.asked.clear()
    window.parts.runs.generate = lambda request, budget=None: ran.asked.append(request)
    window.parts.playhead.move_to(6)
    type_over(window.parts.sampling.steps.spin, "7")
    window.commands.run("fork")
    assert ran.asked[0].steps == 7 and ran.asked[0].source == "step"


def test_a_restart_has_what_was_typed(window, tmp_path, qapp):
    type_over(window.parts.sampling.steps.spin, "9")
    window.parts.window.close()
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    try:
        assert again.parts.sampling.request().steps == 9
    finally:
        again.shut_down()
        again.parts.window.deleteLater()
        qapp.processEvents()


# ── dialogs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_settings_dialog_takes_what_is_typed_and_refuses_what_is_none(window):
    window.commands.run("settings")
    dialog = shown(PreferencesDialog)
    budget = dialog.fields["trace_budget_gib"]
    type_over(budget, "2,5e")
    QTest.keyClick(budget, Qt.Key.Key_Return)
    assert dialog.isVisible() and "Trace budget (GiB)" in dialog.note.text()
    type_over(budget, "2,5")
    QTest.keyClick(budget, Qt.Key.Key_Return)
    assert window.parts.settings.trace_budget_gib == 2.5


def test_the_export_dialog_takes_what_is_typed_and_refuses_what_is_none(window, generate, tmp_path, qtbot):
    window.parts.settings.last_folder = str(tmp_path)
    generate()
    window.commands.run("export")
    dialog = shown(ExportDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("animation"))
    save = dialog.buttons.button(dialog.buttons.StandardButton.Save)
    type_over(dialog.fps, "1e")
    save.click()
    assert dialog.isVisible() and "Steps per second" in dialog.note.text()
    type_over(dialog.fps, "2,5")
    type_over(dialog.every, "3")
    with qtbot.waitSignal(dialog.wanted) as wanted:
        save.click()
    assert (wanted.args[1].fps, wanted.args[1].every) == (2.5, 3)


def test_the_likelihood_dialog_takes_what_is_typed_and_refuses_what_is_none(window, qtbot):
    window.parts.sampling.seed.set_value(2**62 + 1)
    assert window.parts.models.choose("exact-gaussian")
    window.commands.run("likelihood")
    dialog = shown(LikelihoodDialog)
    assert dialog.request().seed == 2**62 + 1
    type_over(dialog.steps, "2.5")
    dialog.run.click()
    assert not dialog._running and "Steps" in dialog.note.text()
    type_over(dialog.steps, "3")
    type_over(dialog.samples, "2")
    with qtbot.waitSignal(dialog.wanted) as wanted:
        dialog.run.click()
    assert (wanted.args[0].samples, wanted.args[2]) == (2, 3)
    with qtbot.waitSignal(window.parts.runs.inquiries.judgingEnded):
        pass
    dialog.close()


def test_a_step_to_start_from_that_follows_the_playhead_is_no_change_to_undo(window, generate):
    p = window.parts
    generate()
    p.sampling.source.combo.set_value("step")
    p.playhead.move_to(5)
    window.commands.run("step_on")
    window.commands.run("step_on")
    assert p.sampling.request().source_step == 7
    window.commands.run("undo")
    assert p.sampling.request().source == "noise"
