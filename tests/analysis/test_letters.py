"""Counting letters, and tokens as vectors."""

import numpy as np
import pytest

from diffstudio.analysis import fields
from diffstudio.analysis.letters import letters, one_hot, vocabulary
from diffstudio.analysis.projection import trajectories
from diffstudio.specs import TextSpec
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter

ROWS = np.array([[[0.0, 1, 3, 3]], [[2, 1, 1, 3]]])  # two texts of four cells; 3 is the mask
NAMES = ("t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds")


@pytest.fixture
def trace(tmp_path):
    """Two records of the reverse chain: ROWS, then all cells are 1."""
    header = TraceHeader(
        created="2026-01-02", request={}, card={"modality": "text", "text": {"vocabulary": ["a", "b", "c"]}},
        fields=tuple({"name": name, "shape": ROWS.shape} for name in ("xt", "x0_hat")),
        chains=({"name": "reverse", "records": 2},),
    )  # fmt: skip
    with TraceWriter(tmp_path / "a.trace", header) as writer:
        for k, rows in enumerate((ROWS, np.ones_like(ROWS))):
            arrays = {"xt": rows.astype(np.float32), "x0_hat": np.zeros_like(rows, np.float32)}
            writer.append(dict.fromkeys(NAMES, 0.0) | {"chain": 1, "step": k}, arrays)
    with Trace.open(tmp_path / "a.trace") as opened:
        yield opened


def test_each_letter_is_counted(trace):
    found = letters(trace, 0, "xt")
    assert found.counts.tolist() == [1, 3, 1, 3] and found.masked == 3
    assert found.most == [("b", 0.6), ("a", 0.2), ("c", 0.2)]
    assert letters(trace, 0, "x0_hat").counts.tolist() == [8, 0, 0, 0]


def test_of_a_change_the_new_letters_are_counted(trace):
    assert letters(trace, 0, "delta").counts.sum() == 0
    assert letters(trace, 1, "delta").counts.tolist() == [0, 5, 0, 0]


def test_tokens_are_unit_vectors():
    spec = TextSpec(vocabulary=("a", "b", "c"))
    found = one_hot(ROWS, spec)
    assert found.shape == (2, 4, 4)
    assert (found.argmax(2) == ROWS[:, 0]).all() and (found.sum(2) == 1).all()


def test_the_plane_is_that_of_the_unit_vectors(trace):
    found = trajectories(trace)
    spec = vocabulary(trace)
    states = np.concatenate([one_hot(trace.array(k, "xt"), spec).reshape(2, -1) for k in range(2)])
    assert found.plane.axes.shape == (2, states.shape[1])
    np.testing.assert_allclose(found.positions.reshape(4, 2), found.plane.project(states), atol=1e-5)


def test_what_is_no_number_has_no_noise(trace):
    assert fields.available(trace) == ["xt", "x0_hat", "delta"]
    assert fields.meaningless(trace) == ("eps_hat", "split")
