"""Grids of times, from t_start down to the data at t = 0: each gives steps + 1 falling times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from diffstudio.diffusion.paths import Path, resolution_shift
from diffstudio.diffusion.times.level import level


def uniform(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """Equal steps of t; on DDPM's table that is trailing spacing."""
    return [t_start * (steps - i) / steps for i in range(steps + 1)]


def quadratic(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """t = t_start·(1 − i/S)²: short steps near the data."""
    return [t_start * ((steps - i) / steps) ** 2 for i in range(steps + 1)]


def leading(path: Path, steps: int, t_start: float = 1.0, steps_offset: float = 0) -> list[float]:
    """Training steps i·⌊n/S⌋ + offset: the last is the first of the table, the chain starts below its end.

    DDPM's and DDIM's offset is 0, Stable Diffusion's is 1 (Lin et al. 2023, table 2).
    """
    ratio = training_steps(path.n, t_start) // steps
    return _on_table(path, t_start, (i * ratio + int(steps_offset) for i in reversed(range(steps))))


def linspace(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """Training steps from n − 1 to 0, both included, rounded half to even (Lin et al. 2023, table 2).

    A single step is that from training step 0.
    """
    last = training_steps(path.n, t_start) - 1
    return _on_table(path, t_start, np.linspace(0, last, steps).round()[::-1].astype(int).tolist())


def trailing(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """Training steps n − i·n/S − 1, rounded half to even: the chain starts at the end of the table.

    Lin et al. 2023, table 2: what zero terminal SNR needs.
    """
    last = training_steps(path.n, t_start)
    # Rounding may give arange one step too many.
    found = np.round(np.arange(last, 0, -last / steps))[:steps].astype(int) - 1
    return _on_table(path, t_start, found.tolist())


def karras(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    rho: float = 7.0,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
) -> list[float]:
    """Equal steps of σ^(1/ρ) from σ(t_start), at most σ_max, to σ_min, then 0 (Karras et al. 2022, eq. 5).

    The first time is t_start itself, even if its σ is larger.
    """
    high, low = _sigmas(path, t_start, sigma_min, sigma_max)
    high, low = high ** (1 / rho), low ** (1 / rho)
    return _at_sigmas(path, t_start, ((high + share * (low - high)) ** rho for share in _shares(steps)))


def exponential(
    path: Path, steps: int, t_start: float = 1.0, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> list[float]:
    """Equal steps of log σ from σ(t_start), at most σ_max, to σ_min, then 0; the limit ρ → ∞ of `karras`."""
    high, low = (math.log(sigma) for sigma in _sigmas(path, t_start, sigma_min, sigma_max))
    return _at_sigmas(path, t_start, (math.exp(high + share * (low - high)) for share in _shares(steps)))


def log_snr(
    path: Path, steps: int, t_start: float = 1.0, log_snr_min: float = -10.0, log_snr_max: float = 10.0
) -> list[float]:
    """Equal steps of log-SNR between two bounds, then 0 (Lu et al. 2022, section 3.4).

    log-SNR = −2·log σ: `exponential`, with its bounds said the other way.
    """
    return exponential(path, steps, t_start, math.exp(-log_snr_max / 2), math.exp(-log_snr_min / 2))


def shifted(path: Path, steps: int, t_start: float = 1.0, shift: float = 3.0) -> list[float]:
    """Equal steps of u with t = k·u/(1 + (k − 1)·u) (Esser et al. 2024, eq. 23).

    On `flow` every σ is k times that of `uniform`. k = 3 is Stable Diffusion 3's; the last u before the data is 1/S.
    """
    start = t_start / (shift - (shift - 1) * t_start)
    inside = [start * (steps - i) / steps for i in range(1, steps)]
    return [t_start, *(shift * u / (1 + (shift - 1) * u) for u in inside), 0.0]


def shifted_resolution(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    *,
    shape: Sequence[int],
    base_shift: float = 0.5,
    max_shift: float = 1.15,
    patch: float = 2,
) -> list[float]:
    """`shifted` with the k of `resolution_shift`, for the tokens of a sample. shape: one, without the batch."""
    return shifted(path, steps, t_start, resolution_shift(tokens(shape, int(patch)), base_shift, max_shift))


def custom(path: Path, steps: int, t_start: float = 1.0, *, times: Sequence[float]) -> list[float]:
    """The user's own falling list."""
    return [float(t) for t in times]


def training_steps(n: int | None, t_start: float) -> int:
    """How many of a table's n training steps lie up to t_start.

    Raises:
        ValueError: there is no table.
    """
    if n is None:
        raise ValueError("a path that is continuous in t has no integer training steps")
    return round(t_start * n)


def tokens(shape: Sequence[int], patch: int) -> int:
    """What a transformer attends to: patches of a picture or video (…, C, H, W), steps of (C, L), 1 for points."""
    if len(shape) < 3:
        return math.prod(shape[1:])
    *frames, _, height, width = shape
    return math.prod(frames) * -(-height // patch) * -(-width // patch)


def _on_table(path: Path, t_start: float, timesteps: Iterable[int]) -> list[float]:
    # From pure noise the chain starts where the spacing says, else where the given state is.
    first, *inside = (path.t_at_timestep(k) for k in timesteps)
    return [first if t_start == 1 else t_start, *inside, 0.0]


def _shares(steps: int) -> Iterable[float]:
    """How far the second to the last level lie between the first and the last."""
    return (i / (steps - 1) for i in range(1, steps))


def _sigmas(path: Path, t_start: float, sigma_min: float, sigma_max: float) -> tuple[float, float]:
    """The ends of a ramp of σ; a start that is cleaner than σ_min still has a decade before it."""
    high = min(level(path, t_start).sigma, sigma_max)
    return high, sigma_min if sigma_min < high else high / 10


def _at_sigmas(path: Path, t_start: float, inside: Iterable[float]) -> list[float]:
    return [t_start, *(path.t_at_log_snr(-2 * math.log(sigma)) for sigma in inside), 0.0]
