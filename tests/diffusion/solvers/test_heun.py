"""Heun's method with churn against algorithm 2 of Karras et al. 2022."""

from __future__ import annotations

import math

import pytest
import torch
from exact import Gaussian, Mixture

from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level, levels
from diffstudio.specs import PathSpec

VE = make_path(PathSpec(name="ve", params={"sigma_max": 80}))


def test_it_counts_two_calls_a_step_but_one_for_the_last():
    path = make_path(PathSpec(name="flow"))
    chain = reverse(
        Gaussian().denoise, path, levels(path, 5), torch.zeros(1, 1), SampleNoise(0, 1, (1,)), solver="heun"
    )
    assert [s.nfe for s in chain] == [1, 3, 5, 7, 9, 9]


def test_churn_is_algorithm_2():
    """Line by line, in σ with a = 1 and the same noise."""
    params = {"s_churn": 40.0, "s_tmin": 0.05, "s_tmax": 50.0, "s_noise": 1.003}
    grid, truth, n = levels(VE, 18, "karras"), Mixture(), 18
    start = 80 * torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    noise = SampleNoise(9, 4, (3,), dtype=torch.float64)
    chain = list(reverse(truth.denoise, VE, grid, start, noise, solver="heun", params=params))
    replayed = SampleNoise(9, 4, (3,), dtype=torch.float64)
    x, calls = start, 0
    for i in range(n):
        t, t_next = grid[i].s, grid[i + 1].s
        gamma = min(params["s_churn"] / n, math.sqrt(2) - 1) if params["s_tmin"] <= t <= params["s_tmax"] else 0
        t_hat = t + gamma * t
        eps = params["s_noise"] * replayed.draw() if gamma else 0
        x_hat = x + math.sqrt(t_hat**2 - t**2) * eps
        d = (x_hat - truth.denoise(x_hat, level(VE, t_hat / 80))) / t_hat
        x = x_hat + (t_next - t_hat) * d
        calls += 2 if gamma else 1  # a churned step asks again at the raised level
        if t_next:
            d_next = (x - truth.denoise(x, grid[i + 1])) / t_next
            x = x_hat + (t_next - t_hat) * (d + d_next) / 2
            calls += 1
        torch.testing.assert_close(chain[i + 1].xt, x, rtol=1e-8, atol=1e-8)
    assert chain[-1].nfe == calls


def test_no_churn_is_the_plain_method():
    path = make_path(PathSpec(name="vp_cosine"))
    runs = []
    for params in ({}, {"s_churn": 50.0, "s_tmin": 5e3, "s_tmax": 6e3}):  # the second has no level to churn
        noise = SampleNoise(0, 2, (3,))
        runs.append(
            list(
                reverse(Mixture().denoise, path, levels(path, 6), torch.ones(2, 3), noise, solver="heun", params=params)
            )
        )
    assert torch.equal(runs[0][-1].xt, runs[1][-1].xt)


@pytest.mark.parametrize("name", ["flow", "vp_linear", "vp_cosine", "mixing"])
def test_churn_keeps_the_law_of_the_data_on_every_path(name):
    """Raised and lowered again, the samples are still those of the Gaussian; none is raised beyond the path."""
    path, truth = make_path(PathSpec(name=name)), Gaussian(0.4, 0.5)
    noise = SampleNoise(2, 100, (40,), dtype=torch.float64)
    low = max(-8.0, level(path, 1).log_snr)
    grid = [level(path, path.t_at_log_snr(low + (8 - low) * i / 200)) for i in range(201)] + [level(path, 0)]
    start = grid[0].a * truth.mean + truth.spread(grid[0]) * noise.draw()
    *_, last = reverse(truth.denoise, path, grid, start, noise, solver="heun", params={"s_churn": 60.0})
    assert last.xt.mean().item() == pytest.approx(0.4, abs=4 * 0.5 / math.sqrt(4000) + 0.01)
    assert last.xt.std().item() == pytest.approx(0.5, rel=0.05)
    assert last.nfe > 2.5 * 200
