"""Solvers: one step from a level (t, a, s) to the next, t′ < t. Each is a function in the one formula

    ε̂ = (x − a·x̂0)/s;   x′ = a′·x̂0 + √(s′² − η²)·ε̂ + η·z

and the rows of `diffstudio.options.SOLVERS` name them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import Level

MAX_SIGMA = 1e4  # the largest σ that serves as an ODE's clock


@dataclass(frozen=True)
class Past:
    """An earlier state of the chain, with what was predicted there. x, x0_hat: (B, …)."""

    level: Level
    x: Tensor
    x0_hat: Tensor


@dataclass(frozen=True)
class StepContext:
    """What a solver sees of a step.

    x: x_t, (B, …).  x0_hat: D(x_t), already evaluated.  at, to: the two levels.  path: for levels between them.
    denoise: D with its condition bound, for solvers that evaluate again; x̂0 alone.
    noise: draws z, (B, …), for a step between two levels.
    past: the last states of this chain, newest last.  remaining: steps after this one.
    memory: what a solver keeps from one step of this chain to the next.
    extras: what the denoiser gave beside x̂0 (see `denoiser.Estimate`).
    """

    x: Tensor
    x0_hat: Tensor
    at: Level
    to: Level
    path: Path
    denoise: Callable[[Tensor, Level], Tensor]
    noise: Callable[[Level, Level], Tensor]
    past: Sequence[Past] = ()
    remaining: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def z(self) -> Tensor:
        """The noise of this whole step."""
        return self.noise(self.at, self.to)


Solver = Callable[..., Tensor]


def eps_hat(x: Tensor, x0_hat: Tensor, at: Level) -> Tensor:
    """ε̂ = (x − a·x̂0)/s."""
    return (x - at.a * x0_hat) / at.s


def kept(at: Level, to: Level) -> float:
    """a/a′: how much of x_{t′} is in x_t; none where no signal is left at either (a steep path ends in such levels)."""
    return at.a / to.a if to.a > 0 else 0.0


def posterior_std(at: Level, to: Level) -> float:
    """√β̃ = s′·√(1 − (s′a/(a′s))²): the spread of q(x_{t′} | x_t, x_0) (Ho et al. 2020, eq. 7)."""
    return to.s * math.sqrt(max(0.0, 1 - (kept(at, to) * to.s / at.s) ** 2))


def forward_std(at: Level, to: Level) -> float:
    """√(s² − (a/a′)²·s′²): the noise that the forward chain adds from t′ to t; √β_t on a VP path."""
    return math.sqrt(max(0.0, at.s**2 - (kept(at, to) * to.s) ** 2))


def _unified(step: StepContext, eta: float) -> Tensor:
    """x′ = a′·x̂0 + √(s′² − η²)·ε̂, without the fresh noise."""
    eps = eps_hat(step.x, step.x0_hat, step.at)
    return step.to.a * step.x0_hat + math.sqrt(max(0.0, step.to.s**2 - eta**2)) * eps


def ddim(step: StepContext, eta: float = 0.0) -> Tensor:
    """Song et al. 2020, eq. 12 and 16."""
    spread = eta * posterior_std(step.at, step.to)
    mean = _unified(step, spread)
    return mean + spread * step.z() if spread > 0 else mean


def ddpm(step: StepContext) -> Tensor:
    """Ancestral step with the posterior variance β̃ (Ho et al. 2020, eq. 6-7)."""
    return ddim(step, eta=1.0)


def ddpm_large(step: StepContext) -> Tensor:
    """Ancestral step with the forward variance β instead of β̃ (Ho et al. 2020, section 3.2); no noise at the data."""
    mean = _unified(step, posterior_std(step.at, step.to))
    return mean + forward_std(step.at, step.to) * step.z() if step.to.s > 0 else mean


def _clock(step: StepContext) -> str:
    # σ = s/a grows without bound where the signal ends, and the differences below would drown in rounding.
    return "flow" if step.at.sigma > MAX_SIGMA else step.path.clock


def _rescaled(at: Level, clock: str) -> tuple[float, float]:
    """(m, u): x̄ = x/m moves on straight lines in the time u; m = a for σ = s/a, m = a + s for the flow clock."""
    m = at.a if clock == "sigma" else at.a + at.s
    return m, at.s / m


def _slope(x: Tensor, x0_hat: Tensor, at: Level, clock: str) -> Tensor:
    """dx̄/du of the probability-flow ODE: ε̂ in σ, ε̂ − x̂0 in the flow clock."""
    eps = eps_hat(x, x0_hat, at)
    return eps if clock == "sigma" else eps - x0_hat


def euler(step: StepContext) -> Tensor:
    """x̄′ = x̄ + (u′ − u)·dx̄/du (Karras et al. 2022, algorithm 1 without the correction)."""
    clock = _clock(step)
    m, u = _rescaled(step.at, clock)
    m_to, u_to = _rescaled(step.to, clock)
    return m_to * (step.x / m + (u_to - u) * _slope(step.x, step.x0_hat, step.at, clock))


def heun(step: StepContext) -> Tensor:
    """Euler, then the mean of both slopes (Karras et al. 2022, algorithm 1); a last step to s′ = 0 stays Euler."""
    guess = euler(step)
    if step.to.s == 0:
        return guess
    clock = _clock(step)
    m, u = _rescaled(step.at, clock)
    m_to, u_to = _rescaled(step.to, clock)
    first = _slope(step.x, step.x0_hat, step.at, clock)
    second = _slope(guess, step.denoise(guess, step.to), step.to, clock)
    return m_to * (step.x / m + (u_to - u) * 0.5 * (first + second))


def dpmpp_2m(step: StepContext) -> Tensor:
    """x′ = (s′/s)·x + a′(1 − e^{−h})·D, D = x̂0 + (x̂0 − x̂0_prev)/(2r), h = Δλ, r = h_prev/h (Lu et al. 2022, alg. 2).

    First order at the first step and where h or h_prev is infinite (the ends s′ = 0 and a = 0).
    """
    first_order = _unified(step, 0.0)
    if not step.past or step.to.s == 0:
        return first_order
    before, x0_before = step.past[-1].level, step.past[-1].x0_hat
    if before.a == 0 or step.at.a == 0:
        return first_order
    h = 0.5 * (step.to.log_snr - step.at.log_snr)  # Δλ, λ = log(a/s)
    h_before = 0.5 * (step.at.log_snr - before.log_snr)
    # 1 − e^{−h} = 1 − (a/s)·(s′/a′)
    gain = step.to.a * -math.expm1(-h)
    return first_order + gain * (h / (2 * h_before)) * (step.x0_hat - x0_before)


SOLVERS: dict[str, Solver] = {
    "dpmpp_2m": dpmpp_2m,
    "ddim": ddim,
    "ddpm": ddpm,
    "ddpm_large": ddpm_large,
    "euler": euler,
    "heun": heun,
}
