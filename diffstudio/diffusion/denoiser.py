"""Denoisers: x̂0 = D(x_t, level, cond), and the one place where what a network predicts becomes x̂0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import Level, level

Condition = Tensor | None


@dataclass(frozen=True)
class Estimate:
    """What a denoiser knows beside x̂0.

    x0_hat: (B, …).
    extras: more of the same call by name, each (B, …): "variance_range" (a learned variance, 0 is β̃ and 1 is β, on a
        log scale), "x0_cond" and "x0_free" (the two halves of guidance).
    """

    x0_hat: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)


# Most denoisers give x̂0 alone; `estimate` makes both kinds one.
Denoiser = Callable[[Tensor, Level, Condition], Tensor | Estimate]
# A network takes (x, t: (B,), labels: (B,) or None) and gives its prediction, shaped as x.
Network = Callable[[Tensor, Tensor, Condition], Tensor]


def estimate(found: Tensor | Estimate) -> Estimate:
    """What a denoiser gave, as an Estimate."""
    return found if isinstance(found, Estimate) else Estimate(found)


def x0_from(prediction: str, out: Tensor, x: Tensor, a: float, s: float) -> Tensor:
    """x̂0 from what a network put out at x_t = a·x_0 + s·ε. All shapes equal.

    eps: x̂0 = (x − s·ε̂)/a, undefined where a = 0.   v = a·ε − s·x_0 (Salimans & Ho 2022): x̂0 = (a·x − s·v)/(a² + s²).
    flow u = ε − x_0: x̂0 = (x − s·u)/(a + s).        x0: itself.

    Raises:
        ValueError: an unknown prediction, or ε where a = 0 (zero terminal SNR: 0/0).
    """
    if prediction == "x0":
        return out
    if prediction == "flow":
        return (x - s * out) / (a + s)
    if prediction == "v":
        return (a * x - s * out) / (a * a + s * s)
    if prediction == "eps":
        if a == 0:
            raise ValueError("ε prediction has no x̂0 where the signal is gone (a = 0)")
        return (x - s * out) / a
    raise ValueError(f"unknown prediction '{prediction}'")


def target(prediction: str, x0: Tensor, eps: Tensor, a: Tensor, s: Tensor) -> Tensor:
    """What a network with that prediction is trained to put out; a and s broadcast over x0."""
    if prediction == "eps":
        return eps
    if prediction == "x0":
        return x0
    if prediction == "v":
        return a * eps - s * x0
    if prediction == "flow":
        return eps - x0
    raise ValueError(f"unknown prediction '{prediction}'")


def from_network(network: Network, prediction: str) -> Denoiser:
    """Wrap a network as a denoiser of the path it was trained on."""

    def denoise(x: Tensor, at: Level, cond: Condition) -> Tensor:
        t = torch.full((x.shape[0],), at.t, dtype=x.dtype, device=x.device)
        return x0_from(prediction, network(x, t, cond), x, at.a, at.s)

    return denoise


def on_path(denoise: Denoiser, trained: Path) -> Denoiser:
    """Use a denoiser on another Gaussian path: rescale x_t to the trained level of equal log-SNR.

    If x = a·x_0 + s·ε and a'/s' = a/s, then x·(a' + s')/(a + s) lies on the trained path (Karras et al. 2022, app. B).
    Beyond the ends of the trained path the nearest trained level is asked.
    """
    found: dict[float, Level] = {}  # the bisection is done once for each level

    def denoised(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if at.t not in found:
            found[at.t] = level(trained, trained.t_at_log_snr(at.log_snr))
        own = found[at.t]
        return denoise(x * ((own.a + own.s) / (at.a + at.s)), own, cond)

    return denoised
