"""The order at which each solver converges, on a mixture of two Gaussians whose flow is known."""

from __future__ import annotations

import functools
import itertools
import math

import torch
from torch import Tensor

from diffstudio import options
from diffstudio.diffusion.brownian import BrownianNoise
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import Noise, SampleNoise
from diffstudio.diffusion.times import Level
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Gaussian, Mixture, even_levels, path_of

STEPS = (80, 160, 320)
PATHS = ("flow", "vp_cosine", "ve")
# More than the defaults that `options` promises an order for: (solver, its parameters, the order).
OTHERS: tuple[tuple[str, dict[str, float], float], ...] = (
    ("unipc", {"order": 1}, 2),
    ("unipc", {"order": 2, "variant": 1}, 3),
    ("deis", {"order": 1}, 1),
    ("deis", {"order": 4}, 2),
)
RTOL = 1e-6


def convergence() -> list[Row]:
    """log₂ of the error's fall from 160 to 320 steps, for every deterministic solver on three paths."""
    cases = [
        (name, {}, row.order)
        for name, row in options.SOLVERS.items()
        if row.order is not None and row.evals_per_step is not None
    ]
    rows = []
    for (solver, params, order), path in itertools.product([*cases, *OTHERS], PATHS):
        errors = [_error(path, steps, solver, params) for steps in STEPS]
        slope = math.log2(errors[-2] / errors[-1])
        note = "errors " + ", ".join(f"{e:.1e}" for e in errors) + " at 80, 160, 320 steps"
        rows.append(Row("order", _name(solver, params, path), slope, float(order or 0), 0.15, note))
    rows += [
        Row("order", f"rk45, {path}", _error(path, 4, "rk45", {"rtol": RTOL}), 50 * RTOL, note="error at rtol 1e-6")
        for path in PATHS
    ]
    return rows


def strong_convergence() -> list[Row]:
    """The same along one Brownian path: log₂ of the fall of the distance between chains of N and 2N steps."""
    return [
        Row("strong order", _name(solver, {}, "vp_cosine"), _strong(solver), 1.0, 0.15, "root mean square, one path")
        for solver in ("ddpm", "dpmpp_2m_sde")
    ]


def _name(solver: str, params: dict[str, float], path: str) -> str:
    numbers = "".join(f" {key} {value:g}" for key, value in params.items())
    return f"{solver}{numbers}, {path}"


@functools.cache
def _levels(path: str, steps: int) -> list[Level]:
    return even_levels(path_of(path), steps)


def _error(path: str, steps: int, solver: str, params: dict[str, float]) -> float:
    truth, grid = Mixture(), _levels(path, steps)
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    found = _end(truth, path, grid, x, SampleNoise(0, 9, (1,)), solver, params)
    return (found - truth.flow(x, grid[0], grid[-1])).abs().max().item()


def _strong(solver: str) -> float:
    x = torch.randn(40, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ends = []
    for steps in (40, 80, 160):
        grid = even_levels(path_of("vp_cosine"), steps, -4, 4)
        noise = BrownianNoise(7, 40, (20,), dtype=torch.float64)
        ends.append(_end(Gaussian(), "vp_cosine", grid, x, noise, solver, {}))
    coarse, fine = ((a - b).square().mean().sqrt().item() for a, b in itertools.pairwise(ends))
    return math.log2(coarse / fine)


def _end(
    truth: Gaussian | Mixture,
    path: str,
    grid: list[Level],
    x: Tensor,
    noise: Noise,
    solver: str,
    params: dict[str, float],
) -> Tensor:
    *_, last = reverse(truth.denoise, path_of(path), grid, x, noise, solver=solver, params=params)
    return last.xt
