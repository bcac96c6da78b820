"""The probability-flow ODE in the clock where noise and data lie on straight lines."""

from __future__ import annotations

from typing import Literal

from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import Level

Clock = Literal["sigma", "flow"]
MAX_SIGMA = 1e4  # the largest σ that serves as an ODE's clock


def clock_of(path: Path, *levels: Level) -> Clock:
    """The path's own clock; s/(a + s) where σ = s/a grows so far that its differences would drown in rounding."""
    return "flow" if max(at.sigma for at in levels) > MAX_SIGMA else path.clock


def rescaled(at: Level, clock: Clock) -> tuple[float, float]:
    """(m, u): x̄ = x/m moves on straight lines in the time u; m = a for σ = s/a, m = a + s for the flow clock."""
    m = at.a if clock == "sigma" else at.a + at.s
    return m, at.s / m


def slope(at: Level, clock: Clock) -> tuple[float, float]:
    """(c, d): dx̄/du = c·x + d·x̂0, which is ε̂ = (x − a·x̂0)/s in σ and ε̂ − x̂0 in the flow clock."""
    return 1 / at.s, -at.a / at.s - (1 if clock == "flow" else 0)
