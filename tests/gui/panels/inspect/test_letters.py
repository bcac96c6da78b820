"""The inspector of a text: letters are counted, and the curves are those of letters."""

import pytest

from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect.pages import NormsPage, ValuesPage
from diffstudio.gui.panels.inspect.plots import _NamedAxis


@pytest.fixture
def values(shown):
    return shown(ValuesPage(theme.DARK), 320, 240)


@pytest.fixture
def norms(shown):
    return shown(NormsPage(theme.DARK), 320, 240)


def bars(page):
    """Heights of the bars, without the gaps."""
    return (page.bars.getData()[1] ** 2).round().astype(int)[::2].tolist()


def test_letters_are_counted_with_the_masked_cells_last(values, text_trace):
    trace = text_trace()
    said = values.show_step(trace, 5, "xt", 0)
    assert bars(values) == [2, 5, 6, 6, 5, 0]  # the space, a, b, c, d, masked
    assert said == "x_t: b 25 % · c 25 % · a 21 %"
    said = values.show_step(trace, 4, "xt", 0)
    assert bars(values)[-1] == 18 and said.endswith(" · 18 masked")
    values.show_step(trace, 4, "delta", 0)
    assert sum(bars(values)) == 3  # the letters that this step set


def test_the_axis_says_the_letters_and_numbers_again_for_numbers(values, text_trace, make_run):
    values.show_step(text_trace(), 5, "xt", 0)
    axis = values.getAxis("bottom")
    assert isinstance(axis, _NamedAxis)
    [(_, places)] = axis.tickValues(0, 6, 300)
    assert axis.tickStrings(places, 1, 1) == ["␣", "a", "b", "c", "d", "▒"]
    assert "letter" in axis.labelText
    values.show_step(make_run().trace, 3, "xt", 0)
    assert "value" in axis.labelText and axis.tickStrings([1.0], 1, 1.0) == ["1"]


def test_vectors_are_numbers_like_any_other(values, text_trace):
    assert "mean" in values.show_step(text_trace("embedding"), 4, "xt", 0)


def test_the_curves_are_those_of_letters_and_norms_again_for_numbers(norms, text_trace, make_run):
    norms.set_trace(text_trace())
    norms.refresh()
    norms.show_step(norms._trace, 4, "xt", 0)
    assert [entry.text()[2:] for entry in norms.legend] == [
        "masked letters 6.00", "entropy, bits 7.50", "letters changed 1.00",
    ]  # fmt: skip
    run = make_run()
    norms.set_trace(run.trace)
    norms.refresh()
    norms.show_step(run.trace, 4, "xt", 0)
    assert norms.legend[0].text().startswith("━ ‖Δx‖")
