"""Summaries against numpy, curves and distances against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.analysis.summary import MAX_VALUES, curves, distance_to_final, summarize


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def assert_describes(found, values, bins=64):
    values = np.asarray(values, np.float64).ravel()
    assert found.mean == pytest.approx(values.mean(), rel=1e-6, abs=1e-9)
    assert found.std == pytest.approx(values.std(), rel=1e-5)
    assert (found.low, found.high) == (values.min(), values.max())
    counts, edges = np.histogram(values, bins)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.edges, edges, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("bins", [1, 7, 64])
def test_all_values_are_described_as_numpy_does(bins):
    values = 3 + 2 * normal(5, 1, 20, 20)
    found = summarize(values, bins)
    assert_describes(found, values, bins)
    assert (found.non_finite, found.sampled) == (0, 1)


def test_a_view_that_is_not_contiguous_is_described_alike():
    values = normal(6, 10, 10)[:, ::2, 1:7].transpose(2, 0, 1)
    assert_describes(summarize(values), values)


def test_the_bins_hold_their_lower_edge_and_the_last_its_upper_one_too():
    found = summarize(np.array([0, 0, 1, 2, 2, 2, 3, 4], np.float32), bins=4)
    np.testing.assert_array_equal(found.counts, [2, 1, 3, 2])
    np.testing.assert_array_equal(found.edges, [0, 1, 2, 3, 4])


@pytest.mark.parametrize("bad", [[np.nan], [np.inf], [-np.inf], [np.nan, np.inf, -np.inf], [np.inf, -np.inf]])
def test_values_that_are_not_finite_are_counted_and_left_out(bad):
    finite = normal(500)
    found = summarize(np.insert(finite, 100, np.array(bad, np.float32)))
    assert found.non_finite == len(bad)
    assert_describes(found, finite)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, np.nan, -np.inf]])
def test_with_no_finite_value_there_is_nothing_to_say(values):
    found = summarize(np.array(values, np.float32).reshape(-1, 1), bins=8)
    assert np.isnan([found.mean, found.std, found.low, found.high]).all()
    assert found.non_finite == len(values)
    assert found.counts.sum() == 0
    assert len(found.counts) == len(found.edges) - 1 == 8


@pytest.mark.parametrize("value", [0.0, 0.1, -7.5, 3e38, 1e-40])
def test_a_constant_has_no_spread_and_one_full_bin(value):
    found = summarize(np.full((3, 50), value, np.float32))
    constant = float(np.float32(value))
    assert (found.low, found.high) == (constant, constant)
    assert found.mean == pytest.approx(constant, rel=1e-6)
    assert found.std == pytest.approx(0, abs=1e-7 * abs(constant))
    assert found.counts.max() == found.counts.sum() == 150


@pytest.mark.parametrize("scale", [1e20, 1e36, 1e-30, 1e-37, 1e-42])
def test_values_of_a_chain_that_diverges_or_vanishes_are_described_without_a_warning(scale):
    values = (normal(1000) * np.float64(scale)).astype(np.float32)
    found = summarize(values)
    assert_describes(found, values)
    assert found.counts.sum() == 1000


def test_a_range_wider_than_single_precision_is_described():
    values = np.array([-3e38, 0, 3e38], np.float32)
    found = summarize(values, bins=3)
    np.testing.assert_array_equal(found.counts, [1, 1, 1])
    assert found.std == pytest.approx(3e38 * np.sqrt(2 / 3), rel=1e-6)


def test_of_many_values_every_nth_is_looked_at():
    values = np.arange(2 * MAX_VALUES + 1, dtype=np.float32)
    found = summarize(values)
    assert found.sampled == 3
    assert_describes(found, values[::3])
    assert summarize(values[:MAX_VALUES]).sampled == 1
    assert summarize(np.full(MAX_VALUES + 1, np.nan, np.float32)).sampled == 2


def reverse(trace_values, **scalars):
    return [
        {"chain": 1, "step": k, "xt": xt, "x0_hat": x0, **{name: v[k] for name, v in scalars.items()}}
        for k, (xt, x0) in enumerate(trace_values)
    ]


def test_curves_are_the_recorded_scalars_with_log_snr_clipped(make_trace):
    arrays = [(np.zeros((2, 2)), np.zeros((2, 2)))] * 4
    log_snr = [-np.inf, -3.5, 25.0, np.inf]
    trace = make_trace(reverse(arrays, log_snr=log_snr, x0_change=[np.nan, 1, 2, 3], eps_norm=[4, 5, 6, 7]))
    found = curves(trace)
    assert set(found) == {"log_snr", "x0_change", "dx_norm", "eps_norm"}
    np.testing.assert_array_equal(found["log_snr"], [-20, -3.5, 20, 20])
    np.testing.assert_array_equal(found["x0_change"], [np.nan, 1, 2, 3])
    np.testing.assert_array_equal(found["eps_norm"], [4, 5, 6, 7])
    assert np.isnan(found["dx_norm"]).all()
    found["eps_norm"][0] = -1
    assert trace.scalar(0, "eps_norm") == 4


def test_a_scalar_that_is_not_recorded_has_no_curve(make_trace):
    scalars = ("chain", "step", "t", "a", "s", "log_snr", "dx_norm")
    trace = make_trace(reverse([(np.zeros((1, 2)), np.zeros((1, 2)))], log_snr=[1.0], dx_norm=[2.0]), scalars=scalars)
    assert set(curves(trace)) == {"log_snr", "dx_norm"}


def test_distance_to_final_is_the_rms_over_the_batch(make_trace):
    final, guess = normal(5, 1, 4, 4, seed=1), normal(5, 1, 4, 4, seed=2)
    trace = make_trace(reverse([(guess, guess), (guess, final + 2), (final, final)]))
    distances = np.linalg.norm((guess - final).reshape(5, -1).astype(np.float64), axis=1)
    assert distance_to_final(trace, 0) == pytest.approx(np.sqrt((distances**2).mean()), rel=1e-5)
    assert distance_to_final(trace, 1) == pytest.approx(8, rel=1e-5)  # √(16 · 2²)
    assert distance_to_final(trace, 2) == 0


def test_there_is_no_distance_before_the_end_or_in_the_forward_chain(make_trace):
    ones = np.ones((2, 2))
    both = [{"chain": 0, "xt": ones, "x0_hat": ones}, {"chain": 1, "xt": ones, "x0_hat": 2 * ones}]
    done = make_trace(both)
    assert distance_to_final(done, 0) is None
    assert distance_to_final(done, 1) == pytest.approx(np.sqrt(2))
    assert distance_to_final(make_trace(both, planned={"forward": 1, "reverse": 2}), 1) is None
    assert distance_to_final(make_trace(both[:1]), 0) is None


def test_the_distance_to_a_final_sample_that_overflowed_is_not_finite_and_no_warning(make_trace):
    huge = np.full((2, 2), 1e6)
    trace = make_trace(reverse([(huge, huge), (huge, huge)]), dtype="float16")
    assert not np.isfinite(distance_to_final(trace, 0))
