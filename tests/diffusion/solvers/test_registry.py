"""Every solver of the registry: exact solutions (a Gaussian), its claimed order (a mixture), the ends of the paths."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import torch
from exact import Gaussian, Mixture

from diffstudio import options
from diffstudio.diffusion import solvers, tokens
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.denoiser import Estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, level
from diffstudio.specs import PathSpec

PATH_NAMES = ["flow", "vp_linear", "vp_cosine", "ve", "mixing"]
ODE = [name for name, row in options.SOLVERS.items() if row.order is not None and row.evals_per_step is not None]


def path_of(name):
    return make_path(PathSpec(name=name, params={"sigma_max": 10} if name == "ve" else {}))


def run(denoise, path, grid, x, solver, samples=None, params=None, seed=0):
    noise = SampleNoise(seed, samples or len(x), x.shape[1:], dtype=x.dtype)
    return list(reverse(denoise, path, grid, x, noise, solver=solver, params=params))


@functools.cache
def smooth_grid(name, steps, high=3.0, low=-3.0):
    """Equal steps of log-SNR between two levels with a > 0 and s > 0: no end hides or breaks the order."""
    path = path_of(name)
    return [level(path, path.t_at_log_snr(low + (high - low) * i / steps)) for i in range(steps + 1)]


def test_every_row_of_the_options_has_its_function():
    assert set(solvers.SOLVERS) | set(tokens.SOLVERS) == set(options.SOLVERS)
    assert set(tokens.SOLVERS) == {name for name, row in options.SOLVERS.items() if row.needs == "tokens"}


@pytest.mark.parametrize("solver", ODE)
@pytest.mark.parametrize("name", ["flow", "vp_cosine", "ve"])
def test_ode_solvers_converge_to_the_exact_flow_of_a_gaussian(name, solver):
    path, truth = path_of(name), Gaussian()
    grid = smooth_grid(name, 400)
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
    end = run(truth.denoise, path, grid, x, solver)[-1].xt
    bound = 2e-2 if options.SOLVERS[solver].order == 1 else 1e-4
    assert (end - truth.flow(x, grid[0], grid[-1])).abs().max() < bound


@pytest.mark.parametrize("solver", ODE)
@pytest.mark.parametrize("name", ["flow", "vp_cosine", "ve"])
def test_convergence_order_is_the_claimed_one(name, solver):
    path, truth = path_of(name), Mixture()
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    grids = [smooth_grid(name, n) for n in (80, 160, 320)]
    exact = truth.flow(x, grids[0][0], grids[0][-1])
    errors = [(run(truth.denoise, path, grid, x, solver)[-1].xt - exact).abs().max().item() for grid in grids]
    slopes = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert slopes[-1] == pytest.approx(options.SOLVERS[solver].order, abs=0.15), (errors, slopes)


@pytest.mark.parametrize(
    ("solver", "values", "still", "else_"), [("unipc", 3, 4, 3), ("unipc", 2, 3, 3), ("deis", 3, 3, 2)]
)
def test_the_first_step_holds_a_chain_back_only_where_it_moves(solver, values, still, else_):
    """What the tips say: from σ = 80 the first step stands as good as still."""
    path, truth, found = path_of("vp_cosine"), Mixture(), []
    params = {"order": values, **({"variant": 1} if solver == "unipc" else {})}
    for noisiest in (80, 4.5):
        errors = []
        for steps in (320, 640):
            grid = smooth_grid("vp_cosine", steps, 2 * math.log(50), -2 * math.log(noisiest))
            x = grid[0].s * torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
            end = run(truth.denoise, path, grid, x, solver, params=params)[-1].xt
            errors.append((end - truth.flow(x, grid[0], grid[-1])).abs().max().item())
        found.append(math.log2(errors[0] / errors[1]))
    assert found == pytest.approx([still, else_], abs=0.15)


@pytest.mark.parametrize("name", PATH_NAMES)
def test_euler_is_ddim(name):
    path = path_of(name)
    grid = smooth_grid(name, 12)
    x = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = [run(Mixture().denoise, path, grid, x, s)[-1].xt for s in ("euler", "ddim")]
    torch.testing.assert_close(*ours, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("solver", ["ddpm", "ddpm_large", "dpmpp_2m_sde"])
@pytest.mark.parametrize("name", PATH_NAMES)
def test_ancestral_sampling_has_the_moments_of_the_data(name, solver):
    path, truth = path_of(name), Gaussian(0.4, 0.5)
    grid = [level(path, t) for t in np.linspace(1, 0, 1601)]
    n = 4000  # numbers, in 100 samples of 40 independent dimensions
    start = grid[0].a * truth.mean + truth.spread(grid[0]) * torch.randn(
        100, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    end = run(truth.denoise, path, grid, start, solver, seed=5)[-1].xt
    assert end.mean().item() == pytest.approx(0.4, abs=4 * 0.5 / math.sqrt(n) + 0.01)
    assert end.std().item() == pytest.approx(0.5, rel=0.05)


def point(x, at, cond):
    """The denoiser of data that are all one point; with a learned variance."""
    return Estimate(torch.full_like(x, 0.25), {"variance_range": torch.full_like(x, 0.3)})


@pytest.mark.parametrize("solver", list(solvers.SOLVERS))
def test_a_point_mass_is_reached_in_any_number_of_steps(solver):
    """D is that point, and every solver must land on it exactly; on a path that begins without signal, on one that
    begins with some, and on one whose signal never falls."""
    for name, steps in itertools.product(("flow", "mixing_uniform", "ve"), (1, 2, 7)):
        path = path_of(name)
        grid = [level(path, t) for t in np.linspace(1, 0, steps + 1)]
        x = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        chain = run(point, path, grid, x, solver)
        assert torch.isfinite(torch.stack([s.xt for s in chain])).all()
        torch.testing.assert_close(chain[-1].xt, torch.full_like(x, 0.25), rtol=1e-9, atol=1e-9)


STEEP = [
    PathSpec(name="vp_linear", params={"beta_end": 0.999}),
    PathSpec(name="mixing", params={"alpha": 0.9999, "decay": 0}),
    PathSpec(name="vp_linear", params={"beta_end": 0.1}),
]


@pytest.mark.parametrize("solver", list(solvers.SOLVERS))
def test_a_path_that_loses_all_signal_early_is_sampled_too(solver):
    """All within the bounds of the options: several levels with a = 0, or with a so small that s/a is huge."""
    for spec, dtype in itertools.product(STEEP, (torch.float32, torch.float64)):
        path = make_path(spec)
        grid = [level(path, t) for t in np.linspace(1, 0, 10)]
        assert grid[1].sigma > 1e4
        x = torch.randn(3, 2, dtype=dtype, generator=torch.Generator().manual_seed(1))
        chain = run(point, path, grid, x, solver)
        assert torch.stack([s.xt for s in chain]).abs().max() < 6
        torch.testing.assert_close(chain[-1].xt, torch.full_like(x, 0.25), rtol=1e-5, atol=1e-5)


def test_level_properties_at_the_ends():
    assert Level(0, 1, 0).log_snr == math.inf
    assert Level(1, 0, 1).log_snr == -math.inf
    assert Level(1, 0, 1).sigma == math.inf
