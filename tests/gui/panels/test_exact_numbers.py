"""Fields that are driven: numbers that are exact, sliders, choices that are not available."""

import pytest
from PySide6.QtCore import QLocale, Qt

from diffstudio.gui.panels.fields import Combo, NumberField


@pytest.fixture
def small(shown):
    """A tolerance: over many decades, four decimals are shown."""
    return shown(NumberField(1e-10, 0.1, 1e-4, 4), 200, 30)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-4, "0.0001"), (0.05, "0.0500"), (1e-7, "1e-07"), (0.00085, "0.00085"), (0.1 / 3, "0.0333333")],
)
def test_a_number_is_exact_and_shown_as_short_as_can_be(small, qtbot, value, text):
    small.set_value(value)
    assert small.spin.text() == text and small.value() == value
    qtbot.keyClick(small.spin, Qt.Key.Key_Return)
    assert small.value() == value, "leaving the field without a change changes nothing"


@pytest.mark.parametrize(("typed", "value"), [("2e-5", 2e-5), ("0.0123", 0.0123), (".05", 0.05)])
def test_a_number_can_be_typed_in_any_way(small, type_into, typed, value):
    type_into(small.spin, typed)
    assert small.value() == value


@pytest.mark.parametrize("typed", ["7", "-1", "1e", "."])
def test_what_is_no_number_within_the_bounds_is_not_taken(small, type_into, typed):
    small.set_value(0.02)
    type_into(small.spin, typed)
    assert 1e-10 <= small.value() <= 0.1
    assert small.value() == 0.02


def test_letters_can_not_be_typed(small, qtbot):
    small.spin.selectAll()
    qtbot.keyClicks(small.spin, "abc")
    assert small.value() == float(small.spin.text())


def test_a_slider_gives_numbers_that_can_be_read(small):
    for position in range(0, 1001, 50):
        small.slider.setValue(position)
        assert small.value() == max(1e-10, round(small.value(), 4))


def test_an_even_slider_is_halfway_at_the_half(shown):
    even, small_first = (shown(NumberField(0, 1, 0.05, 2, even=even), 200, 30) for even in (True, False))
    for field in (even, small_first):
        field.set_value(0.25)
    assert (even.slider.value(), small_first.slider.value()) == (250, 500)


def test_another_language_writes_its_own_comma(shown, type_into):
    QLocale.setDefault(QLocale("de_DE"))
    try:
        field = shown(NumberField(0, 10_000, 0.1, 2), 200, 30)
        field.set_value(1234.5)
        assert field.spin.text() == "1234,50"
        type_into(field.spin, "0,25")
        assert field.value() == 0.25
    finally:
        QLocale.setDefault(QLocale.c())


def test_a_choice_that_is_not_available_says_why_and_then_again_what_it_is(shown):
    combo = shown(Combo([("a", "A", "The first."), ("b", "B", "The second.")]), 200, 30)
    assert combo.can_choose("b") and not combo.can_choose("c")
    combo.set_enabled("b", False, "It rains.")
    assert not combo.can_choose("b") and combo.itemData(1, Qt.ItemDataRole.ToolTipRole) == "It rains."
    combo.set_enabled("b", True)
    assert combo.can_choose("b") and combo.itemData(1, Qt.ItemDataRole.ToolTipRole) == "The second."
