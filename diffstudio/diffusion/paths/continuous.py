"""Paths that are formulas in t."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from diffstudio.diffusion.paths.path import Array, Path, sigma_of

MAX_SHIFT = 100.0


def flow(shift: float = 1.0) -> Path:
    """a = 1 − t′, s = t′ with t′ = k·t/(1 + (k − 1)·t), k = shift (1: straight lines at an even pace).

    Lipman et al. 2022, eq. 20 with σ_min = 0; rectified flow, Liu et al. 2022. The shift multiplies σ = s/a by k at
    every t (Esser et al. 2024, eq. 23).
    """

    def shifted(t: Array) -> Array:
        t = np.asarray(t, float)
        return shift * t / (1 + (shift - 1) * t)

    def pace(t: Array) -> Array:
        # dt′/dt
        return shift / (1 + (shift - 1) * np.asarray(t, float)) ** 2

    def t_of(log_snr: float) -> float:
        # σ = k·t/(1 − t)
        sigma = sigma_of(log_snr)
        return sigma / (shift + sigma) if sigma < math.inf else 1.0

    def a(t: Array) -> Array:
        # 1 − t′ without the cancellation near t = 1
        t = np.asarray(t, float)
        return (1 - t) / (1 + (shift - 1) * t)

    return Path("flow", a=a, s=shifted, da=lambda t: -pace(t), ds=pace, t_of=t_of, clock="flow")


def flow_resolution(tokens: float = 256, base_shift: float = 0.5, max_shift: float = 1.15) -> Path:
    """`flow` with the shift that belongs to a sample of so many tokens: larger pictures need more noise (Flux)."""
    return replace(flow(resolution_shift(tokens, base_shift, max_shift)), name="flow_resolution")


def resolution_shift(tokens: float, base_shift: float, max_shift: float) -> float:
    """e^μ, μ on a line through base_shift at 256 tokens and max_shift at 4,096, as Flux has it; 1/100 to 100.

    Esser et al. 2024, eq. 23, have √(m/n) for m pixels where n were trained on: that is the shift of `flow` itself.
    """
    mu = base_shift + (max_shift - base_shift) * (tokens - 256) / (4096 - 256)
    limit = math.log(MAX_SHIFT)
    return math.exp(min(limit, max(-limit, mu)))


def vp_cosine() -> Path:
    """a = cos(πt/2), s = sin(πt/2): Nichol & Dhariwal 2021, eq. 17 without its offset, so that a² + s² = 1 exactly."""
    half = math.pi / 2
    return Path(
        "vp_cosine",
        a=lambda t: np.cos(half * np.asarray(t, float)),
        s=lambda t: np.sin(half * np.asarray(t, float)),
        da=lambda t: -half * np.sin(half * np.asarray(t, float)),
        ds=lambda t: half * np.cos(half * np.asarray(t, float)),
        t_of=lambda log_snr: math.atan(sigma_of(log_snr)) / half,
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
        t_of=lambda log_snr: sigma_of(log_snr) / sigma_max,
    )


def edm(sigma_max: float = 80.0, rho: float = 7.0) -> Path:
    """a = 1, s = σ_max·t^ρ: the path of `ve` at the pace of Karras et al. 2022, eq. 5.

    Equal steps of t are equal steps of σ^(1/ρ), which is their spacing with σ_min = 0.
    """
    return Path(
        "edm",
        a=lambda t: np.ones_like(np.asarray(t, float)),
        s=lambda t: sigma_max * np.asarray(t, float) ** rho,
        da=lambda t: np.zeros_like(np.asarray(t, float)),
        ds=lambda t: sigma_max * rho * np.asarray(t, float) ** (rho - 1),
        t_of=lambda log_snr: (sigma_of(log_snr) / sigma_max) ** (1 / rho),
    )


def vp_edm(sigma_max: float = 120.0, rho: float = 7.0) -> Path:
    """a = 1/√(1 + σ²), s = σ/√(1 + σ²) with the σ of `edm`: the same levels, of variance 1 for data of variance 1.

    What a v-prediction in EDM's continuous σ is trained on: its input is x/√(1 + σ²) there (Karras et al. 2022, eq. 7
    with σ_data = 1).
    """
    ve_path = edm(sigma_max, rho)

    def a(t: Array) -> Array:
        return 1 / np.hypot(1, ve_path.s(t))

    # a′ = −σ·σ′·a³ and s′ = σ′·a³
    return Path(
        "vp_edm",
        a=a,
        s=lambda t: ve_path.s(t) * a(t),
        da=lambda t: -ve_path.s(t) * ve_path.ds(t) * a(t) ** 3,
        ds=lambda t: ve_path.ds(t) * a(t) ** 3,
        t_of=ve_path.t_of,
    )
