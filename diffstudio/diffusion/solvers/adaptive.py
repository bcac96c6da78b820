"""An adaptive Runge-Kutta method, the reference that the others are held against."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, blend
from diffstudio.diffusion.solvers.ode import Clock, clock_of, rescaled, slope
from diffstudio.diffusion.times import Level, level

# Dormand & Prince 1980, table 2: the stages, the weights of order 5 (the last row) and their difference to order 4.
NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
SHORTEST = 1e-3  # share of the step between two levels; below it rounding, not the method, makes the error
LAST = 1e-3  # of σ that a step to the data leaves to its first-order end


def rk45(step: StepContext, rtol: float = 1e-4) -> Tensor:
    """Dormand-Prince 5(4) from level to level, with as many steps as the tolerance wants.

    The error of a step is estimated for each sample (root mean square, relative to rtol·(1 + |x̄|)) and the worst one
    decides. This is the one solver that asks the device a question. The step to s′ = 0 ends with a first-order one
    from a thousandth of its σ.
    """
    clock = clock_of(step.path, step.at, step.to)
    (m, u), (m_to, u_to) = rescaled(step.at, clock), rescaled(step.to, clock)
    end = u_to if step.to.s > 0 else LAST * u
    if u == end:  # levels where a = 0 follow each other
        return step.x * (m_to / m)
    x, k = step.x / m, _slope(step.x, step.x0_hat, step.at, clock)
    span = end - u
    share = min(step.memory.get("du", span) / span, 1.0)  # of the way to the end, in one step of its own
    left = 1.0
    while left > 0:
        du = share * span
        new, k_new, error = _trial(step, x, k, end - left * span, du, clock, rtol)
        if error <= 1 or share <= SHORTEST:
            x, k, left = new, k_new, left - share if share < left else 0.0
            step.memory["du"] = du
        # The usual controller of order 5, with its safety factor (Hairer, Nørsett & Wanner 1993, II.4).
        share *= min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
        share = min(max(share, SHORTEST), left)
    # Only a step to the data has a way left.
    return blend(m_to, x, (m_to * (u_to - end), k)) if end != u_to else x * m_to


def _slope(x: Tensor, x0_hat: Tensor, at: Level, clock: Clock) -> Tensor:
    c, d = slope(at, clock)
    return blend(c, x, (d, x0_hat))


def _trial(
    step: StepContext, x: Tensor, k: Tensor, u: float, du: float, clock: Clock, rtol: float
) -> tuple[Tensor, Tensor, float]:
    """(x̄ after du, its slope, the error in units of the tolerance)."""
    slopes, stage = [k], x
    for node, row in zip(NODES[1:], STAGES[1:], strict=True):
        stage = blend(1.0, x, *((du * w, dx) for w, dx in zip(row, slopes, strict=True)))
        at = _level(step, u + node * du, clock)
        xt = stage * rescaled(at, clock)[0]
        slopes.append(_slope(xt, step.denoise(xt, at), at, clock))
    miss = blend(du * ERROR[0], slopes[0], *((du * w, dx) for w, dx in zip(ERROR[1:], slopes[1:], strict=True)))
    share = miss / (rtol * (1 + torch.maximum(x.abs(), stage.abs())))
    return stage, slopes[-1], share.square().flatten(1).mean(1).amax().sqrt().item()


def _level(step: StepContext, u: float, clock: Clock) -> Level:
    """The level of the path at the clock's u."""
    sigma = u if clock == "sigma" else u / (1 - u)
    return level(step.path, step.path.t_at_log_snr(-2 * math.log(sigma)))
