"""Distributions whose denoiser and flow are known in closed form, in each number of a state alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import Level, level
from diffstudio.specs import PathSpec


@dataclass(frozen=True)
class Gaussian:
    """N(mean, std²)."""

    mean: float = 0.4
    std: float = 0.5

    def spread(self, at: Level) -> float:
        """Standard deviation of x_t."""
        return (at.a**2 * self.std**2 + at.s**2) ** 0.5

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        """E[x_0 | x_t]."""
        return self.mean + at.a * self.std**2 / self.spread(at) ** 2 * (x - at.a * self.mean)

    def log_density(self, x: Tensor, at: Level) -> Tensor:
        """log p(x_t = x) of each number."""
        return log_normal(x, at.a * self.mean, self.spread(at))

    def flow(self, x: Tensor, start: Level, end: Level) -> Tensor:
        """The probability-flow ODE keeps (x_t − a·mean)/spread."""
        return end.a * self.mean + self.spread(end) / self.spread(start) * (x - start.a * self.mean)


@dataclass(frozen=True)
class Mixture:
    """Equal parts of N(±centre, std²)."""

    centre: float = 1.0
    std: float = 0.3

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        """E[x_0 | x_t]."""
        variance = at.a**2 * self.std**2 + at.s**2
        gain = at.a * self.std**2 / variance
        # Both parts have the same gain, and their weights differ by tanh.
        lean = torch.tanh(x * (at.a * self.centre / variance))
        return gain * x + (1 - gain * at.a) * self.centre * lean

    def log_density(self, x: Tensor, at: Level) -> Tensor:
        """log p(x_t = x) of each number."""
        spread = (at.a**2 * self.std**2 + at.s**2) ** 0.5
        parts = [log_normal(x, at.a * centre, spread) for centre in (-self.centre, self.centre)]
        return torch.logaddexp(*parts) - math.log(2)

    def flow(self, x: Tensor, start: Level, end: Level) -> Tensor:
        """The probability-flow ODE on a line keeps the order of points: F_end(x_end) = F_start(x), by bisection."""
        quantile = self._below(x, start)
        far = 20 * (end.a + end.s)
        low, high = torch.full_like(x, -far), torch.full_like(x, far)
        for _ in range(60):
            middle = (low + high) / 2
            right = self._below(middle, end) < quantile
            low, high = torch.where(right, middle, low), torch.where(right, high, middle)
        return (low + high) / 2

    def _below(self, x: Tensor, at: Level) -> Tensor:
        """F(x), the share of x_t below x."""
        std = (at.a**2 * self.std**2 + at.s**2) ** 0.5
        parts = [torch.special.ndtr((x - at.a * c) / std) for c in (-self.centre, self.centre)]
        return (parts[0] + parts[1]) / 2


def log_normal(x: Tensor, mean: float, std: float) -> Tensor:
    """log N(x; mean, std²) of each number."""
    return -0.5 * ((x - mean) / std) ** 2 - 0.5 * math.log(2 * math.pi * std**2)


OWN_BETAS = tuple(0.02 + 0.06 * (k % 2) for k in range(100))  # a table that no other path has


def path_of(name: str) -> Path:
    """A path with its default parameters, VE with a σ_max near the data, "vp_table" with betas that alternate."""
    betas = OWN_BETAS if name == "vp_table" else None
    return make_path(PathSpec(name=name, params={"sigma_max": 10.0} if name == "ve" else {}, betas=betas))


def even_levels(path: Path, steps: int, low: float = -3.0, high: float = 3.0) -> list[Level]:
    """Equal steps of log-SNR between two levels with a > 0 and s > 0: no end of the path hides or breaks an order."""
    return [level(path, path.t_at_log_snr(low + (high - low) * i / steps)) for i in range(steps + 1)]


def far(one: Tensor, other: Tensor) -> float:
    """The largest difference, relative to the largest number of the other."""
    return ((one - other).abs().max() / other.abs().max()).item()
