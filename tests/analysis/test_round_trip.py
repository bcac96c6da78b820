"""The round-trip error against its definition, and where there is none."""

import numpy as np
import pytest

from diffstudio.analysis.round_trip import round_trip_error


def records(*chains):
    """Two records of random states in each chain."""
    rng = np.random.default_rng(0)
    return [{"chain": c, "xt": rng.normal(size=(4, 2)).astype(np.float32)} for c in chains for _ in range(2)]


def test_it_is_the_relative_distance_of_the_ends(make_trace):
    made = records(0, 1)
    x0, end = made[0]["xt"].astype(float), made[-1]["xt"].astype(float)
    expected = [np.sqrt(((a - b) ** 2).sum() / (a**2).sum()) for a, b in zip(x0, end, strict=True)]
    found = round_trip_error(make_trace(made, request={"forward": "invert", "source": "data"}))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("chains", "planned", "request_"),
    [
        ((0, 1), None, {"forward": "fixed", "source": "data"}),
        ((0, 1), None, {"forward": "invert", "source": "noise"}),
        ((0, 1), {"forward": 2, "reverse": 5}, {"forward": "invert_heun", "source": "file"}),
        ((0,), None, {"forward": "invert", "source": "data"}),
        ((1,), None, {"forward": "invert", "source": "data"}),
    ],
    ids=["no inversion", "from noise", "unfinished", "no reverse chain", "no forward chain"],
)
def test_there_is_none(make_trace, chains, planned, request_):
    assert round_trip_error(make_trace(records(*chains), planned, request=request_)) is None
