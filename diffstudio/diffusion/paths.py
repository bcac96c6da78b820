"""Paths: how data becomes noise, x_t = a(t)·x_0 + s(t)·ε, with t from 0 (data) to 1 (noise).

Every function takes a float or a float64 array of t and gives the same back, so that the sampler computes its
coefficients once as Python floats and the trainer a batch of them at a time. Nothing here knows a device.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from diffstudio.specs import PathSpec

Array = np.ndarray


@dataclass(frozen=True)
class Path:
    """A path by its two coefficients and their time derivatives.

    clock: the time in which an ODE solver steps. "sigma" is σ = s/a (EDM; finite only while a > 0), "flow" is
        s/(a + s), which stays finite where a = 0.
    theta: the law of the noise that is mixed in, of mean 0 and variance 1.
    n: the length of the chain that defines the path, None for one that is continuous in t.
    """

    name: str
    a: Callable[[Array], Array]
    s: Callable[[Array], Array]
    da: Callable[[Array], Array]
    ds: Callable[[Array], Array]
    clock: Literal["sigma", "flow"] = "sigma"
    theta: Literal["gaussian", "uniform"] = "gaussian"
    n: int | None = None

    def log_snr(self, t: Array) -> Array:
        """log(a²/s²): +∞ at the data, −∞ where a = 0."""
        with np.errstate(divide="ignore"):
            return 2 * (np.log(self.a(t)) - np.log(self.s(t)))

    def t_at_log_snr(self, log_snr: float) -> float:
        """The t with that log-SNR, by bisection to the last bit; clamped to [0, 1]."""
        low, high = 0.0, 1.0
        for _ in range(64):
            middle = 0.5 * (low + high)
            if float(self.log_snr(np.float64(middle))) > log_snr:  # pyright: ignore
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)


def flow() -> Path:
    """a = 1 − t, s = t (Lipman et al. 2022, eq. 20 with σ_min = 0; rectified flow, Liu et al. 2022)."""
    return Path(
        "flow",
        a=lambda t: 1 - np.asarray(t, float),
        s=lambda t: np.asarray(t, float),
        da=lambda t: np.full_like(np.asarray(t, float), -1.0),
        ds=lambda t: np.ones_like(np.asarray(t, float)),
        clock="flow",
    )


def vp_cosine() -> Path:
    """a = cos(πt/2), s = sin(πt/2): Nichol & Dhariwal 2021, eq. 17 without its offset, so that a² + s² = 1 exactly."""
    half = math.pi / 2
    return Path(
        "vp_cosine",
        a=lambda t: np.cos(half * np.asarray(t, float)),
        s=lambda t: np.sin(half * np.asarray(t, float)),
        da=lambda t: -half * np.sin(half * np.asarray(t, float)),
        ds=lambda t: half * np.cos(half * np.asarray(t, float)),
        clock="flow",
    )


def ve(sigma_max: float = 80.0) -> Path:
    """a = 1, s = σ_max·t: variance exploding in the time of Karras et al. 2022 (σ(t) = t, rescaled to [0, 1])."""
    return Path(
        "ve",
        a=lambda t: np.ones_like(np.asarray(t, float)),
        s=lambda t: sigma_max * np.asarray(t, float),
        da=lambda t: np.zeros_like(np.asarray(t, float)),
        ds=lambda t: np.full_like(np.asarray(t, float), sigma_max),
    )


def vp_from_betas(betas: Array, name: str = "vp_table") -> Path:
    """A variance-preserving path from a table of betas: ᾱ_k = Π(1 − β_j) at t = k/n (Ho et al. 2020, eq. 4).

    Between the table's points log ᾱ is linear in t, so that integer steps are the published chain exactly.

    betas: (n,), each in (0, 1).
    """
    log_bar = np.concatenate([[0.0], np.cumsum(np.log1p(-np.asarray(betas, float)))])
    n = len(betas)
    knots = np.arange(n + 1) / n

    def log_a2(t: Array) -> Array:
        return np.interp(t, knots, log_bar)

    def slope(t: Array) -> Array:
        # d log ᾱ/dt on the interval to the left of t, the one that a step towards the data crosses.
        k = np.clip(np.ceil(np.asarray(t, float) * n - 1e-9).astype(int), 1, n)
        return (log_bar[k] - log_bar[k - 1]) * n

    def a(t: Array) -> Array:
        return np.exp(0.5 * log_a2(t))

    def s(t: Array) -> Array:
        return np.sqrt(-np.expm1(log_a2(t)))

    def ds(t: Array) -> Array:
        with np.errstate(divide="ignore"):
            return -0.5 * a(t) ** 2 * slope(t) / s(t)

    return Path(name, a=a, s=s, da=lambda t: 0.5 * a(t) * slope(t), ds=ds, n=n)


def vp_linear(n: float = 1000, beta_start: float = 1e-4, beta_end: float = 0.02) -> Path:
    """DDPM's chain: β from 1e-4 to 0.02 in equal steps (Ho et al. 2020, section 4)."""
    return vp_from_betas(np.linspace(beta_start, beta_end, int(n)), "vp_linear")


def mixing(
    alpha: float = 0.05,
    n: float = 100,
    decay: float = 0.5,
    theta: Literal["gaussian", "uniform"] = "gaussian",
) -> Path:
    """x_k = (1 − α_k)·x_{k−1} + α_k·θ with α_k = α·k^(−decay), θ of mean 0 and variance 1, t = k/n.

    Then a_k = Π(1 − α_j) and s_k² = (1 − α_k)²·s_{k−1}² + α_k²; with Gaussian θ the marginals are Gaussian, with
    uniform θ they share these two moments. Between the points log a and s² are linear in t.
    """
    alphas = alpha * np.arange(1, int(n) + 1, dtype=float) ** -decay
    log_a = np.concatenate([[0.0], np.cumsum(np.log1p(-alphas))])
    variance = np.zeros(len(alphas) + 1)
    for k, share in enumerate(alphas, start=1):
        variance[k] = (1 - share) ** 2 * variance[k - 1] + share**2
    count = len(alphas)
    knots = np.arange(count + 1) / count

    def left(t: Array) -> Array:
        return np.clip(np.ceil(np.asarray(t, float) * count - 1e-9).astype(int), 1, count)

    def a(t: Array) -> Array:
        return np.exp(np.interp(t, knots, log_a))

    def s(t: Array) -> Array:
        return np.sqrt(np.interp(t, knots, variance))

    def da(t: Array) -> Array:
        k = left(t)
        return a(t) * (log_a[k] - log_a[k - 1]) * count

    def ds(t: Array) -> Array:
        k = left(t)
        with np.errstate(divide="ignore"):
            return 0.5 * (variance[k] - variance[k - 1]) * count / s(t)

    name = "mixing" if theta == "gaussian" else "mixing_uniform"
    return Path(name, a=a, s=s, da=da, ds=ds, theta=theta, n=count)


PATHS: dict[str, Callable[..., Path]] = {
    "flow": flow,
    "vp_linear": vp_linear,
    "vp_cosine": vp_cosine,
    "ve": ve,
    "mixing": mixing,
    "mixing_uniform": functools.partial(mixing, theta="uniform"),
}


def make_path(spec: PathSpec) -> Path:
    """The path that a card or a request names."""
    return PATHS[spec.name](**spec.params)
