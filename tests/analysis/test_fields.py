"""Derived tensors against what they were built from."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.analysis.fields import TENSORS, available, is_first, is_true, tensor

SHAPE = (4, 1, 2, 3)
LEVELS = [(1.0, 0.0), (0.8, 0.6), (0.0, 1.0), (0.0, 1.0), (0.6, 0.8), (1.0, 0.0)]


def numbers(seed):
    return np.random.default_rng(seed).standard_normal(SHAPE)


def state(k):
    a, s = LEVELS[k]
    return (a * numbers(k) + s * numbers(100 + k)).astype(np.float32)


def record(k):
    """Record k of `known`."""
    a, s = LEVELS[k]
    return {"chain": k // 3, "step": k % 3, "a": a, "s": s, "xt": state(k), "x0_hat": numbers(k)}


@pytest.fixture
def known(make_trace):
    """Three forward and three reverse records of x_t = a·x̂0 + s·ε, with another x̂0 and ε in each."""
    return make_trace([record(k) for k in range(6)])


@pytest.fixture
def halved(make_trace):
    """`known` with the two halves of guidance."""
    return make_trace([record(k) | {"x0_cond": numbers(200 + k), "x0_free": numbers(300 + k)} for k in range(6)])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_eps_hat_is_the_noise_that_was_put_in(known, k):
    found = tensor(known, k, "eps_hat")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, numbers(100 + k), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("k", [0, 5])
def test_eps_hat_is_zero_where_there_is_no_noise(known, k):
    found = tensor(known, k, "eps_hat")
    assert found.shape == SHAPE
    assert not found.any()


def test_eps_hat_is_zero_without_noise_even_where_the_guess_differs_from_the_state(make_trace):
    ones = np.ones((2, 2))
    trace = make_trace([{"chain": 1, "a": 1.0, "s": 0.0, "xt": 3 * ones, "x0_hat": ones}])
    assert not tensor(trace, 0, "eps_hat").any()


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_delta_leads_from_the_state_before_to_this_one(known, k):
    np.testing.assert_array_equal(tensor(known, k, "delta"), state(k) - state(k - 1))


@pytest.mark.parametrize(("k", "first"), list(enumerate([True, False, False] * 2)))
def test_a_chain_begins_without_delta(known, k, first):
    assert is_first(known, k) == first
    assert tensor(known, k, "delta").any() != first


@pytest.mark.parametrize(("k", "true"), list(enumerate([True] * 3 + [False] * 3)))
def test_only_the_forward_chain_knows_the_truth(known, k, true):
    assert is_true(known, k) == true


@pytest.mark.parametrize("name", ["xt", "x0_hat"])
def test_recorded_tensors_are_given_as_recorded(known, name):
    expected = {"xt": state(4), "x0_hat": numbers(4).astype(np.float32)}[name]
    np.testing.assert_array_equal(tensor(known, 4, name), expected)


@pytest.mark.parametrize("name", TENSORS)
def test_samples_of_a_tensor_are_those_of_the_whole(halved, name):
    for k in (0, 4):
        whole = tensor(halved, k, name)
        assert whole.shape == SHAPE
        for sample in (0, -1, slice(1, 3), slice(4, 4)):
            np.testing.assert_array_equal(tensor(halved, k, name, sample), whole[sample])


def test_the_split_is_what_guidance_goes_along_where_it_is_recorded(known, halved):
    np.testing.assert_allclose(tensor(halved, 4, "split"), numbers(204) - numbers(304), rtol=1e-5, atol=1e-6)
    assert available(halved) == list(TENSORS)
    assert available(known) == ["xt", "x0_hat", "eps_hat", "delta"]
    with pytest.raises(KeyError, match="no field 'x0_cond': it has xt, x0_hat"):
        tensor(known, 4, "split")


def test_a_field_of_another_name_is_given_and_an_unknown_one_refused(make_trace):
    trace = make_trace([{"chain": 1, "a": 0.6, "s": 0.8, "xt": np.ones((2, 2)), "mask": np.full((2, 2), 0.25)}])
    assert (tensor(trace, 0, "mask") == 0.25).all()
    with pytest.raises(KeyError, match="no field 'x0_hat': it has xt, mask"):
        tensor(trace, 0, "eps_hat")
    with pytest.raises(KeyError, match="no field 'velocity'"):
        tensor(trace, 0, "velocity")


def test_half_precision_keeps_three_digits(make_trace):
    x0, eps = numbers(1), numbers(2)
    trace = make_trace([{"chain": 1, "a": 0.6, "s": 0.8, "xt": 0.6 * x0 + 0.8 * eps, "x0_hat": x0}], dtype="float16")
    np.testing.assert_allclose(tensor(trace, 0, "eps_hat"), eps, atol=4e-3)


def test_states_that_overflowed_give_values_that_are_not_finite_and_no_warning(make_trace):
    huge, zero = np.full((2, 2), 1e6), np.zeros((2, 2))
    at = {"chain": 1, "a": 0.0, "s": 1.0}
    trace = make_trace([{**at, "xt": huge, "x0_hat": zero}, {**at, "xt": huge, "x0_hat": huge}], dtype="float16")
    assert np.isposinf(tensor(trace, 0, "eps_hat")).all()
    assert np.isnan(tensor(trace, 1, "eps_hat")).all()
    assert np.isnan(tensor(trace, 1, "delta")).all()
