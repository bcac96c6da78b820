"""Round values on the ruler."""

import itertools

import numpy as np
import pytest

from diffstudio.gui.timeline.axis import Axis
from diffstudio.gui.timeline.clocks import CLOCKS, spans
from diffstudio.gui.timeline.ruler import MIN_DISTANCE, nice_step, ticks


def axis_of(run, clock, width=1200.0):
    return Axis(spans(run.trace, clock), width, 60.0)


def texts(run, clock, chain, width=1200.0):
    axis = axis_of(run, clock, width)
    return [tick.text for tick in ticks(axis, axis.bands[chain], clock)]


def test_steps(make_run):
    assert texts(make_run(31, 31), "step", 0) == ["0", "5", "10", "15", "20", "25", "30"]


def test_t_falls_in_the_reverse_chain(make_run):
    found = texts(make_run(), "t", 1, 800.0)
    assert found == ["1.0", "0.8", "0.6", "0.4", "0.2", "0.0"]


def test_log_snr_is_signed(make_run):
    found = texts(make_run(31, 31), "log_snr", 1)
    assert "0" in found and "+2" in found and "−2" in found


def test_sigma_has_round_values_of_a_logarithmic_axis(make_run):
    assert texts(make_run(31, 31), "sigma", 0) == ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]


def test_network_calls_are_numbered_where_there_are_some(make_run):
    run = make_run(11, 11, calls=3)
    assert texts(run, "nfe", 1)[-1] == "30"
    assert texts(run, "nfe", 0) == [] and texts(run, "step", 0)[-1] == "10"


def test_an_inversion_has_network_calls(make_run, monkeypatch):
    run = make_run(11, 11, calls=3, request={"forward": "invert"})
    table = run.trace._table.copy()
    table[:11, run.trace.header.scalars.index("nfe")] = 2.0 * np.arange(11)
    monkeypatch.setattr(run.trace, "_table", table)
    assert texts(run, "nfe", 0)[-1] == "20"


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_labels_stand_at_their_value_and_keep_their_distance(make_run, clock, zoom):
    axis = axis_of(make_run(31, 31), clock).zoomed(zoom, 400.0)
    for band in axis.bands:
        xs = [tick.x for tick in ticks(axis, band, clock)]
        assert all(b - a >= MIN_DISTANCE for a, b in itertools.pairwise(xs))
        assert all(0 <= x <= axis.width for x in xs)


def test_a_step_label_stands_at_its_record(make_run):
    axis = axis_of(make_run(31, 31), "step")
    at = {tick.text: tick.x for tick in ticks(axis, axis.bands[1], "step")}
    assert at["20"] == pytest.approx(axis.x_of(31 + 20))


@pytest.mark.parametrize("records", [0, 1, 2])
def test_a_run_that_has_just_begun(make_run, records):
    run = make_run(records=records)
    for clock in CLOCKS:
        axis = axis_of(run, clock)
        for band in axis.bands:
            ticks(axis, band, clock)


def test_nice_steps():
    assert [nice_step(x) for x in (0.013, 0.2, 0.21, 3, 7, 0)] == [0.02, 0.2, 0.5, 5, 10, 1]
