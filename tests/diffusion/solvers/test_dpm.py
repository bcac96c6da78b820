"""DPM-Solver++ against the paper's equations, and where the shipped third order falls short."""

from __future__ import annotations

import math

import pytest
import torch
from exact import Mixture

from diffstudio.diffusion import solvers
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, level
from diffstudio.specs import PathSpec

PATH = make_path(PathSpec(name="vp_cosine"))
X = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
Z = torch.tensor([[0.3], [-1.2], [0.0], [2.0], [-0.4]], dtype=torch.float64)


def lam(at):
    return math.log(at.a / at.s)


def context(times, denoise, x=X):
    """A step between the last two times, with the ones before as its past, each with a state of its own."""
    *before, at, to = (level(PATH, t) for t in times)
    past = [
        solvers.Past(level_, x * (1.1 + 0.1 * i), denoise(x * (1.1 + 0.1 * i), level_))
        for i, level_ in enumerate(before)
    ]
    return solvers.StepContext(x, denoise(x, at), at, to, PATH, denoise, lambda *_: Z, past, steps=10)


def test_dpmpp_2m_is_algorithm_2():
    """Lu et al. 2022 b, written in λ = log(α/σ) as in the paper."""
    step = context((0.8, 0.7, 0.55), Mixture().denoise)
    h, h_before = lam(step.to) - lam(step.at), lam(step.at) - lam(step.past[-1].level)
    r = h_before / h
    blend = (1 + 1 / (2 * r)) * step.x0_hat - 1 / (2 * r) * step.past[-1].x0_hat
    paper = step.to.s / step.at.s * X - step.to.a * (math.exp(-h) - 1) * blend
    torch.testing.assert_close(solvers.dpmpp_2m(step), paper, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("eta", [0.3, 1.0])
@pytest.mark.parametrize("variant", [1, 2])
def test_dpmpp_2m_sde_is_that_of_k_diffusion(eta, variant):
    """`sample_dpmpp_2m_sde` written out: there a = 1, so x and the noise are divided by a."""
    step = context((0.8, 0.7, 0.55), Mixture().denoise)
    sigma, sigma_to = step.at.s / step.at.a, step.to.s / step.to.a
    h, h_last = lam(step.to) - lam(step.at), lam(step.at) - lam(step.past[-1].level)
    r, h_eta = h_last / h, eta * h
    x = sigma_to / sigma * math.exp(-h_eta) * (X / step.at.a) - math.expm1(-h - h_eta) * step.x0_hat
    change = (step.x0_hat - step.past[-1].x0_hat) / r
    x += (-math.expm1(-h - h_eta) / (-h - h_eta) + 1 if variant == 2 else -0.5 * math.expm1(-h - h_eta)) * change
    x += Z * sigma_to * math.sqrt(-math.expm1(-2 * h_eta))
    torch.testing.assert_close(solvers.dpmpp_2m_sde(step, eta, variant), step.to.a * x, rtol=1e-12, atol=1e-12)


def test_dpmpp_2s_is_algorithm_1():
    """With r = ½: the middle in λ, then a step with the x̂0 found there."""
    truth, asked = Mixture(), []

    def denoise(x, at):
        asked.append((x, at))
        return truth.denoise(x, at)

    step = context((0.7, 0.55), denoise)
    asked.clear()
    found = solvers.dpmpp_2s(step)
    ((x_middle, middle),) = asked
    h = lam(step.to) - lam(step.at)
    assert lam(middle) == pytest.approx(lam(step.at) + h / 2)
    u = middle.s / step.at.s * X - middle.a * math.expm1(-h / 2) * step.x0_hat
    torch.testing.assert_close(x_middle, u, rtol=1e-9, atol=1e-9)
    paper = step.to.s / step.at.s * X - step.to.a * math.expm1(-h) * truth.denoise(u, middle)
    torch.testing.assert_close(found, paper, rtol=1e-9, atol=1e-9)


def _exact(step, x0_of_lam):
    """x′ = (s′/s)·x + s′·∫ e^λ·x̂0(λ) dλ by Simpson's rule."""
    grid = torch.linspace(lam(step.at), lam(step.to), 2001, dtype=torch.float64)
    values = grid.exp() * x0_of_lam(grid)
    simpson = torch.ones(2001, dtype=torch.float64)
    simpson[1:-1:2], simpson[2:-1:2] = 4, 2
    return step.to.s / step.at.s * X + step.to.s * (simpson * values).sum() * (grid[1] - grid[0]) / 3


@pytest.mark.parametrize(
    ("solver", "degree", "exact"),
    [
        ("dpmpp_2m", 0, True),
        ("dpmpp_3m", 1, True),
        ("dpmpp_3m", 2, False),
        ("dpmpp_3m_true", 2, True),
        ("dpmpp_3m_true", 3, False),
    ],
)
def test_a_multistep_method_is_exact_where_x0_hat_is_a_polynomial(solver, degree, exact):
    """In λ, up to the degree that its order means: the shipped 3M misses the parabola, the true one has it."""

    def x0_of_lam(lam_):
        return 0.3 + 0.8 * lam_**degree

    def denoise(x, at):
        return torch.full_like(x, x0_of_lam(lam(at)))

    step = context((0.85, 0.75, 0.68, 0.55), denoise)
    error = (solvers.SOLVERS[solver](step) - _exact(step, x0_of_lam)).abs().max().item()
    assert (error < 1e-10) == exact
    assert error < 0.05


@pytest.mark.parametrize("end", [Level(0, 1, 0), Level(0.1, 0.9, math.sqrt(0.19))])
@pytest.mark.parametrize(
    "solver", ["dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m", "dpmpp_3m_true", "unipc", "deis", "dpmpp_2s"]
)
def test_ends_of_the_path_are_steps_too(solver, end):
    """From pure noise (λ = −∞) and to clean data (λ = ∞), where h is infinite."""
    start = Level(1, 0, 1)
    step = solvers.StepContext(
        X, torch.full_like(X, 0.5), start, end, PATH, lambda x, at: torch.full_like(x, 0.5), lambda *_: Z
    )
    found = solvers.SOLVERS[solver](step)
    noise = Z if solver == "dpmpp_2m_sde" else X  # the SDE's chain keeps nothing over an infinite h
    torch.testing.assert_close(found, end.a * 0.5 + end.s * noise, rtol=1e-12, atol=1e-12)
