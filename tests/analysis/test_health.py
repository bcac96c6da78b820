"""Where a run becomes not finite, and which samples leave the range of their data."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.analysis.health import broken, out_of_range
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


def test_a_sample_with_one_number_that_is_not_finite_is_broken():
    xt = np.zeros((4, 1, 5, 5), np.float32)
    xt[1, 0, 2, 2], xt[3] = np.nan, -np.inf
    split = np.full_like(xt, np.nan)
    assert broken({"xt": xt, "x0_hat": np.zeros_like(xt), "x0_cond": split}) == (1, 3)
    assert broken({"xt": np.zeros_like(xt), "x0_hat": np.full_like(xt, 1e38)}) == ()


@pytest.fixture
def ended(tmp_path):
    """ended(x): a run of pictures that ended in x, (B, C, H, W)."""
    made = []

    def ended(x, s=0.0, chain=1, planned=1, **card):
        x = np.asarray(x, np.float32)
        header = TraceHeader(
            created="2026-01-02", request={}, card={"modality": "image", "network": "unet", **card},
            fields=tuple({"name": name, "shape": x.shape} for name in ("xt", "x0_hat")),
            chains=({"name": ("forward", "reverse")[chain], "records": planned},),
        )  # fmt: skip
        path = tmp_path / f"{len(made)}.trace"
        with TraceWriter(path, header) as writer:
            writer.append(
                {"chain": chain, "step": 0, "t": s, "a": 1 - s, "s": s, "log_snr": 0.0}, {"xt": x, "x0_hat": x}
            )
        made.append(Trace.open(path))
        return made[-1]

    yield ended
    for trace in made:
        trace.close()


def pictures():
    """Six of 10×10: within, a little over, one number far off, two, twice as large, and of −∞."""
    x = np.random.default_rng(0).uniform(-1, 1, (6, 1, 10, 10))
    x[1] *= 1.2
    x[2, 0, 0, 0] = 9
    x[3, 0, 0, :2] = -9
    x[4] *= 2
    x[5, 0, :5] = -np.inf
    return x


def test_a_sample_leaves_the_range_with_more_than_a_hundredth_of_its_numbers(ended):
    """A network is never exact: a little beyond ±1, or a single number, is nothing to speak of."""
    assert out_of_range(ended(pictures())) == (3, 4, 5)


@pytest.mark.parametrize(
    "given",
    [
        {"s": 0.2}, {"chain": 0}, {"planned": 2}, {"modality": "points"}, {"decoded": [3, 80, 80]},
        {"network": "exact_mixture"}, {"modality": "unheard of"},
    ],
)  # fmt: skip
def test_it_is_asked_only_where_there_is_a_range_and_the_data_are_reached(ended, given):
    assert out_of_range(ended(pictures(), **given)) == ()
