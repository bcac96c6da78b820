"""The steps of consistency models."""

from __future__ import annotations

import math

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, forward_std
from diffstudio.diffusion.solvers.first_order import unified
from diffstudio.diffusion.times import level


def lcm(step: StepContext) -> Tensor:
    """x′ = a′·x̂0 + s′·z: all noise is drawn anew (Song et al. 2023, algorithm 1; Luo et al. 2023 for latents)."""
    mean = unified(step, step.to.s)
    return mean.add_(step.z(), alpha=step.to.s) if step.to.s > 0 else mean


def tcd(step: StepContext, gamma: float = 0.3) -> Tensor:
    """DDIM past t′ to (1 − γ)·t′, then noise up to t′ again (Zheng et al. 2024, trajectory consistency, algorithm 4).

    γ = 0 is DDIM; on a table (1 − γ)·t′ is rounded down to a whole training step, as diffusers has it.
    """
    to, path = step.to, step.path
    if to.s == 0:
        return unified(step)
    past = (1 - gamma) * to.t if path.n is None else path.t_at_timestep(math.floor((1 - gamma) * path.timestep(to.t)))
    # x′ = (a′/a_s)·x_s + √(s′² − (a′/a_s)²·s_s²)·z
    spread = forward_std(to, level(path, min(past, to.t)))
    mean = unified(step, spread)
    return mean.add_(step.z(), alpha=spread) if spread > 0 else mean
