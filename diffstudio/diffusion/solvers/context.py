"""What a solver sees of a step, and the few quantities of two levels that all of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import Level


@dataclass(frozen=True)
class Past:
    """An earlier state of the chain, with what was predicted there. x, x0_hat: (B, …)."""

    level: Level
    x: Tensor
    x0_hat: Tensor


class Ask(Protocol):
    """A denoiser with its condition bound."""

    def __call__(self, x: Tensor, at: Level, rows: Tensor | None = None) -> Tensor:
        """x̂0 of x, (b, …). rows: which samples of the batch x holds, (b,); None is all of them in their order."""
        ...


@dataclass(frozen=True)
class StepContext:
    """What a solver sees of a step.

    x: x_t, (B, …).  x0_hat: D(x_t), already evaluated.  at, to: the two levels.  path: for levels between them.
    denoise: D with its condition bound, for solvers that evaluate again; x̂0 alone.
    noise: draws z, (B, …), for a step between two levels.
    past: the last states of this chain, newest last.  steps: of the whole chain.
    memory: what a solver keeps from one step of this chain to the next.
    extras: what the denoiser gave beside x̂0 (see `denoiser.Estimate`).
    say: tells who runs the chain what a solver could not do as it was asked, in one sentence.
    """

    x: Tensor
    x0_hat: Tensor
    at: Level
    to: Level
    path: Path
    denoise: Ask
    noise: Callable[[Level, Level], Tensor]
    past: Sequence[Past] = ()
    steps: int = 1
    memory: dict[str, Any] = field(default_factory=dict)
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    say: Callable[[str], None] = lambda sentence: None

    def z(self) -> Tensor:
        """The noise of this whole step."""
        return self.noise(self.at, self.to)


Solver = Callable[..., Tensor]


def blend(c: float, x: Tensor, *terms: tuple[float, Tensor]) -> Tensor:
    """c·x + Σ w·y: one kernel for each term, into one new tensor."""
    out = x * c
    for w, y in terms:
        out.add_(y, alpha=w)
    return out


def eps_hat(x: Tensor, x0_hat: Tensor, at: Level) -> Tensor:
    """ε̂ = (x − a·x̂0)/s."""
    return blend(1 / at.s, x, (-at.a / at.s, x0_hat))


def kept(at: Level, to: Level) -> float:
    """a/a′: how much of x_{t′} is in x_t; none where no signal is left at either (a steep path ends in such levels)."""
    return at.a / to.a if to.a > 0 else 0.0


def posterior_std(at: Level, to: Level) -> float:
    """√β̃ = s′·√(1 − (s′a/(a′s))²): the spread of q(x_{t′} | x_t, x_0) (Ho et al. 2020, eq. 7)."""
    return to.s * math.sqrt(max(0.0, 1 - (kept(at, to) * to.s / at.s) ** 2))


def forward_std(at: Level, to: Level) -> float:
    """√(s² − (a/a′)²·s′²): the noise that the forward chain adds from t′ to t; √β_t on a VP path."""
    return math.sqrt(max(0.0, at.s**2 - (kept(at, to) * to.s) ** 2))
