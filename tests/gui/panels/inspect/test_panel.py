"""The inspector, driven: pages, the numbers under them, and the way from a plot to the playhead."""

import numpy as np
import pytest
from PySide6.QtCore import QLocale, QPointF, Qt

from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect.panel import PAGES, InspectPanel
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

STEPS = 5


@pytest.fixture
def trace(tmp_path):
    """Two chains of five steps; x_t is the record's number everywhere."""
    chains = ({"name": "forward", "records": STEPS + 1}, {"name": "reverse", "records": STEPS + 1})
    fields = tuple({"name": name, "shape": (2, 1, 4, 4)} for name in ("xt", "x0_hat"))
    header = TraceHeader(created="2026-01-02", request={}, card={"modality": "image"}, fields=fields, chains=chains)
    writer = TraceWriter(tmp_path / "run.trace", header)
    for k in range(2 * STEPS + 2):
        chain, j = divmod(k, STEPS + 1)
        t = 1 - j / STEPS if chain else j / STEPS
        scalars = {"chain": chain, "step": j, "t": t, "a": 1 - t, "s": t, "log_snr": 0.0, "nfe": j,
                   "dx_norm": 2.0 if j else 0.0, "eps_norm": 8.0, "x0_change": 0.5, "seconds": k}  # fmt: skip
        state = np.full((2, 1, 4, 4), k, np.float32)
        writer.append(scalars, {"xt": state, "x0_hat": np.full_like(state, 2 * STEPS + 1 - k)})
    writer.close()
    with Trace.open(tmp_path / "run.trace") as opened:
        yield opened


@pytest.fixture
def inspect(shown):
    QLocale.setDefault(QLocale.c())
    panel = shown(InspectPanel(theme.DARK), 360, 240)
    panel.load_pages()
    return panel


@pytest.fixture
def full(inspect, trace):
    inspect.set_trace(trace)
    inspect.show_step(0)
    return inspect


def tab(inspect, title):
    return next(button for button in inspect._tabs.buttons() if button.text() == title)


def test_before_a_run_it_says_so(inspect):
    assert inspect.readout.text() == "Nothing generated yet."


def test_values_are_those_of_the_tensor_at_the_playhead(full):
    full.show_step(3)
    assert full.readout.text() == "x_t: mean 3.00 · std 0.00 · 0 non-finite"
    full.set_tensor("x0_hat")
    assert full.readout.text() == "x_0 (true): mean 8.00 · std 0.00 · 0 non-finite", (
        "the forward chain knows the true x_0"
    )
    full.show_step(STEPS + 2)
    assert full.readout.text() == "x̂0: mean 4.00 · std 0.00 · 0 non-finite"
    assert full.pages["values"].bars.getData()[1].sum() > 0


def test_norms_show_the_curves_and_the_distance_to_the_final_sample(full, click):
    click(tab(full, "Norms"))
    full.show_step(STEPS + 3)
    assert full.page == "norms" and full.pages["norms"].isVisible()
    assert [entry.text() for entry in full.pages["norms"].legend] == ["━ ‖Δx‖ 2.00", "╍ ‖Δx̂0‖ 0.50", "┈ ‖ε̂‖ 8.00"]
    # x̂0 there is 3, the final x_t is 11: √(16·8²) over every sample.
    assert full.readout.text() == "‖x̂0 − final‖ 32.00"


def test_a_click_into_a_curve_asks_for_that_step(full, click, qtbot):
    click(tab(full, "Norms"))
    plot = full.pages["norms"].plot
    qtbot.wait(20)
    place = plot.mapFromScene(plot.box.mapViewToScene(QPointF(7.0, 0.0)))
    with qtbot.waitSignal(full.stepClicked) as signal:
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == [7]


def test_a_hidden_page_catches_up_when_it_is_shown(full, click):
    full.show_step(2)
    click(tab(full, "Norms"))
    assert full.pages["norms"].playhead.value() == 2
    full.show_step(4)
    click(tab(full, "Values"))
    assert full.readout.text().startswith("x_t: mean 4.00")


def test_what_is_chosen_before_the_pages_are_there_is_shown_then(shown, trace, click):
    panel = shown(InspectPanel(theme.DARK), 360, 240)
    panel.set_trace(trace)
    click(tab(panel, "Norms"))
    panel.show_step(3)
    assert not panel.pages
    panel.load_pages()
    assert panel.pages["norms"].isVisible() and panel.pages["norms"].playhead.value() == 3


def test_another_theme_reaches_every_page(full):
    full.apply_theme(theme.LIGHT)
    assert full.pages["values"].tokens is theme.LIGHT
    assert full.pages["norms"].plot.tokens is theme.LIGHT


def test_it_says_once_that_it_was_painted(shown, qtbot):
    panel = InspectPanel(theme.DARK)
    told = []
    panel.painted.connect(lambda: told.append(1))
    shown(panel)
    qtbot.waitUntil(lambda: bool(told))
    panel.repaint()
    qtbot.wait(10)
    assert told == [1]


def test_every_page_has_a_tab_with_a_tooltip(inspect):
    buttons = inspect._tabs.buttons()
    assert [button.text() for button in buttons] == [title for _, title, _ in PAGES]
    assert all(button.toolTip()[-1] in ".?" for button in buttons)


def test_the_line_that_has_no_room_is_whole_in_the_tooltip(full):
    assert full.readout.toolTip() == full.readout.text()
