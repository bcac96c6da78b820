"""Denoisers: x̂0 = D(x_t, level, cond), and the one place where what a network predicts becomes x̂0."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from diffstudio.diffusion.paths import Array, Path
from diffstudio.diffusion.times import Level, level

Condition = Tensor | None
UNBOUNDED = "x0_unbounded"  # the extra from which a first-order step takes its ε̂, where it is there
Times = TypeVar("Times", float, Array)


@dataclass(frozen=True)
class Estimate:
    """What a denoiser knows beside x̂0.

    x0_hat: (B, …).
    extras: more of the same call by name, each (B, …): "variance_range" (a learned variance, 0 is β̃ and 1 is β, on a
        log scale), "x0_cond" and "x0_free" (the two halves of guidance), "x0_unbounded" (x̂0 before it was clipped).
    """

    x0_hat: Tensor
    extras: Mapping[str, Tensor] = field(default_factory=dict)


# Most denoisers give x̂0 alone; `estimate` makes both kinds one.
Denoiser = Callable[[Tensor, Level, Condition], Tensor | Estimate]
# A network takes (x, t: (B,), labels: (B,) or None) and gives its prediction, shaped as x; (B, 2C, …) with a range.
Network = Callable[[Tensor, Tensor, Condition], Tensor]


def estimate(found: Tensor | Estimate) -> Estimate:
    """What a denoiser gave, as an Estimate."""
    return found if isinstance(found, Estimate) else Estimate(found)


def x0_from(prediction: str, out: Tensor, x: Tensor, a: float, s: float, sigma_data: float = 0.5) -> Tensor:
    """x̂0 from what a network put out at x_t = a·x_0 + s·ε. All shapes equal.

    eps: x̂0 = (x − s·ε̂)/a, undefined where a = 0.   v = a·ε − s·x_0 (Salimans & Ho 2022): x̂0 = (a·x − s·v)/(a² + s²).
    flow u = ε − x_0: x̂0 = (x − s·u)/(a + s).        x0: itself.
    edm F (Karras et al. 2022, eq. 7, of x/a and σ = s/a): x̂0 = c_skip·x/a + c_out·F, c_skip = σ_d²/(σ² + σ_d²),
        c_out = σ·σ_d/√(σ² + σ_d²); sigma_data is σ_d, the spread of the data.

    Raises:
        ValueError: an unknown prediction, or ε where a = 0 (zero terminal SNR: 0/0).
    """
    if prediction == "x0":
        return out
    if prediction == "flow":
        return (x - s * out) / (a + s) if a + s != 1 else x - s * out  # a straight path saves a pass over the state
    if prediction == "v":
        return (a * x - s * out) / (a * a + s * s)
    if prediction == "eps":
        if a == 0:
            raise ValueError("ε prediction has no x̂0 where the signal is gone (a = 0)")
        return (x - s * out) / a
    if prediction == "edm":
        spread = math.hypot(s, sigma_data * a)  # of x_t
        return (a * (sigma_data / spread) ** 2) * x + (s * sigma_data / spread) * out
    raise ValueError(f"unknown prediction '{prediction}'")


def x0_gain(prediction: str, a: Tensor, s: Tensor, sigma_data: float = 0.5) -> Tensor:
    """∂x̂0/∂output of `x0_from`: what an error of the network's output is in x̂0; a and s as in `target`."""
    if prediction == "eps":
        return -s / a
    if prediction == "x0":
        return torch.ones_like(s)
    if prediction == "v":
        return -s / (a * a + s * s)
    if prediction == "flow":
        return -s / (a + s)
    if prediction == "edm":
        return s * sigma_data / (s * s + (sigma_data * a) ** 2) ** 0.5
    raise ValueError(f"unknown prediction '{prediction}'")


def target(prediction: str, x0: Tensor, eps: Tensor, a: Tensor, s: Tensor, sigma_data: float = 0.5) -> Tensor:
    """What a network with that prediction is trained to put out; a and s broadcast over x0.

    edm: the plain square of F's error is that of x̂0 weighted by λ(σ) = 1/c_out² = (σ² + σ_d²)/(σ·σ_d)², as Karras
    et al. 2022 (table 1) train.
    """
    if prediction == "eps":
        return eps
    if prediction == "x0":
        return x0
    if prediction == "v":
        return a * eps - s * x0
    if prediction == "flow":
        return eps - x0
    if prediction == "edm":
        # (x_0 − c_skip·x/a)/c_out
        return (s * x0 - sigma_data**2 * a * eps) / (sigma_data * (s * s + (sigma_data * a) ** 2) ** 0.5)
    raise ValueError(f"unknown prediction '{prediction}'")


def network_x(prediction: str, x: Tensor, a: float | Tensor, s: float | Tensor, sigma_data: float = 0.5) -> Tensor:
    """The state as a network is given it: x_t itself, for edm c_in·x/a = x/√(s² + σ_d²·a²), of variance 1."""
    return x / (s * s + (sigma_data * a) ** 2) ** 0.5 if prediction == "edm" else x


def network_time(prediction: str, t: Times, a: Times, s: Times) -> Times:
    """The time as a network is given it: t itself, for edm c_noise = ln(σ)/4, infinite where a = 0."""
    return 0.25 * np.log(s / a) if prediction == "edm" else t  # pyright: ignore[reportReturnType] - a float64 is a float


def from_network(
    network: Network,
    prediction: str,
    *,
    sigma_data: float = 0.5,
    learned_range: bool = False,
    time: Callable[[Level], float] | None = None,
) -> Denoiser:
    """Wrap a network as a denoiser of the path it was trained on.

    time: how the network counts, where that is neither t nor edm's c_noise.
    sigma_data: for edm, the spread of the data. learned_range: the network gives (B, 2C, …); the second half v in
    [−1, 1] says where the variance lies between β̃ and β, log σ² = r·log β + (1 − r)·log β̃ with r = (v + 1)/2
    (Nichol & Dhariwal 2021, eq. 15), and r is the extra "variance_range".

    Raises, when called:
        ValueError: ε or edm where a = 0, or an output without its second half.
    """

    def denoise(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if prediction == "edm" and at.a == 0:
            raise ValueError("edm prediction has no noise level where the signal is gone (a = 0)")
        own = time(at) if time else network_time(prediction, at.t, at.a, at.s)
        t = torch.full((x.shape[0],), own, dtype=x.dtype, device=x.device)
        out = network(network_x(prediction, x, at.a, at.s, sigma_data), t, cond)
        if not learned_range:
            return x0_from(prediction, out, x, at.a, at.s, sigma_data)
        if out.shape[1] != 2 * x.shape[1]:
            raise ValueError(f"the network gives {out.shape[1]} channels, expected {2 * x.shape[1]} with a range")
        out, v = out.chunk(2, dim=1)
        return Estimate(x0_from(prediction, out, x, at.a, at.s, sigma_data), {"variance_range": (v + 1) / 2})

    return denoise


def clock(name: str, path: Path) -> Callable[[Level], float] | None:
    """How a network of another tool counts time on its path; None for "t", our own way.

    timestep: the integer number of a training step, and what lies between two of them between.
    sigma: s/a.   log_sigma: ln(s/a)/4, EDM's c_noise.   flow: 1000·s/(a + s), as transformers of straight flows are
    told.

    Raises:
        ValueError: a path without training steps, or an unknown name.
    """
    if name == "t":
        return None
    if name == "sigma":
        return lambda at: at.sigma
    if name == "log_sigma":
        return lambda at: 0.25 * math.log(at.sigma)
    if name == "flow":
        return lambda at: 1000 * at.s / (at.a + at.s)
    if name != "timestep":
        raise ValueError(f"unknown time '{name}'")
    if path.n is None:
        raise ValueError(f"path '{path.name}' has no training steps, by which the network counts")
    last = path.n - 1

    def timestep(at: Level) -> float:
        # t = (k + 1)/n; the table's own times are whole numbers, but for rounding
        k = min(last, max(0.0, at.t * (last + 1) - 1))
        return round(k) if abs(k - round(k)) < 1e-6 else k

    return timestep


def on_path(denoise: Denoiser, trained: Path) -> Denoiser:
    """Use a denoiser on another Gaussian path: rescale x_t to the trained level of equal log-SNR.

    If x = a·x_0 + s·ε and a'/s' = a/s, then x·(a' + s')/(a + s) lies on the trained path (Karras et al. 2022, app. B).
    Beyond the ends of the trained path the nearest trained level is asked. What else the denoiser knows is kept.
    """
    found: dict[float, Level] = {}  # a level is looked up once

    def denoised(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if at.t not in found:
            found[at.t] = level(trained, trained.t_at_log_snr(at.log_snr))
        own = found[at.t]
        return denoise(x * ((own.a + own.s) / (at.a + at.s)), own, cond)

    return denoised
