"""UniPC: what it predicts, what it corrects."""

from __future__ import annotations

import math

import pytest
import torch
from exact import Mixture

from diffstudio.diffusion import solvers
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.specs import PathSpec

PATH = make_path(PathSpec(name="vp_cosine"))
X = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
DENOISE = Mixture().denoise
GRID = [level(PATH, t) for t in (0.9, 0.8, 0.7, 0.62, 0.5)]


def chain(solver, params=None, denoise=DENOISE, grid=GRID):
    noise = SampleNoise(0, len(X), (1,), dtype=torch.float64)
    return list(reverse(denoise, PATH, grid, X, noise, solver=solver, params=params))


def test_its_first_prediction_is_ddim():
    for order in (1, 2, 3):
        torch.testing.assert_close(chain("unipc", {"order": order})[1].xt, chain("ddim")[1].xt, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("variant", "b"), [(1, lambda h: h), (2, lambda h: -math.expm1(-h))])
def test_the_first_correction_is_that_of_the_paper(variant, b):
    """UniC-1: x = (s/s_prev)·x_prev + a(1 − e^{−h})·x̂0_prev + a·B(h)/2·(x̂0 − x̂0_prev), seen through the next step."""
    first, second, third = chain("unipc", {"order": 1, "variant": variant}, grid=GRID[:3])
    at, to = GRID[:2]
    h = 0.5 * (to.log_snr - at.log_snr)
    corrected = to.s / at.s * X - to.a * math.expm1(-h) * first.x0_hat
    corrected = corrected + to.a * b(h) / 2 * (second.x0_hat - first.x0_hat)
    onward = solvers.StepContext(corrected, second.x0_hat, GRID[1], GRID[2], PATH, DENOISE, lambda *_: X)
    torch.testing.assert_close(third.xt, solvers.ddim(onward), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("order", "degree"), [(2, 2), (3, 3)])
def test_the_corrector_is_exact_for_a_polynomial_of_its_degree(order, degree):
    """Where x̂0 depends on λ alone, the corrected x is the exact one once there are enough values behind it."""

    def x0(lam):
        return 0.2 + 0.5 * lam**degree

    def denoise(x, at, cond=None):
        return torch.full_like(x, x0(0.5 * at.log_snr))

    *_, before, last = chain("unipc", {"order": order}, denoise)
    # The last prediction starts from the corrected state: undo it. Its own predictor has `order` values.
    at, to = GRID[-2:]
    h = 0.5 * (to.log_snr - at.log_snr)
    nodes = [0.0] + [0.5 * (GRID[-2 - i].log_snr - at.log_snr) / h for i in range(1, order)]
    values = [x0(0.5 * GRID[-2 - i].log_snr) for i in range(order)]
    if order == 2:
        trend = 0.5 * -math.expm1(-h) * (values[1] - values[0]) / nodes[1]
        predicted = to.a * (-math.expm1(-h) * values[0] + trend)
    else:
        w = solvers.integrals.weights(nodes, h)
        predicted = to.a * h * sum(a * b for a, b in zip(w, values, strict=True))
    corrected = (last.xt - predicted) * at.s / to.s
    # The exact step to it from the corrected state before, whose error is what is left of the start.
    exact_step = _integral(GRID[-3], at, x0)
    assert not torch.allclose(before.xt, corrected, atol=1e-6)
    start = _corrected_before(order, denoise)
    torch.testing.assert_close(corrected, at.s / GRID[-3].s * start + exact_step, rtol=1e-9, atol=1e-9)


def _integral(at, to, x0):
    """s′·∫ e^λ·x̂0(λ) dλ by Simpson's rule."""
    grid = torch.linspace(0.5 * at.log_snr, 0.5 * to.log_snr, 2001, dtype=torch.float64)
    simpson = torch.ones(2001, dtype=torch.float64)
    simpson[1:-1:2], simpson[2:-1:2] = 4, 2
    return to.s * (simpson * grid.exp() * x0(grid)).sum() * (grid[1] - grid[0]) / 3


def _corrected_before(order, denoise):
    """The corrected state from which the last but one prediction started, as the solver remembers it."""
    kept = []

    def spy(step, **params):
        found = solvers.unipc(step, **params)
        kept.append(step.memory["unipc"][0])
        return found

    solvers.SOLVERS["spy"] = spy
    try:
        chain("spy", {"order": order}, denoise)
    finally:
        del solvers.SOLVERS["spy"]
    return kept[-2]
