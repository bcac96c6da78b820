"""First-order steps, with and without fresh noise."""

from __future__ import annotations

import math

from torch import Tensor

from diffstudio.diffusion.denoiser import UNBOUNDED
from diffstudio.diffusion.solvers.context import StepContext, blend, forward_std, posterior_std
from diffstudio.diffusion.solvers.ode import clock_of, rescaled, slope
from diffstudio.errors import BadInput


def unified(step: StepContext, eta: float = 0.0) -> Tensor:
    """x′ = a′·x̂0 + √(s′² − η²)·ε̂, without the fresh noise; η is in units of x."""
    at, to = step.at, step.to
    # ε̂ = (x − a·x̂0)/s
    c = math.sqrt(max(0.0, to.s**2 - eta**2)) / at.s
    if UNBOUNDED in step.extras:
        return blend(c, step.x, (to.a, step.x0_hat), (-c * at.a, step.extras[UNBOUNDED]))
    return blend(c, step.x, (to.a - c * at.a, step.x0_hat))


def ddim(step: StepContext, eta: float = 0.0) -> Tensor:
    """Song et al. 2020, eq. 12 and 16."""
    spread = eta * posterior_std(step.at, step.to)
    mean = unified(step, spread)
    return mean.add_(step.z(), alpha=spread) if spread > 0 else mean


def ddpm(step: StepContext) -> Tensor:
    """Ancestral step with the posterior variance β̃ (Ho et al. 2020, eq. 6-7)."""
    return ddim(step, eta=1.0)


def ddpm_large(step: StepContext) -> Tensor:
    """Ancestral step with the forward variance β instead of β̃ (Ho et al. 2020, section 3.2); no noise at the data."""
    mean = unified(step, posterior_std(step.at, step.to))
    return mean.add_(step.z(), alpha=forward_std(step.at, step.to)) if step.to.s > 0 else mean


def ddpm_learned(step: StepContext) -> Tensor:
    """Ancestral step with the variance exp(v·log β + (1 − v)·log β̃), v from the network.

    Nichol & Dhariwal 2021, eq. 15.

    Raises:
        BadInput: the network gives no v.
    """
    v = step.extras.get("variance_range")
    if v is None:
        raise BadInput("this solver needs a network that has learned its variance: choose 'ddpm' instead")
    small, large = posterior_std(step.at, step.to), forward_std(step.at, step.to)
    mean = unified(step, small)
    if small == 0:
        return mean
    # √ of the variance: √β̃·(√β/√β̃)^v
    return mean.addcmul_((v * math.log(large / small)).exp_(), step.z(), value=small)


def euler(step: StepContext) -> Tensor:
    """x̄′ = x̄ + (u′ − u)·dx̄/du (Karras et al. 2022, algorithm 1 without the correction)."""
    clock = clock_of(step.path, step.at, step.to)
    (m, u), (m_to, u_to) = rescaled(step.at, clock), rescaled(step.to, clock)
    c, d = slope(step.at, clock)
    return blend(m_to * (1 / m + (u_to - u) * c), step.x, (m_to * (u_to - u) * d, step.x0_hat))


def euler_ancestral(step: StepContext, eta: float = 1.0) -> Tensor:
    """Euler down to σ_down, then up by σ_up = η·σ′·√(1 − σ′²/σ²) (k-diffusion, `sample_euler_ancestral`).

    With σ = s/a, a′·σ_up is the √β̃ of `posterior_std` times η and a′·σ_down is √(s′² − η²β̃): it is DDIM(η) on every
    path, known by another name and with another default.
    """
    return ddim(step, eta)
