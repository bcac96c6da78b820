"""Grids that are ramps of the noise level σ = s/a: each gives steps + 1 falling times, the last the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times.level import level
from diffstudio.diffusion.times.quantile import beta_quantile
from diffstudio.diffusion.times.table_steps import leading, trailing

EDM_MIN, EDM_MAX = 0.002, 80.0  # of Karras et al. 2022, for a path without a table, or without an end in σ
GONE = math.sqrt(2**24 - 1)  # σ where zero terminal SNR leaves none: ᾱ = 2⁻²⁴, as diffusers has it
LOG_SNR_MIN, LOG_SNR_MAX = -10.0, 10.0


def karras(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    rho: float = 7.0,
    sigma_min: float = 0.0,
    sigma_max: float = 0.0,
    start: float = 0,
    between: float = 0,
    steps_offset: float = 0,
    levels: float = 0,
) -> list[float]:
    """Equal steps of σ^(1/ρ) from σ(t_start), at most σ_max, to σ_min, then 0 (Karras et al. 2022, eq. 5).

    The first time is t_start itself, even if its σ is larger. The others: as in `exponential`. levels: of a network
    that was distilled between so many of them, of which every ⌊levels/S⌋-th is visited (Song et al. 2023).
    """
    first, high, low = _ends(path, steps, t_start, sigma_min, sigma_max, start, between, steps_offset)
    inside = _shares(steps)
    if levels:
        inside = [min(1.0, i * (int(levels) // steps) / (levels - 1)) for i in range(1, steps)]
    high, low = high ** (1 / rho), low ** (1 / rho)
    return _at_sigmas(path, first, ((high + share * (low - high)) ** rho for share in inside))


def exponential(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    sigma_min: float = 0.0,
    sigma_max: float = 0.0,
    start: float = 0,
    between: float = 0,
    steps_offset: float = 0,
) -> list[float]:
    """Equal steps of log σ from σ(t_start), at most σ_max, to σ_min, then 0; the limit ρ → ∞ of `karras`.

    sigma_min, sigma_max: 0 is the path's own: the ends of its table, else EDM's σ_min and the σ of t = 1, or EDM's
    σ_max where that is infinite.  start: 1 starts at σ_max, not at the noise before it.  between: 1 has the σ of the
    first and the last of `leading` training steps for ends, 2 that of `trailing` ones; steps_offset: that of `leading`.
    """
    first, *found = _ends(path, steps, t_start, sigma_min, sigma_max, start, between, steps_offset)
    high, low = (math.log(sigma) for sigma in found)
    return _at_sigmas(path, first, (math.exp(high + share * (low - high)) for share in _shares(steps)))


def beta(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    alpha: float = 0.6,
    beta: float = 0.6,
    sigma_min: float = 0.0,
    sigma_max: float = 0.0,
    start: float = 0,
    between: float = 0,
    steps_offset: float = 0,
) -> list[float]:
    """σ at equal shares of Beta(α, β) between σ_max and σ_min, then 0: more steps near both ends.

    Lee et al. 2024, Beta Sampling is All You Need, there over the training steps; over σ as diffusers has it. The
    others: as in `exponential`.
    """
    first, high, low = _ends(path, steps, t_start, sigma_min, sigma_max, start, between, steps_offset)
    shares = beta_quantile(1 - np.array(list(_shares(steps))), alpha, beta)
    return _at_sigmas(path, first, (low + share * (high - low) for share in shares.tolist()))


def log_snr(
    path: Path, steps: int, t_start: float = 1.0, log_snr_min: float = 0.0, log_snr_max: float = 0.0
) -> list[float]:
    """Equal steps of log-SNR between two bounds, then 0 (Lu et al. 2022, section 3.4).

    log-SNR = −2·log σ: `exponential`, with its bounds said the other way. 0 is the path's own: the ends of its table,
    else −10 and 10.
    """
    if path.n is None:
        log_snr_min, log_snr_max = log_snr_min or LOG_SNR_MIN, log_snr_max or LOG_SNR_MAX
    low, high = (math.exp(-bound / 2) if bound else 0.0 for bound in (log_snr_max, log_snr_min))
    return exponential(path, steps, t_start, low, high)


# which ends → the training steps whose first and last they are
_SPACINGS: dict[int, Callable[[Path, int, float], list[float]]] = {
    1: lambda path, steps, offset: leading(path, steps, steps_offset=offset),
    2: lambda path, steps, _: trailing(path, steps),
}


def _ends(
    path: Path,
    steps: int,
    t_start: float,
    sigma_min: float,
    sigma_max: float,
    start: float,
    between: float,
    steps_offset: float,
) -> tuple[float, float, float]:
    """The first time, and both ends of a ramp of σ; a start that is cleaner than σ_min still has a decade before it."""
    times = [1.0, 0.0 if path.n is None else path.t_at_timestep(0)]  # of both ends
    if between:
        times, start = _SPACINGS[int(between)](path, steps, steps_offset)[:steps], 1
    most = EDM_MAX if path.n is None else GONE
    high, low = (level(path, t).sigma for t in (times[0], times[-1]))
    high = min(level(path, t_start).sigma, sigma_max or (high if high < math.inf else most))
    low = sigma_min or low or EDM_MIN
    first = path.t_at_log_snr(-2 * math.log(high)) if start and t_start == 1 else t_start
    return first, high, low if low < high else high / 10


def _shares(steps: int) -> Iterable[float]:
    """How far the second to the last level lie between the first and the last."""
    return (i / (steps - 1) for i in range(1, steps))


def _at_sigmas(path: Path, first: float, inside: Iterable[float]) -> list[float]:
    return [first, *(path.t_at_log_snr(-2 * math.log(sigma)) for sigma in inside), 0.0]
