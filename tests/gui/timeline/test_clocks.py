"""Where records stand by each clock."""

import math

import numpy as np
import pytest

from diffstudio.gui.timeline.clocks import CLOCKS, LOG_SNR_LIMIT, spans


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("records", [0, 1, 2, 7, 11, 12, 15, 22])
def test_places_are_strictly_increasing_at_any_moment_of_a_run(make_run, clock, records):
    for span in spans(make_run(records=records).trace, clock):
        assert span.placed[0] == pytest.approx(0) and span.placed[-1] == pytest.approx(1)
        assert np.all(np.diff(span.placed) > 0)
        assert np.isfinite(span.values).all()


def test_steps_stand_at_equal_distances(make_run):
    forward, reverse = spans(make_run(5, 9).trace, "step")
    assert (forward.first, forward.count, reverse.first, reverse.count) == (0, 5, 5, 9)
    np.testing.assert_allclose(reverse.placed, np.arange(9) / 8)
    assert (forward.steps, reverse.steps) == (4, 8)


def test_t_is_proportional(make_run):
    run = make_run()
    _, reverse = spans(run.trace, "t")
    np.testing.assert_allclose(reverse.placed, 1 - run.trace.scalars("t")[11:], atol=1e-12)


def test_log_snr_is_proportional_and_its_infinite_ends_keep_the_last_spacing(make_run):
    run = make_run()
    _, reverse = spans(run.trace, "log_snr")
    known = run.trace.scalars("log_snr")[12:21]
    inner = reverse.placed[1:10]
    np.testing.assert_allclose((inner - inner[0]) / (inner[-1] - inner[0]), (known - known[0]) / (known[-1] - known[0]))
    gaps = np.diff(reverse.placed)
    assert gaps[0] == pytest.approx(gaps[1]) and gaps[-1] == pytest.approx(gaps[-2])


def test_log_snr_is_clipped(make_run, monkeypatch):
    run = make_run()
    table = run.trace._table.copy()
    table[1, run.trace.header.scalars.index("log_snr")] = 900.0
    monkeypatch.setattr(run.trace, "_table", table)
    assert spans(run.trace, "log_snr")[0].values.max() == LOG_SNR_LIMIT


def test_sigma_is_placed_by_its_logarithm(make_run):
    run = make_run()
    forward, _ = spans(run.trace, "sigma")
    np.testing.assert_allclose(forward.values[1:], np.log(run.trace.scalars("s")[1:11]))
    middle = forward.placed[1:]
    share = (math.log(0.5) - math.log(0.1)) / (0 - math.log(0.1))
    assert (middle[4] - middle[0]) / (middle[-1] - middle[0]) == pytest.approx(share)


def test_network_calls_place_the_reverse_chain_only(make_run):
    forward, reverse = spans(make_run(calls=2).trace, "nfe")
    np.testing.assert_allclose(forward.placed, np.arange(11) / 10)
    assert reverse.values[-1] == 20
    assert (forward.timed, reverse.timed) == (False, True)
    assert all(span.timed for span in spans(make_run().trace, "step"))


def test_records_with_the_same_value_stay_apart(make_run):
    _, reverse = spans(make_run(calls=0).trace, "nfe")
    assert np.diff(reverse.placed).min() > 0.05


def test_what_is_to_come_is_placed_by_step(make_run):
    _, reverse = spans(make_run(records=11 + 6).trace, "log_snr")
    assert reverse.known == 6 and len(reverse.values) == 6
    np.testing.assert_allclose(reverse.placed[5:], np.arange(5, 11) / 10)


def test_an_unfinished_chain_takes_its_steps_from_the_request(make_run):
    run = make_run(5, 5, request={"steps": 10, "trace_every": 3}, records=1)
    assert [span.steps for span in spans(run.trace, "step")] == [10, 10]
    np.testing.assert_allclose(spans(run.trace, "step")[1].values, [0, 3, 6, 9, 10])


def test_a_request_that_does_not_fit_is_not_believed(make_run):
    run = make_run(5, 5, request={"steps": "many", "trace_every": None}, records=1)
    assert [span.steps for span in spans(run.trace, "step")] == [4, 4]


def test_numbers_that_are_not_finite_are_survived(make_run, monkeypatch):
    run = make_run()
    table = np.full_like(run.trace._table, np.nan)
    monkeypatch.setattr(run.trace, "_table", table)
    for clock in CLOCKS:
        for span in spans(run.trace, clock):
            assert np.isfinite(span.placed).all()
