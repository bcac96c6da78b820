"""Grids of times, and the levels (t, a, s) that a chain visits: Python floats, computed before the loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from diffstudio.diffusion.paths import Path


class Level(NamedTuple):
    """A place on a path: x_t = a·x_0 + s·ε."""

    t: float
    a: float
    s: float

    @property
    def log_snr(self) -> float:
        """log(a²/s²), ±∞ at the ends."""
        if self.s == 0:
            return math.inf
        return 2 * math.log(self.a / self.s) if self.a > 0 else -math.inf

    @property
    def sigma(self) -> float:
        """σ = s/a, ∞ where a = 0."""
        return self.s / self.a if self.a > 0 else math.inf


def level(path: Path, t: float) -> Level:
    """The level at t; below 1e-12 the remaining a (cos π/2 is 6e-17) counts as none."""
    a, s = float(path.a(np.float64(t))), float(path.s(np.float64(t)))  # pyright: ignore
    return Level(float(t), a if a > 1e-12 else 0.0, s)


def uniform(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """Equal steps of t; on DDPM's table that is trailing spacing."""
    return [t_start * (steps - i) / steps for i in range(steps + 1)]


def quadratic(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """t = t_start·(1 − i/S)²: short steps near the data."""
    return [t_start * ((steps - i) / steps) ** 2 for i in range(steps + 1)]


def karras(path: Path, steps: int, t_start: float = 1.0, rho: float = 7.0) -> list[float]:
    """Equal steps of σ^(1/ρ) from σ(t_start) to σ_min, then 0 (Karras et al. 2022, eq. 5).

    σ_max is σ(t_start) but at most 80 and σ_min = 0.002 (their values); the first time is t_start itself.
    """
    sigma_max = min(level(path, t_start).sigma, 80.0)
    sigma_min = min(0.002, sigma_max / 10)
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    times = [t_start]
    for i in range(1, steps):
        sigma = (high + i / max(steps - 1, 1) * (low - high)) ** rho
        times.append(path.t_at_log_snr(-2 * math.log(sigma)))
    return [*times, 0.0]


GRIDS: dict[str, Callable[..., list[float]]] = {"uniform": uniform, "quadratic": quadratic, "karras": karras}


def levels(path: Path, steps: int, grid: str = "uniform", t_start: float = 1.0) -> list[Level]:
    """steps + 1 levels from t_start down to the data at t = 0."""
    return [level(path, t) for t in GRIDS[grid](path, steps, t_start)]
