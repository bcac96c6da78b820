"""Distributions whose denoiser is known in closed form: what the solvers are judged against."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstudio.diffusion import exact
from diffstudio.diffusion.denoiser import Condition
from diffstudio.diffusion.times import Level


class Gaussian:
    """N(mean, std²) in each dimension; E[x_0 | x_t] and the flow of the probability-flow ODE are known."""

    def __init__(self, mean: float = 0.7, std: float = 0.6) -> None:
        self.mean, self.std = mean, std

    def spread(self, at: Level) -> float:
        """Standard deviation of x_t."""
        return (at.a**2 * self.std**2 + at.s**2) ** 0.5

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        gain = at.a * self.std**2 / self.spread(at) ** 2
        return self.mean + gain * (x - at.a * self.mean)

    def flow(self, x: Tensor, start: Level, end: Level) -> Tensor:
        """The ODE keeps (x_t − a·mean)/spread(t): its exact solution."""
        return end.a * self.mean + self.spread(end) / self.spread(start) * (x - start.a * self.mean)


class Mixture:
    """Equal parts of N(±centre, std²) in one dimension."""

    def __init__(self, centre: float = 1.0, std: float = 0.3) -> None:
        self.centre, self.std = centre, std

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        variance = at.a**2 * self.std**2 + at.s**2
        right = torch.sigmoid(2 * at.a * self.centre * x / variance)
        gain = at.a * self.std**2 / variance
        of = [c + gain * (x - at.a * c) for c in (-self.centre, self.centre)]
        return (1 - right) * of[0] + right * of[1]

    def flow(self, x: Tensor, start: Level, end: Level) -> Tensor:
        """On a line the ODE cannot change the order of points: each keeps its quantile, F_end(x_end) = F_start(x)."""
        quantile = self._below(x, start)
        low, high = torch.full_like(x, -20.0), torch.full_like(x, 20.0)
        for _ in range(60):
            middle = (low + high) / 2
            right = self._below(middle, end) < quantile
            low, high = torch.where(right, middle, low), torch.where(right, high, middle)
        return (low + high) / 2

    def _below(self, x: Tensor, at: Level) -> Tensor:
        """F(x), the share of x_t below x."""
        std = (at.a**2 * self.std**2 + at.s**2) ** 0.5
        return sum(torch.special.ndtr((x - at.a * c) / std) for c in (-self.centre, self.centre)) / 2


def isotropic(
    weights: Tensor, means: Tensor, stds: Tensor, labels: Tensor | None = None, any_label: int = 0
) -> exact.Mixture:
    """A mixture of round Gaussians. weights, stds: (K,); means: (K, D)."""
    components, dim = means.shape
    empty = means.new_zeros(components, dim, 0)
    return exact.Mixture(weights, means, empty, empty[:, 0], stds**2, labels, any_label)


def gaussian(mean: Tensor, covariance: Tensor) -> exact.Mixture:
    """N(mean, covariance), by the covariance's eigenvectors. mean: (D,), covariance: (D, D)."""
    variances, axes = torch.linalg.eigh(covariance)
    one = mean.new_ones(1)
    return exact.Mixture(one, mean[None], axes[None], variances.clamp_min(0)[None], 0 * one)
