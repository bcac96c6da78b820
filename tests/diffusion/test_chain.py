"""Forward chains against their marginals, reverse chains against what a generator promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from exact import Gaussian

from diffstudio.diffusion.chain import forward_fixed, forward_markov, reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.times import levels
from diffstudio.specs import PathSpec

STEEP = PathSpec(name="vp_linear", params={"beta_end": 0.999})  # half of its levels have no signal left


OWN = PathSpec(name="vp_table", betas=(0.02, 0.1, 0.3, 0.05, 1.0))
SPECS = [OWN if name == OWN.name else PathSpec(name=name) for name in PATHS]


@pytest.mark.parametrize("spec", [*SPECS, STEEP], ids=[*PATHS, "steep"])
def test_markov_chain_has_the_marginals_of_the_path(spec):
    path = make_path(spec)
    n = 20_000  # numbers, in 200 samples of 100 independent dimensions
    x0 = torch.full((200, 100), 0.8, dtype=torch.float64)
    grid = levels(path, 10)[::-1]
    noise = SampleNoise(3, 200, (100,), dtype=torch.float64)
    for step in forward_markov(x0, grid, noise, path.theta):
        at = step.level
        error = 5 * at.s / np.sqrt(n) + 1e-12
        assert step.xt.mean().item() == pytest.approx(at.a * 0.8, abs=error)
        assert step.xt.std().item() == pytest.approx(at.s, rel=0.05, abs=1e-12)


def test_mixing_chain_is_the_plain_recursion():
    """On its own table: x_k = (1 − α)·x_{k−1} + α·θ with the same θ, to rounding."""
    path = make_path(PathSpec(name="mixing_uniform", params={"alpha": 0.1, "n": 20, "decay": 0}))
    x0 = torch.linspace(-1, 1, 4, dtype=torch.float64)[:, None]
    chain = list(forward_markov(x0, levels(path, 20)[::-1], SampleNoise(1, 4, (1,), dtype=torch.float64), "uniform"))
    theta = SampleNoise(1, 4, (1,), dtype=torch.float64)
    x = x0
    for k in range(1, 21):
        x = 0.9 * x + 0.1 * theta.draw("uniform")
        torch.testing.assert_close(chain[k].xt, x, rtol=1e-9, atol=1e-9)


def test_uniform_theta_is_bounded_and_of_unit_variance():
    theta = SampleNoise(0, 200, (100,), dtype=torch.float64).draw("uniform")
    assert theta.abs().max().item() <= 3**0.5
    assert theta.var().item() == pytest.approx(1, rel=0.03)


def test_markov_steps_are_independent_and_fixed_ones_are_not():
    path = make_path(PathSpec(name="vp_linear"))
    grid = levels(path, 10)[::-1]
    x0 = torch.zeros(5000, 1, dtype=torch.float64)
    noise = SampleNoise(0, 5000, (1,), dtype=torch.float64)
    markov = [s.xt[:, 0] for s in forward_markov(x0, grid, noise)]
    c = grid[6].a / grid[5].a
    fresh = markov[6] - c * markov[5]
    assert abs(np.corrcoef(fresh, markov[5])[0, 1]) < 0.05
    eps = SampleNoise(0, 5000, (1,), dtype=torch.float64).draw()
    fixed = [s.xt[:, 0] for s in forward_fixed(x0, grid, eps)]
    assert np.corrcoef(fixed[6], fixed[5])[0, 1] == pytest.approx(1)


def test_forward_carries_the_true_x0():
    path = make_path(PathSpec(name="flow"))
    x0 = torch.tensor([[0.3], [0.6]])
    for step in forward_fixed(x0, levels(path, 4)[::-1], torch.ones(2, 1)):
        assert step.x0_hat is x0
        torch.testing.assert_close(step.xt, step.level.a * x0 + step.level.s)


def test_reverse_records_x0_hat_of_the_same_state():
    path, truth = make_path(PathSpec(name="flow")), Gaussian()
    grid = levels(path, 6)
    noise = SampleNoise(0, 3, (2,))
    steps = list(reverse(truth.denoise, path, grid, noise.draw(), noise))
    assert [s.level for s in steps] == grid
    for step in steps[:-1]:
        torch.testing.assert_close(step.x0_hat, truth.denoise(step.xt, step.level))
    torch.testing.assert_close(steps[-1].x0_hat, steps[-1].xt)
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].nfe = 3


def test_stopping_the_iteration_stops_the_network():
    path, calls = make_path(PathSpec(name="flow")), []

    def denoise(x, at, cond):
        calls.append(at.t)
        return x

    noise = SampleNoise(0, 1, (1,))
    chain = reverse(denoise, path, levels(path, 100), noise.draw(), noise)
    for _ in range(3):
        next(chain)
    chain.close()
    assert len(calls) == 3
