"""Steps in a second, of the reverse chain alone."""

import numpy as np
import pytest

from diffstudio.analysis.rate import steps_per_second


def records(*given):
    """(chain, step, seconds) of each record."""
    xt = np.zeros((1, 2), np.float32)
    return [{"chain": chain, "step": step, "seconds": seconds, "xt": xt} for chain, step, seconds in given]


def test_the_forward_chain_and_the_loading_before_it_do_not_count(make_trace):
    trace = make_trace(records((0, 0, 5.0), (0, 9, 6.0), (1, 0, 8.0), (1, 4, 9.0), (1, 10, 10.0)))
    assert steps_per_second(trace) == pytest.approx(5.0)


def test_a_forward_chain_that_is_alone_counts(make_trace):
    assert steps_per_second(make_trace(records((0, 0, 1.0), (0, 6, 3.0)))) == pytest.approx(3.0)


@pytest.mark.parametrize(
    "given",
    [[(0, 0, 1.0), (0, 1, 2.0)], [(0, 0, 1.0), (1, 0, 2.0)], [(1, 0, 2.0), (1, 1, 2.0)]],
    ids=["no reverse chain yet", "one record", "no time went by"],
)
def test_where_there_is_nothing_to_divide_it_is_none(make_trace, given):
    assert steps_per_second(make_trace(records(*given), planned={"forward": 2, "reverse": 2})) == 0
