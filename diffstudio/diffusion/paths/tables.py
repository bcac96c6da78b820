"""Variance-preserving paths that are published as a table of betas, one for each training step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from diffstudio.diffusion.paths.path import Array, Path, sigma_of
from diffstudio.specs import check_betas

GONE = 1e-12  # a √ᾱ below this counts as none


def vp_from_betas(betas: Array, name: str = "vp_table") -> Path:
    """A variance-preserving path from a table of betas: ᾱ_k = Π(1 − β_j) at t = k/n (Ho et al. 2020, eq. 4).

    Between the table's points log ᾱ is linear in t, so that integer steps are the published chain exactly. Where the
    last β is 1 (zero terminal SNR) there is no line to log 0: in that last interval √ᾱ is linear instead.

    betas: (n,), each in (0, 1); the last may be 1.
    """
    betas, n = np.asarray(betas, float), len(betas)
    ends = bool(betas[-1] == 1)
    log_bar = np.concatenate([[0.0], np.cumsum(np.log1p(-betas[: n - ends]))])
    body = _log_linear(name, log_bar, n)
    return _to_zero(body, math.exp(0.5 * log_bar[-1]), n) if ends else body


def _log_linear(name: str, log_bar: Array, n: int) -> Path:
    """The path through log ᾱ_k at k/n, k = 0 … len(log_bar) − 1, straight lines between."""
    points = len(log_bar) - 1
    knots = np.arange(points + 1) / n
    fallen = (-log_bar).tolist()  # −log ᾱ, rising

    def log_a2(t: Array) -> Array:
        return np.interp(t, knots, log_bar)

    def slope(t: Array) -> Array:
        # d log ᾱ/dt on the interval to the left of t, the one that a step towards the data crosses.
        k = np.clip(np.ceil(np.asarray(t, float) * n - 1e-9).astype(int), 1, points)
        return (log_bar[k] - log_bar[k - 1]) * n

    def a(t: Array) -> Array:
        return np.exp(0.5 * log_a2(t))

    def s(t: Array) -> Array:
        return np.sqrt(-np.expm1(log_a2(t)))

    def ds(t: Array) -> Array:
        with np.errstate(divide="ignore"):
            return -0.5 * a(t) ** 2 * slope(t) / s(t)

    def t_of(log_snr: float) -> float:
        # −log ᾱ = log(1 + σ²)
        sigma = sigma_of(log_snr)
        depth = math.log1p(sigma * sigma) if sigma < 1e8 else -log_snr
        k = bisect_right(fallen, depth)
        if k > points:
            return math.inf
        return (k - 1 + (depth - fallen[k - 1]) / (fallen[k] - fallen[k - 1])) / n

    return Path(name, a=a, s=s, da=lambda t: 0.5 * a(t) * slope(t), ds=ds, t_of=t_of, n=n)


def _to_zero(body: Path, last_a: float, n: int) -> Path:
    """`body`, which ends at (n − 1)/n with a = last_a, and from there a = last_a·n·(1 − t)."""
    start = (n - 1) / n

    def joined(before: Callable[[Array], Array], after: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda t: np.where(np.asarray(t) > start, after(np.maximum(t, start)), before(t))

    def a(t: Array) -> Array:
        return last_a * n * (1 - t)

    def s(t: Array) -> Array:
        return np.sqrt((1 - a(t)) * (1 + a(t)))

    def t_of(log_snr: float) -> float:
        found = body.t_of(log_snr)
        if found <= start or last_a == 0:
            return found
        # a = (1 + σ²)^(−1/2)
        return 1 - 1 / (math.hypot(1, sigma_of(log_snr)) * last_a * n)

    return replace(
        body,
        a=joined(body.a, a),
        s=joined(body.s, s),
        da=joined(body.da, lambda t: np.full_like(t, -last_a * n)),
        ds=joined(body.ds, lambda t: a(t) * last_a * n / s(t)),
        t_of=t_of,
        clock="flow",
    )


def vp_linear(n: float = 1000, beta_start: float = 1e-4, beta_end: float = 0.02, zero_snr: float = 0) -> Path:
    """DDPM's chain: β from 1e-4 to 0.02 in equal steps (Ho et al. 2020, section 4)."""
    return _path("vp_linear", np.linspace(beta_start, beta_end, int(n)), zero_snr)


def vp_scaled_linear(
    n: float = 1000, beta_start: float = 0.00085, beta_end: float = 0.012, zero_snr: float = 0
) -> Path:
    """Latent diffusion's chain: √β in equal steps (Rombach et al. 2022, in their code)."""
    return _path("vp_scaled_linear", np.linspace(beta_start**0.5, beta_end**0.5, int(n)) ** 2, zero_snr)


def vp_cosine_table(n: float = 1000, zero_snr: float = 0) -> Path:
    """ᾱ(u) = cos²((u + 0.008)/1.008·π/2), β_k = min(1 − ᾱ(k/n)/ᾱ((k − 1)/n), 0.999) (Nichol & Dhariwal 2021, eq. 17).

    The last β alone is cut, and √ᾱ ends at 5e-5 for n = 1000.
    """
    bar = np.cos((np.arange(int(n) + 1) / int(n) + 0.008) / 1.008 * math.pi / 2) ** 2
    return _path("vp_cosine_table", np.minimum(1 - bar[1:] / bar[:-1], 0.999), zero_snr)


def vp_sigmoid(n: float = 1000, beta_start: float = 1e-4, beta_end: float = 0.02, zero_snr: float = 0) -> Path:
    """β rises along a sigmoid on [−6, 6] (GeoDiff, Xu et al. 2022, in their code)."""
    share = 1 / (1 + np.exp(-np.linspace(-6, 6, int(n))))
    return _path("vp_sigmoid", beta_start + (beta_end - beta_start) * share, zero_snr)


def vp_table(betas: Sequence[float], zero_snr: float = 0) -> Path:
    """Anyone's table of betas, (n,).

    Raises:
        ValueError: a β that is no share of noise; its index is named.
    """
    check_betas("vp_table", betas)
    return _path("vp_table", np.asarray(betas, float), zero_snr)


def zero_terminal_snr(betas: Array) -> Array:
    """√ᾱ shifted and scaled so that it ends at 0 and starts as before (Lin et al. 2023, algorithm 1).

    The last β becomes 1. Where √ᾱ ends below 1e-12 there is nothing to shift, and the other betas stay.
    """
    a = np.exp(0.5 * np.cumsum(np.log1p(-betas[:-1])))
    end = a[-1] * math.sqrt(1 - betas[-1])
    if end >= GONE:
        a = (a - end) * (a[0] / (a[0] - end))
        betas = np.concatenate([betas[:1], 1 - (a[1:] / a[:-1]) ** 2, [1.0]])
    return np.concatenate([betas[:-1], [1.0]])


def _path(name: str, betas: Array, zero_snr: float) -> Path:
    return vp_from_betas(zero_terminal_snr(betas) if zero_snr else betas, name)
