"""Which numbers are black and white, from their type and their extremes."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.modalities.spans import normal, recognised, remark


@pytest.mark.parametrize(
    ("values", "dtype", "span"),
    [
        ((0, 1), "float32", (0, 1)),
        ((0.2, 1 + 1e-6), "float64", (0, 1)),
        ((-1, 1), "float32", (-1, 1)),
        ((-1.2, 3.4), "float32", (-1, 1)),  # a state with noise on it
        ((0, 200), "float32", (0, 255)),
        ((0, 255), "int64", (0, 255)),
        ((0, 1), "int64", (0, 1)),
        ((0, 1), "uint8", (0, 1)),
        ((0, 255), "uint8", (0, 255)),
        ((0, 255), "uint16", (0, 255)),
        ((0, 4095), "uint16", (0, 65535)),
        ((0, 1), "bool", (0, 1)),
        ((-1024, 3000), "int16", (-1024, 3000)),
        ((-1024, 3000), "float32", (-1024, 3000)),
        ((0, 1e6), "float32", (0, 1e6)),
        ((np.nan, 1), "float32", (0, 1)),
    ],
)
def test_the_span_is_that_of_the_numbers(values, dtype, span):
    assert recognised(np.array(values).astype(dtype)) == span


def test_black_is_minus_one_and_white_is_one_and_states_stay_as_they_are():
    np.testing.assert_allclose(normal(np.array([0, 127.5, 255, 510]), (0, 255)), [-1, 0, 1, 3])
    np.testing.assert_allclose(normal(np.array([10.0, 0]), (10, 0)), [-1, 1])  # white first: exchanged
    states = np.float32([-1.7, 0.3])
    assert np.array_equal(normal(states, (-1, 1)), states)


@pytest.mark.parametrize(
    ("values", "dtype", "span", "said"),
    [
        ((0, 255), "uint8", (0, 255), ""),
        ((0, 60_000), "uint16", (0, 65535), ""),
        ((0, 4095), "uint16", (0, 65535), "values from 0 to 4095: 0 is taken as black, 65535 as white"),
        ((0, 1), "float32", (0, 1), "values from 0 to 1: 0 is taken as black, 1 as white"),
        ((-1, 1), "float32", (-1, 1), ""),
        ((-2, 1), "float32", (-1, 1), "values from -2 to 1 lie beyond −1 to 1 and are taken as they are"),
    ],
)
def test_only_what_could_be_meant_otherwise_is_told(values, dtype, span, said):
    found = remark(np.array(values).astype(dtype), span)
    assert found.startswith(said) if said else found == ""
