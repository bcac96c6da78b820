"""Mean and standard deviation of forward chains and of ancestral sampling, against closed forms."""

from __future__ import annotations

import math

import torch

from diffstudio.diffusion.chain import forward_markov, reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import PATHS
from diffstudio.diffusion.times import level, levels
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Gaussian, path_of

SAMPLES, WIDTH = 100, 100  # 10,000 numbers
ANCESTRAL = ("ddpm", "ddpm_large", "euler_ancestral", "dpmpp_2m_sde")
STEPS = 400


def forward_moments() -> list[Row]:
    """The worst deviation from a·x_0 and s over the Markov chain, in standard errors."""
    rows = []
    for name in PATHS:
        path = path_of(name)
        x0 = torch.full((SAMPLES, WIDTH), 0.8, dtype=torch.float64)
        noise = SampleNoise(3, SAMPLES, (WIDTH,), dtype=torch.float64)
        worst = 0.0
        for step in list(forward_markov(x0, levels(path, 10)[::-1], noise, path.theta))[1:]:
            error = step.level.s / math.sqrt(x0.numel())
            worst = max(worst, abs(step.xt.mean().item() - 0.8 * step.level.a) / error)
            worst = max(worst, abs(step.xt.std().item() - step.level.s) / (error / math.sqrt(2)))
        rows.append(Row("moments", f"forward chain, {name}", worst, 4.5, note="worst of 20, in standard errors"))
    return rows


def ancestral_moments() -> list[Row]:
    """Mean and standard deviation of samples of a Gaussian after 400 steps."""
    truth = Gaussian()
    rows = []
    for name in ("flow", "vp_cosine"):
        path = path_of(name)
        grid = [level(path, 1 - i / STEPS) for i in range(STEPS + 1)]
        for solver in ANCESTRAL:
            noise = SampleNoise(5, SAMPLES, (WIDTH,), dtype=torch.float64)
            *_, last = reverse(truth.denoise, path, grid, grid[0].s * noise.draw(), noise, solver=solver)
            for what, measured, expected in (
                ("mean", last.xt.mean().item(), truth.mean),
                ("standard deviation", last.xt.std().item(), truth.std),
            ):
                rows.append(Row("moments", f"{what} by {solver}, {name}", measured, expected, 0.02))
    return rows
