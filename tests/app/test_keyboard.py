"""Keys in the real window: who has them, the control that is focused or the timeline; and playing as editors do."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication


@pytest.fixture
def window(studio, generate, qtbot):
    """A run of eleven records a chain, shown; press(key) presses a key wherever the focus is."""
    p = studio.parts
    p.window.show()
    qtbot.waitExposed(p.window)
    p.window.activateWindow()
    p.sampling.steps.set_value(10)
    p.sampling.samples.set_value(1)
    assert generate().outcome == "done"
    p.playhead.move_to(0)
    yield studio
    p.timeline.pause()


def press(window, *keys):
    for key in keys:
        QTest.keyClick(QApplication.focusWidget() or window.parts.window, key)


def hold(window, key):
    QTest.keyPress(QApplication.focusWidget() or window.parts.window, key)


def release(window, key):
    QTest.keyRelease(QApplication.focusWidget() or window.parts.window, key)


# ── the control that is focused ─────────────────────────────────────────────────────────────────────────────────────


def test_space_presses_the_button_that_was_reached_with_tab_and_plays_elsewhere(window):
    p = window.parts
    dice, before = p.sampling.seed.dice, p.sampling.seed.value()
    dice.setFocus(Qt.FocusReason.TabFocusReason)
    press(window, Qt.Key.Key_Space)
    assert p.sampling.seed.value() != before and not p.timeline.playing
    p.window.setFocus()
    rolled = p.sampling.seed.value()
    press(window, Qt.Key.Key_Space)
    assert p.timeline.playing and p.sampling.seed.value() == rolled


def test_arrows_choose_among_the_classes_that_were_reached_with_tab(window):
    p = window.parts
    p.sampling.label.set_value(3)
    chip = p.sampling.label.controls()[5]
    assert chip.isChecked()
    chip.setFocus(Qt.FocusReason.TabFocusReason)
    press(window, Qt.Key.Key_Right)
    assert p.sampling.label.value() == 4 and p.playhead.position == 0


def test_up_and_down_step_a_number_and_leave_the_timeline_alone(window):
    p = window.parts
    p.sampling.steps.spin.setFocus(Qt.FocusReason.TabFocusReason)
    press(window, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp)
    assert p.sampling.request().steps == 21 and p.playhead.position == 0
    assert not p.sampling.steps.slider.focusPolicy(), "Tab does not stop twice for one number"


def test_undo_in_a_field_is_its_own_while_it_has_something_and_the_panels_after(window):
    panel = window.parts.sampling
    panel.guidance.set_value(3.0)
    spin = panel.steps.spin
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin, "25")
    QTest.keySequence(spin, QKeySequence(QKeySequence.StandardKey.Undo))
    assert spin.text() == "10" and panel.request().steps == 10 and panel.request().guidance == 3.0
    QTest.keyClicks(spin, "7")
    QTest.keyClick(spin, Qt.Key.Key_Return)
    stands = panel.request().steps
    assert stands != 10
    QTest.keySequence(spin, QKeySequence(QKeySequence.StandardKey.Undo))
    assert panel.request().steps == 10 and spin.text() == "10"
    QTest.keySequence(spin, QKeySequence(QKeySequence.StandardKey.Redo))
    assert panel.request().steps == stands


# ── playing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_k_stops_and_stays(window):
    line = window.parts.timeline
    press(window, Qt.Key.Key_K)
    assert not line.playing
    press(window, Qt.Key.Key_L)
    assert line.playing
    press(window, Qt.Key.Key_K)
    assert not line.playing
    press(window, Qt.Key.Key_K)
    assert not line.playing


def test_l_again_is_faster_until_it_stops(window):
    line = window.parts.timeline
    press(window, Qt.Key.Key_L)
    assert line.speed == 1
    press(window, Qt.Key.Key_L, Qt.Key.Key_L)
    assert line.speed == 4 and line.transport.speed.text() == "4× ▾"
    press(window, Qt.Key.Key_K)
    assert line.speed == 1 and line.transport.speed.text() == "1× ▾"
    press(window, Qt.Key.Key_L)
    assert line.speed == 1


def test_j_turns_round_at_the_chosen_speed(window):
    line = window.parts.timeline
    line.slower()
    window.parts.playhead.move_to(10)
    press(window, Qt.Key.Key_L, Qt.Key.Key_L)
    assert (line._player.direction, line.speed) == (1, 1.0)
    press(window, Qt.Key.Key_J)
    assert (line._player.direction, line.speed) == (-1, 0.5)
    press(window, Qt.Key.Key_Space)
    assert line.speed == 0.5, "what was chosen by the menu stands"


@pytest.mark.parametrize(("key", "direction"), [(Qt.Key.Key_L, 1), (Qt.Key.Key_J, -1)])
def test_with_k_held_it_goes_slowly(window, key, direction):
    line = window.parts.timeline
    window.parts.playhead.move_to(10)
    hold(window, Qt.Key.Key_K)
    press(window, key)
    assert line.playing and (line._player.direction, line.speed) == (direction, 0.25)
    release(window, Qt.Key.Key_K)
    press(window, Qt.Key.Key_K)
    assert not line.playing
    press(window, key)
    assert line.speed == 1


def test_a_k_that_is_typed_is_no_key_of_the_timeline(window):
    p = window.parts
    p.models.search.setFocus()
    hold(window, Qt.Key.Key_K)
    assert p.models.search.text() == "k" and not p.timeline._player.slow
    release(window, Qt.Key.Key_K)
    p.models.search.clear()


def test_the_speed_is_not_kept_for_the_next_start(window):
    line = window.parts.timeline
    line.faster()
    assert line.state() == {"loop": "once", "clock": "step"}
    line.restore({"speed": 8.0, "loop": "loop"})
    assert (line.speed, line.loop) == (2.0, "loop"), "older settings may hold one"


# ── the seed ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_run_can_have_a_seed_of_its_own_which_is_shown_and_can_be_kept(window, generate):
    panel, actions = window.parts.sampling, window.parts.window.actions_by_id
    panel.seed.set_value(5)
    generate()
    assert window.parts.runs.request.seed == 5
    window.commands.run("seed_each_run")
    assert panel.seed.each.isChecked() and actions["seed_each_run"].isChecked()
    seeds = []
    for _ in range(2):
        generate()
        seeds.append(window.parts.runs.request.seed)
        assert panel.seed.value() == panel.request().seed == seeds[-1] and panel.seed.edit.text() == str(seeds[-1])
    assert len({5, *seeds}) == 3
    window.commands.run("lock_seed")
    assert actions["lock_seed"].isChecked() and not panel.seed.each.isEnabled() and not panel.seed.dice.isEnabled()
    generate()
    assert window.parts.runs.request.seed == seeds[-1]
    panel.undo()
    assert panel.seed.value() == seeds[0], "the seed of the run before can be had again"


def test_how_seeds_are_chosen_is_kept_for_the_next_start(window, tmp_path, qapp):
    from diffstudio.gui.app import Studio

    window.commands.run("seed_each_run")
    window.shut_down()
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    try:
        assert again.parts.sampling.seed.each.isChecked() and not again.parts.sampling.seed.lock.isChecked()
        assert again.parts.window.actions_by_id["seed_each_run"].isChecked()
    finally:
        again.shut_down()
        again.parts.window.deleteLater()
        qapp.processEvents()
