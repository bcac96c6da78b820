"""Solvers that are one and the same by algebra, run side by side in float64 with the same noise."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Mixture, even_levels, far, path_of

BOUND = 1e-10
SAMPLES, WIDTH, STEPS = 6, 5, 12
Run = tuple[str, dict[str, float]]

SAME: tuple[tuple[str, Run, Run], ...] = (
    ("DDPM is DDIM with η = 1", ("ddpm", {}), ("ddim", {"eta": 1.0})),
    ("Euler ancestral is DDIM with η = 1", ("euler_ancestral", {}), ("ddim", {"eta": 1.0})),
    ("Euler ancestral with η = 0 is Euler", ("euler_ancestral", {"eta": 0.0}), ("euler", {})),
    ("Euler is DDIM", ("euler", {}), ("ddim", {})),
    ("DEIS of one value is DDIM", ("deis", {"order": 1}), ("ddim", {})),
    ("2M SDE with η = 0 is 2M", ("dpmpp_2m_sde", {"eta": 0.0}), ("dpmpp_2m", {})),
)


def identities() -> list[Row]:
    """The largest relative difference of each pair on four paths, and of DDIM between the paths after rescaling."""
    rows = []
    for path in ("flow", "vp_linear", "vp_cosine", "ve"):
        for name, one, other in SAME:
            rows.append(Row("identity", f"{name}, {path}", far(_end(path, *one), _end(path, *other)), BOUND))
    rescaled = "states rescaled to equal log-SNR"
    for solver, other in (("ddim", "ddim"), ("ddim", "euler"), ("dpmpp_2m", "dpmpp_2m"), ("unipc", "unipc")):
        for path in ("vp_cosine", "ve"):
            difference = far(_data_scale(path, solver), _data_scale("flow", other))
            rows.append(Row("identity", f"{solver} on {path} is {other} on flow", difference, BOUND, note=rescaled))
    return rows


def _data_scale(path: str, solver: str) -> Tensor:
    """The end of the chain from the same point of σ = s/a, divided by a."""
    return _end(path, solver, {}) / even_levels(path_of(path), STEPS)[-1].a


def _end(path: str, solver: str, params: dict[str, float]) -> Tensor:
    grid = even_levels(path_of(path), STEPS)
    x = grid[0].a * 3 * torch.randn(SAMPLES, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    noise = SampleNoise(2, SAMPLES, (WIDTH,), dtype=torch.float64)
    *_, last = reverse(Mixture().denoise, path_of(path), grid, x, noise, solver=solver, params=params)
    return last.xt
