"""Heun's method with EDM's churn."""

from __future__ import annotations

import dataclasses
import math

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, blend, forward_std, kept
from diffstudio.diffusion.solvers.first_order import euler
from diffstudio.diffusion.solvers.ode import MAX_SIGMA, clock_of, rescaled, slope
from diffstudio.diffusion.times import level


def heun(
    step: StepContext, s_churn: float = 0.0, s_tmin: float = 0.0, s_tmax: float = MAX_SIGMA, s_noise: float = 1.0
) -> Tensor:
    """Euler, then the mean of both slopes (Karras et al. 2022, algorithm 2); a last step to s′ = 0 stays Euler.

    Where s_tmin ≤ σ ≤ s_tmax the state is first raised to the level of σ̂ = (1 + min(s_churn/N, √2 − 1))·σ with fresh
    noise; D is asked again there, so that such a step makes three calls. Without churn it makes two.
    """
    if s_churn > 0 and s_tmin <= step.at.sigma <= s_tmax:
        step = _churned(step, s_churn, s_noise)
    guess = euler(step)
    if step.to.s == 0:
        return guess
    clock = clock_of(step.path, step.at, step.to)
    (m, u), (m_to, u_to) = rescaled(step.at, clock), rescaled(step.to, clock)
    (c, d), (c_to, d_to) = slope(step.at, clock), slope(step.to, clock)
    half = 0.5 * m_to * (u_to - u)
    # x̄′ = x̄ + (u′ − u)·(slope + slope′)/2
    second = step.denoise(guess, step.to)
    return blend(m_to / m + half * c, step.x, (half * d, step.x0_hat), (half * c_to, guess), (half * d_to, second))


def _churned(step: StepContext, s_churn: float, s_noise: float) -> StepContext:
    """The step from the raised level; never above the noisiest level of the path."""
    gamma = min(s_churn / step.steps, math.sqrt(2) - 1)
    log_snr = step.at.log_snr - 2 * math.log1p(gamma)
    raised = level(step.path, step.path.t_at_log_snr(log_snr))
    spread = forward_std(raised, step.at)
    if spread == 0:
        return step
    # The forward kernel from t to t̂: x̂ = (â/a)·x + √(ŝ² − (â/a)²s²)·z
    x = blend(kept(raised, step.at), step.x, (s_noise * spread, step.noise(raised, step.at)))
    return dataclasses.replace(step, x=x, x0_hat=step.denoise(x, raised), at=raised)
