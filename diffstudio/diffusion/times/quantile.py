"""The quantiles of a beta distribution, which nothing that is always installed computes."""

from __future__ import annotations

import math

import numpy as np

from diffstudio.diffusion.paths import Array

FRACTIONS = 50  # partial numerators: with parameters up to 10 the rest is rounding
HALVINGS = 60


def beta_quantile(shares: Array, alpha: float, beta: float) -> Array:
    """The x in [0, 1] below which those shares of Beta(alpha, beta) lie.

    shares: in [0, 1].  Bisection of the distribution function, which starts as a line in x^alpha.
    """
    shares = np.asarray(shares, float)
    low, high = np.zeros_like(shares), np.ones_like(shares)  # of x^alpha
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = beta_share(middle ** (1 / alpha), alpha, beta) < shares
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found = ((low + high) / 2) ** (1 / alpha)
    return np.where(shares <= 0, 0.0, np.where(shares >= 1, 1.0, found))


def beta_share(x: Array, alpha: float, beta: float) -> Array:
    """I_x(alpha, beta), the share of a beta distribution below x.

    x^a·(1 − x)^b/(a·B(a, b)) over the continued fraction 1 + d_1/(1 + d_2/(1 + …)) (DLMF 8.17.22), which converges
    fast up to the mean; beyond it I_x(a, b) = 1 − I_{1−x}(b, a) (DLMF 8.17.4).
    """
    far = np.asarray(x, float) > (alpha + 1) / (alpha + beta + 2)
    x, a, b = np.where(far, 1 - x, x), np.where(far, beta, alpha), np.where(far, alpha, beta)
    rest = np.ones_like(x)
    for k in range(FRACTIONS, 0, -1):
        m = k // 2
        top = -(a + m) * (a + b + m) if k % 2 else m * (b - m)
        rest = 1 + top * x / ((a + k - 1) * (a + k) * rest)
    log_b = math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
    share = x**a * (1 - x) ** b / (a * math.exp(log_b) * rest)
    return np.where(far, 1 - share, share)
