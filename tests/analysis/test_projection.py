"""The principal plane against numpy.linalg.svd, and a trace's way through it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffstudio.analysis import projection
from diffstudio.analysis.projection import principal_plane, trajectories
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.reader import Trace
from diffstudio.traces.writer import TraceWriter


def by_svd(rows):
    """The same by another road: (mean, axes up to their sign, shares)."""
    rows = rows.astype(np.float64)
    _, values, axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    return rows.mean(0), axes[:2], values[:2] ** 2 / (values**2).sum()


@pytest.mark.parametrize("shape", [(50, 3), (30, 30), (12, 200), (400, 2)])
def test_it_is_the_plane_of_the_svd(shape):
    rows = np.random.default_rng(shape[0]).normal(size=shape) * np.linspace(5, 1, shape[1]) + 3
    mean, axes, share = by_svd(rows)
    plane = principal_plane(rows)
    assert np.allclose(plane.mean, mean) and np.allclose(plane.share, share)
    assert np.allclose(np.abs(plane.axes @ axes.T), np.eye(2), atol=1e-8)
    assert np.allclose(np.abs(plane.project(rows)), np.abs((rows - mean) @ axes.T), atol=1e-7)


@given(st.integers(3, 20), st.integers(2, 40), st.integers(0, 10**6))
def test_axes_are_orthonormal_and_their_largest_part_is_positive(n, d, seed):
    plane = principal_plane(np.random.default_rng(seed).normal(size=(n, d)))
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-6)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in plane.axes)
    assert 0 <= plane.share[1] <= plane.share[0] <= 1 + 1e-9


@pytest.mark.parametrize(
    "rows", [np.ones((5, 4)), np.ones((1, 4)), np.outer(np.arange(6), np.ones(4)), np.ones((3, 2))]
)
def test_rows_without_two_directions_still_have_a_plane(rows):
    plane = principal_plane(rows)
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-9)
    assert np.isfinite(plane.project(rows)).all()


def test_one_direction_has_all_the_spread():
    plane = principal_plane(np.outer(np.arange(6.0), np.ones(4)))
    assert np.allclose(plane.axes[0], 0.5) and np.allclose(plane.share, [1, 0])


def test_rows_that_are_not_finite_are_left_out():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    bad = np.concatenate([rows, [[np.nan, 0, 0]], [[0, np.inf, 0]]])
    assert np.allclose(principal_plane(bad).axes, principal_plane(rows).axes)
    assert principal_plane(np.full((4, 3), np.nan)).axes.shape == (2, 3)


@pytest.fixture
def record(tmp_path):
    """Writes states (records, batch, …) as one forward chain."""
    opened = []

    def write(states):
        header = TraceHeader(
            created="2026-01-02",
            request={},
            card={"modality": "image"},
            fields=({"name": "xt", "shape": states.shape[1:]}, {"name": "x0_hat", "shape": states.shape[1:]}),
            chains=({"name": "forward", "records": len(states)},),
        )
        path = tmp_path / f"{len(opened)}.trace"
        writer = TraceWriter(path, header)
        names = ("chain", "step", "t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds")
        for k, state in enumerate(states):
            writer.append(dict.fromkeys(names, 0.0) | {"step": k}, {"xt": state, "x0_hat": state})
        writer.close()
        opened.append(Trace.open(path))
        return opened[-1]

    yield write
    for trace in opened:
        trace.close()


def test_every_record_of_every_sample_has_its_place(record):
    states = np.random.default_rng(1).normal(size=(9, 4, 1, 5, 5)).astype(np.float32)
    found = trajectories(record(states))
    mean, axes, _ = by_svd(states.reshape(-1, 25))
    expected = (states.reshape(9, 4, 25) - mean) @ axes.T
    assert found.positions.shape == (9, 4, 2)
    assert np.allclose(np.abs(found.positions), np.abs(expected), atol=1e-4)


def test_where_states_are_many_an_even_choice_decides(record, monkeypatch):
    monkeypatch.setattr(projection, "MOST_NUMBERS", 0)
    monkeypatch.setattr(projection, "LEAST_ROWS", 8)
    states = np.random.default_rng(2).normal(size=(9, 4, 1, 5, 5)).astype(np.float32)
    found = trajectories(record(states))
    _, axes, _ = by_svd(states[::5].reshape(-1, 25))
    assert np.allclose(np.abs(found.plane.axes @ axes.T), np.eye(2), atol=1e-6)
    assert found.positions.shape == (9, 4, 2)


def test_a_state_that_is_not_finite_has_no_place(record):
    states = np.random.default_rng(3).normal(size=(6, 3, 2)).astype(np.float32)
    states[4, 1] = np.inf
    positions = trajectories(record(states)).positions
    assert np.isnan(positions[4, 1]).all() and np.isfinite(np.delete(positions.reshape(-1, 2), 13, 0)).all()


def test_it_stops_when_told_to(record):
    calls = []
    trace = record(np.zeros((9, 2, 2), np.float32))
    assert trajectories(trace, stop=lambda: calls.append(1) or len(calls) > 3) is None
    assert len(calls) == 4
