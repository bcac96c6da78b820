"""Mixing: a chain that replaces a share of the state by fresh noise θ at each step."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Literal

import numpy as np

from diffstudio.diffusion.paths.path import Array, Path


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

    lost = (np.log(variance[1:]) - 2 * log_a[1:]).tolist()  # −log-SNR at k = 1 … n, rising

    def t_of(log_snr: float) -> float:
        k = bisect_right(lost, -log_snr)  # between the points k and k + 1
        if k == count:
            return 1.0
        ends = (log_a[k], log_a[k + 1], variance[k], variance[k + 1])
        return (k + _within(log_snr, *map(float, ends))) / count

    name = "mixing" if theta == "gaussian" else "mixing_uniform"
    return Path(name, a=a, s=s, da=da, ds=ds, t_of=t_of, theta=theta, n=count)


def _within(log_snr: float, log_a: float, log_a_to: float, variance: float, variance_to: float) -> float:
    """The u in [0, 1] where log a and s², both linear in u, have that log-SNR: s²(u) = a²(u)·e^(−log-SNR).

    The difference of both sides is concave and rises, so that Newton's steps from u = 0 never pass the root.
    """
    fall, rise, u = 2 * (log_a_to - log_a), variance_to - variance, 0.0
    for _ in range(50):
        wanted = math.exp(2 * log_a + u * fall - log_snr)
        step = (wanted - variance - u * rise) / (rise - fall * wanted)
        u += step
        if step <= 1e-16 * u:
            break
    return u
