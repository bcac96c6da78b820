"""Forward chains against their marginals, reverse chains against what a generator promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from exact import Gaussian, Mixture

from diffstudio.diffusion.chain import forward_fixed, forward_markov, invert, reverse, round_trip
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import PATHS, make_path
from diffstudio.diffusion.solvers import SOLVERS
from diffstudio.diffusion.times import level, levels
from diffstudio.errors import BadInput
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


def quiet_start(path, steps):
    """The data, then equal steps of log σ from 0.01 to 10."""
    return [level(path, 0)] + [level(path, path.t_at_log_snr(9.2 - 13.8 * i / steps)) for i in range(steps + 1)]


X0 = torch.tensor([[-1.4, -0.9], [0.8, 1.1], [-0.6, 1.3]], dtype=torch.float64)


@pytest.mark.parametrize("name", ["flow", "vp_cosine"])
@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("heun", 2), ("dpmpp_2m", 2), ("rk45", None)])
def test_inversion_converges_to_the_exact_flow(name, solver, order):
    path, truth = make_path(PathSpec(name=name)), Mixture()
    errors = []
    for steps in (40, 80, 160) if order else (10,):
        grid = quiet_start(path, steps)
        chain = list(invert(truth.denoise, path, grid, X0, solver=solver))
        assert [s.level for s in chain] == grid
        first = grid[1].a * X0  # the state that stands for the data at the first noisy level
        torch.testing.assert_close(chain[1].xt, first)
        errors.append((chain[-1].xt - truth.flow(first, grid[1], grid[-1])).abs().max().item())
    if order:
        assert np.log2(errors[-2] / errors[-1]) == pytest.approx(order, abs=0.3)
    assert errors[-1] < (0.1 if order == 1 else 2e-3)


def test_ddim_inversion_is_that_of_song_et_al():
    """x′ = a′·x̂0 + s′·ε̂ with both from the current state."""
    path, truth = make_path(PathSpec(name="vp_linear")), Mixture()
    grid = levels(path, 5)[::-1]
    chain = list(invert(truth.denoise, path, grid, X0))
    for k in range(1, 5):
        at, to, x = grid[k], grid[k + 1], chain[k].xt
        x0_hat = truth.denoise(x, at)
        eps = (x - at.a * x0_hat) / at.s
        torch.testing.assert_close(chain[k + 1].xt, to.a * x0_hat + to.s * eps, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(chain[k].x0_hat, x0_hat)
    assert [s.chain for s in chain] == ["forward"] * 6
    assert [s.nfe for s in chain] == [0, 1, 2, 3, 4, 5]


def test_a_round_trip_comes_back_the_better_the_finer_the_inversion():
    path, truth = make_path(PathSpec(name="vp_cosine")), Mixture()
    grid = quiet_start(path, 40)
    plain, heun = (round_trip(truth.denoise, path, grid, X0, solver=s) for s in ("ddim", "heun"))
    refined = round_trip(truth.denoise, path, grid, X0, refinements=15)
    assert plain.shape == (3,)
    assert plain.max() < 0.2
    assert heun.max() < 0.1 * plain.max()
    assert refined.max() < 1e-6


def test_inversion_needs_a_solver_without_noise():
    path, grid = make_path(PathSpec(name="flow")), levels(make_path(PathSpec(name="flow")), 4)[::-1]
    for given in (
        {"solver": "ddpm"},
        {"solver": "heun", "refinements": 1},
        {"solver": "heun", "params": {"s_churn": 9.0}},
    ):
        with pytest.raises(BadInput):
            list(invert(Gaussian().denoise, path, grid, X0, **given))


@pytest.mark.parametrize("solver", ["ddim", "dpmpp_2m", "unipc", "heun"])
def test_a_projection_holds_at_every_level(solver):
    """Inpainting: one coordinate is known, and the recorded states have it at their own level."""
    path, eps = make_path(PathSpec(name="flow")), torch.tensor([[0.3], [-0.8]], dtype=torch.float64)
    seen = []

    def project(x, at):
        seen.append(at)
        known = at.a * 0.9 + at.s * eps
        return torch.cat([known, x[:, 1:]], 1)

    grid = levels(path, 8)
    start = torch.cat([eps, eps], 1)
    noise = SampleNoise(0, 2, (2,), dtype=torch.float64)
    chain = list(reverse(Mixture().denoise, path, grid, start, noise, solver=solver, project=project))
    assert seen == grid[1:]
    for step in chain:
        torch.testing.assert_close(step.xt[:, :1], step.level.a * 0.9 + step.level.s * eps)
    # The free coordinate is that of a chain of its own: in this mixture the coordinates are independent.
    alone = list(
        reverse(Mixture().denoise, path, grid, start, noise, solver=solver if solver != "unipc" else "dpmpp_2m")
    )
    torch.testing.assert_close(chain[-1].xt[:, 1], alone[-1].xt[:, 1])


def test_resampling_repeats_each_step_and_keeps_the_law():
    """With nothing to project, jumping back with the forward kernel leaves the law of the Gaussian as it is."""
    path, truth = make_path(PathSpec(name="vp_cosine")), Gaussian(0.4, 0.5)
    noise = SampleNoise(1, 100, (40,), dtype=torch.float64)
    grid = [level(path, t) for t in np.linspace(1, 0, 201)]
    chain = list(reverse(truth.denoise, path, grid, noise.draw(), noise, solver="ddpm", resample=3))
    assert [s.level for s in chain] == grid
    assert chain[-1].nfe == 3 * 199 + 1  # the step to the data is made once
    assert chain[-1].xt.mean().item() == pytest.approx(0.4, abs=0.04)
    assert chain[-1].xt.std().item() == pytest.approx(0.5, rel=0.05)


def test_resampling_makes_the_free_part_agree_with_the_known_one():
    """RePaint's point: two coordinates that are always equal, one known. Without it the free one often misses."""
    path = make_path(PathSpec(name="vp_cosine"))

    def denoise(x, at, cond):
        # x_0 = (c, c) with c = ±1: the two coordinates are seen through independent noise.
        lean = torch.tanh(at.a * x.sum(1, keepdim=True) / at.s**2)
        return lean.expand_as(x)

    def agreeing(resample):
        noise = SampleNoise(4, 200, (2,), dtype=torch.float64)
        known = SampleNoise(4, 200, (1,), dtype=torch.float64, stream=9)

        def project(x, at):
            return torch.cat([at.a + at.s * known.draw(), x[:, 1:]], 1)

        grid = levels(path, 12)
        *_, last = reverse(denoise, path, grid, noise.draw(), noise, solver="ddpm", project=project, resample=resample)
        return (last.xt[:, 1] > 0).double().mean().item()

    once, often = agreeing(1), agreeing(8)
    assert often > 0.97
    assert often > once


def test_a_jump_back_makes_a_multistep_method_start_anew(monkeypatch):
    """Its past belongs to another trajectory; what led to the state of a first pass is still its own."""
    seen = []

    def spy(step):
        seen.append((step.at.t, [past.level.t for past in step.past], dict(step.memory)))
        step.memory["kept"] = True
        return SOLVERS["ddim"](step)

    monkeypatch.setitem(SOLVERS, "spy", spy)
    path = make_path(PathSpec(name="flow"))
    noise = SampleNoise(0, 2, (2,), dtype=torch.float64)
    list(reverse(Mixture().denoise, path, levels(path, 3), noise.draw(), noise, solver="spy", resample=2))
    one, two, three = (at.t for at in levels(path, 3)[:3])
    kept = {"kept": True}
    assert seen == [(one, [], {}), (one, [], {}), (two, [one], kept), (two, [], {}), (three, [two], kept)]


def test_a_solver_looks_back_on_three_states(monkeypatch):
    """DEIS takes four values: that of the state itself and of the three before it."""
    seen = []

    def spy(step):
        seen.append([past.level.t for past in step.past])
        return SOLVERS["ddim"](step)

    monkeypatch.setitem(SOLVERS, "spy", spy)
    path = make_path(PathSpec(name="flow"))
    noise = SampleNoise(0, 2, (2,), dtype=torch.float64)
    list(reverse(Mixture().denoise, path, levels(path, 5), noise.draw(), noise, solver="spy"))
    t = [at.t for at in levels(path, 5)]
    assert seen == [[], t[:1], t[:2], t[:3], t[1:4]]
