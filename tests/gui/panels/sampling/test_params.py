"""The numbers of an option: bounds, whole numbers, resets, and what is kept when another option is shown."""

import pytest
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from diffstudio.gui.kit import theme
from diffstudio.gui.panels.sampling.params import ParamFields, decimals
from diffstudio.options import PATHS, SOLVERS, Param

CHURN = Param("churn", "Churn", 0.3, 0.0, 2.0, "Fresh noise.", 0.05)
ORDER = Param("order", "Order", 2, 1, 6, "Terms that are kept.", 1, integer=True)


@pytest.fixture
def params(shown):
    made = shown(ParamFields(theme.DARK, 4))
    made.set_option("stochastic", (CHURN, ORDER))
    return made


def test_every_parameter_is_a_labelled_field_with_a_tooltip(params):
    row = params.row("churn")
    assert row.isVisible() and row.heading.text() == "Churn"
    assert row.field.toolTip() == row.heading.toolTip() == "Fresh noise."
    assert row.field.spin.accessibleName() == "Churn"
    assert row.field.value() == 0.3


def test_whole_numbers_have_no_decimals(params):
    assert isinstance(params.row("order").field.spin, QSpinBox)
    assert isinstance(params.row("churn").field.spin, QDoubleSpinBox)


def test_what_is_typed_is_the_value_and_can_be_reset(params, type_into, click, qtbot):
    row = params.row("churn")
    assert not row.reset.isVisible()
    with qtbot.waitSignal(params.changed):
        type_into(row.field.spin, "1.25")
    assert params.values() == {"churn": 1.25}
    click(row.reset)
    assert params.values() == {} and row.field.value() == 0.3 and not row.reset.isVisible()


def test_a_number_out_of_its_bounds_is_not_taken(params, type_into):
    type_into(params.row("order").field.spin, "9")
    assert params.values().get("order", 2) <= 6


def test_another_option_keeps_its_numbers(params):
    params.set_values({"churn": 1.0, "order": 5})
    params.set_option("plain", ())
    assert params.values() == {} and not params.isVisible()
    params.set_option("stochastic", (CHURN, ORDER))
    assert params.values() == {"churn": 1.0, "order": 5}


def test_a_number_that_is_not_given_has_its_default(params):
    params.set_values({"churn": 1.0, "order": 5})
    params.set_values({"order": 3})
    assert params.values() == {"order": 3}


@pytest.mark.parametrize(("step", "expected"), [(1.0, 1), (0.1, 1), (0.05, 2), (0.01, 2), (1e-3, 3), (1e-4, 4)])
def test_decimals_follow_the_step(step, expected):
    assert decimals(step) == expected


@pytest.mark.parametrize("option", [*SOLVERS.values(), *PATHS.values()], ids=lambda option: option.name)
def test_every_declared_option_can_be_shown(shown, option):
    params = shown(ParamFields(theme.DARK, 4))
    params.set_option(option.name, option.params)
    assert params.values() == {}, "a default that its field can't show"
    assert [params.row(p.name).heading.text() for p in option.params] == [p.label for p in option.params]
