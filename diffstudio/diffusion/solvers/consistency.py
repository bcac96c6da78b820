"""The step of consistency models."""

from __future__ import annotations

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext
from diffstudio.diffusion.solvers.first_order import unified


def lcm(step: StepContext) -> Tensor:
    """x′ = a′·x̂0 + s′·z: all noise is drawn anew (Song et al. 2023, algorithm 1; Luo et al. 2023 for latents)."""
    mean = unified(step, step.to.s)
    return mean.add_(step.z(), alpha=step.to.s) if step.to.s > 0 else mean
