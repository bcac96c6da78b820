"""Where a run starts and which levels it visits: strength, own times, grids, noise between seeds, Brownian noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffstudio import data
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels
from diffstudio.specs import PathSpec


def states(trace, chain=1, field="xt"):
    """(R, B, …) of one chain."""
    return np.stack([trace.array(k, field) for k in np.flatnonzero(trace.scalars("chain") == chain)])


def times(trace, chain=1):
    return trace.scalars("t")[trace.scalars("chain") == chain]


def first_noise(seed, samples=1):
    return torch.stack(
        [torch.randn(2, generator=torch.Generator().manual_seed(seed + i)) for i in range(samples)]
    ).numpy()


@pytest.mark.parametrize(("strength", "steps"), [(1.0, 6), (0.5, 3), (0.34, 2), (0.01, 1)])
def test_strength_is_the_share_of_the_chain_that_data_go_through(record, strength, steps):
    trace = record(source="data", strength=strength, label=1)
    t = np.arange(steps + 1) / 6
    np.testing.assert_allclose(times(trace, 0), t, atol=1e-12)
    np.testing.assert_allclose(times(trace, 1), t[::-1], atol=1e-12)
    x0, _ = data.sample("shapes-2d", [1] * 3, range(7, 10))
    # x_t = a·x_0 + s·ε on the flow path
    start = (1 - t[-1]) * x0 + t[-1] * first_noise(7, 3)
    np.testing.assert_allclose(states(trace)[0], start, atol=1e-6)
    assert trace.complete
    assert trace.scalars("step").tolist() == [*range(steps + 1)] * 2


def test_strength_means_nothing_to_a_run_from_noise(record):
    trace = record(forward="off")
    assert (times(trace)[0], len(trace)) == (1, 7)


def test_own_times_are_visited_as_given(record):
    given = (1.0, 0.7, 0.65, 0.1)
    trace = record(grid="custom", times=given, steps=50)
    assert times(trace).tolist() == list(given)
    assert times(trace, 0).tolist() == list(given[::-1])
    assert trace.complete


@pytest.mark.parametrize(
    ("grid", "params"),
    [
        ("karras", {"rho": 3.0, "sigma_max": 20.0}), ("exponential", {"sigma_min": 0.05}), ("log_snr", {}),
        ("shifted", {"shift": 5.0}), ("shifted_resolution", {"max_shift": 2.0}), ("quadratic", {}),
    ],
)  # fmt: skip
def test_a_grid_is_that_of_its_parameters(record, grid, params):
    trace = record(grid=grid, grid_params=params, forward="off")
    expected = levels(make_path(PathSpec()), 6, grid, params=params, shape=(2,))
    np.testing.assert_allclose(times(trace), [at.t for at in expected], atol=1e-12)
    assert len(set(times(trace))) == 7


def test_training_steps_of_the_run_s_own_path(record):
    trace = record(path={"name": "vp_linear", "params": {"n": 10}}, grid="leading", steps=5, forward="off")
    # Training step k of 0 … 9 is t = (k + 1)/10: 8, 6, 4, 2, 0, then the data.
    np.testing.assert_allclose(times(trace), [0.9, 0.7, 0.5, 0.3, 0.1, 0], atol=1e-9)


def test_interpolation_goes_from_the_seed_to_the_other_one(record):
    trace = record(interpolate=50, samples=5, label=0)
    for i, seed in ((0, 7), (4, 50)):
        alone = record(seed=seed, samples=1, label=0)
        np.testing.assert_allclose(states(trace)[:, i], states(alone)[:, 0], atol=1e-5)
    start = states(trace)[0]
    one, two = start[0].astype(float), start[4].astype(float)
    angle = np.arccos(one @ two / np.linalg.norm(one) / np.linalg.norm(two))
    # Halfway on the great circle: sin(Ω/2)/sin Ω of each.
    np.testing.assert_allclose(start[2], (one + two) * np.sin(angle / 2) / np.sin(angle), atol=1e-5)


def test_no_variation_is_the_seed_and_a_full_one_the_other_seeds(record):
    whole = record(variation=1.0, variation_seed=90)
    np.testing.assert_allclose(states(whole)[0], first_noise(90, 3), atol=1e-5)
    near = states(record(variation=0.05, variation_seed=90))
    own = states(record(samples=1))[-1, 0]
    spread = np.abs(near[-1] - own).max(1)
    assert (spread > 1e-4).all()
    assert (spread < 0.3).all()
    assert np.abs(near[-1, 0] - near[-1, 1]).max() > 1e-4


def test_a_run_without_variation_has_each_seed_s_own_noise(record):
    np.testing.assert_array_equal(states(record(variation=0.0))[0], first_noise(7, 3))


def drift(record, noise, solver="dpmpp_2m_sde"):
    """How far the samples move when the steps double, root mean square."""
    coarse, fine = (
        states(record(solver=solver, noise=noise, steps=n, samples=40, forward="off", trace_every=n, label=1))[-1]
        for n in (40, 80)
    )
    return np.sqrt(np.square(coarse - fine).mean())


def test_on_a_brownian_path_more_steps_refine_the_same_samples(record):
    assert drift(record, "brownian") < 0.15
    assert drift(record, "fresh") > 0.4
    assert drift(record, None) == pytest.approx(drift(record, "brownian"), rel=1e-6)  # that solver's own way


def test_ddpm_draws_fresh_noise_unless_told_otherwise(record):
    own, fresh, brownian = (states(record(solver="ddpm", noise=noise))[-1] for noise in (None, "fresh", "brownian"))
    np.testing.assert_array_equal(own, fresh)
    assert not np.isclose(own, brownian).any()


def test_each_sample_of_a_brownian_batch_is_that_of_its_seed(record):
    several = record(solver="dpmpp_2m_sde", samples=3, seed=5)
    for i in range(3):
        alone = record(solver="dpmpp_2m_sde", samples=1, seed=5 + i)
        np.testing.assert_allclose(states(several)[:, i], states(alone)[:, 0], atol=1e-5)
