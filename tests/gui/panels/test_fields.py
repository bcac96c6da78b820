"""Fields alone: bounds, the keyboard, many classes, and the seed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from diffstudio.gui.kit import theme
from diffstudio.gui.panels.fields import CheckField, Combo, CountField, NumberField
from diffstudio.gui.panels.sampling.label_field import LabelField
from diffstudio.gui.panels.sampling.seed_field import MAX_SEED, SeedField


def test_a_number_is_held_within_its_bounds(shown, type_into, qtbot):
    field = shown(NumberField(0, 100, 0.1, decimals=2, slider_high=10), 240, 30)
    with qtbot.waitSignal(field.changed):
        type_into(field.spin, "55.5")
    assert field.value() == 55.5
    assert field.slider.value() == field.slider.maximum(), "the box reaches further than the slider"
    field.set_value(1e9)
    assert field.value() == 100
    field.set_value(-1)
    assert field.value() == 0


def test_a_whole_number_stays_whole(shown, qtbot):
    field = shown(NumberField(1, 100_000, slider_high=200), 240, 30)
    for _ in range(30):
        qtbot.keyClick(field.slider, Qt.Key.Key_Right)
        assert field.value() == int(field.value())


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.floats(0, 10))
def test_the_slider_and_the_box_say_the_same(qapp, value):
    field = NumberField(0, 10, 0.1, decimals=2)
    field.set_value(value)
    assert field.value() == pytest.approx(value, abs=0.006)
    position = field.slider.value()
    field._from_slider(position)
    # The slider's steps are finer than a hundredth of the range everywhere.
    assert field.value() == pytest.approx(value, abs=0.03)


def test_the_end_of_the_slider_is_its_highest_number(shown, qtbot):
    field = shown(NumberField(1, 100_000, slider_high=200), 240, 30)
    qtbot.keyClick(field.slider, Qt.Key.Key_End)
    assert field.value() == 200
    qtbot.keyClick(field.slider, Qt.Key.Key_Home)
    assert field.value() == 1


def test_a_choice_tells_its_own_tip(shown, choose, qtbot):
    combo = shown(Combo([("a", "First", "One."), ("b", "Second", "Two.")]), 120, 30)
    assert (combo.value(), combo.toolTip()) == ("a", "One.")
    with qtbot.waitSignal(combo.changed):
        choose(combo, "Second")
    assert (combo.value(), combo.toolTip()) == ("b", "Two.")
    combo.set_value("unknown")
    assert combo.value() == "b"


def test_counts_and_checks_tell_of_their_changes(shown, type_into, qtbot):
    samples, half = shown(CountField(1, 1000), 90, 30), shown(CheckField("Half"), 90, 30)
    with qtbot.waitSignal(samples.changed):
        type_into(samples, "17")
    samples.set_value(10**6)
    assert samples.value() == 1000
    with qtbot.waitSignal(half.changed):
        half.click()
    assert half.value()


def test_long_names_are_a_list_too(shown):
    field = shown(LabelField(), 240, 200)
    field.set_labels(tuple("0123456789"))
    assert len(field.controls()) == 12
    field.set_labels(("unit square", "8 Gaussians", "two moons", "swiss roll"))
    (combo,) = field.controls()
    assert combo.accessibleName() and combo.toolTip()


def test_few_classes_are_chips_and_many_a_list(shown, qtbot, choose):
    field = shown(LabelField(), 240, 200)
    field.set_labels(("cat", "dog & cow"))
    assert [chip.text() for chip in field.controls()] == ["any", "each", "cat", "dog && cow"]
    field.set_labels(tuple(f"class {i}" for i in range(100)))
    (combo,) = field.controls()
    assert field.value() is None
    with qtbot.waitSignal(field.changed):
        choose(combo, "class 42")
    assert field.value() == 42
    for label in (None, "each", 99, 7):
        field.set_value(label)
        assert field.value() == label


def test_the_arrows_walk_over_the_chips(shown, qtbot):
    field = shown(LabelField(), 240, 200)
    field.set_labels(("cat", "dog"))
    qtbot.waitUntil(field.controls()[0].isVisible)
    field.controls()[0].setFocus()
    qtbot.keyClick(field.controls()[0], Qt.Key.Key_Right)
    assert field.value() == "each"


@pytest.mark.parametrize(("typed", "seed"), [("12", 12), ("9" * 19, MAX_SEED), ("-5", 5), ("1e3", 13), ("", 0)])
def test_a_seed_is_a_whole_number(shown, qtbot, typed, seed):
    field = shown(SeedField(theme.DARK), 220, 30)
    field.edit.clear()
    qtbot.keyClicks(field.edit, typed)
    assert field.value() == min(seed, MAX_SEED)


def test_the_lock_holds_the_seed(shown, click):
    field = shown(SeedField(theme.DARK), 220, 30)
    click(field.lock)
    field.set_value(5)
    field.roll()
    assert field.value() == 5 and not field.dice.isEnabled()
    click(field.lock)
    click(field.dice)
    assert field.value() != 5
