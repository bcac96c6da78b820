"""Grids of times that are formulas in t, from t_start down to the data at t = 0: each gives steps + 1 falling times."""

from __future__ import annotations

import math
from collections.abc import Sequence

from diffstudio.diffusion.paths import Path, resolution_shift
from diffstudio.diffusion.paths.continuous import MAX_SHIFT


def uniform(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """Equal steps of t; on DDPM's table that is trailing spacing."""
    return [t_start * ((steps - i) / steps) for i in range(steps + 1)]


def quadratic(path: Path, steps: int, t_start: float = 1.0) -> list[float]:
    """t = t_start·(1 − i/S)²: short steps near the data."""
    return [t_start * ((steps - i) / steps) ** 2 for i in range(steps + 1)]


def shifted(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    shift: float = 3.0,
    first: float = 1.0,
    last: float = 0.0,
    floor: float = 0.0,
    terminal: float = 0.0,
) -> list[float]:
    """Equal steps of u with t = k·u/(1 + (k − 1)·u) (Esser et al. 2024, eq. 23), then the data.

    On `flow` every σ is k times that of `uniform`. k = 3 is Stable Diffusion 3's; the last u before the data is 1/S.

    first: the u at the start.  last: the last u before the data; 0 is that of S equal steps from `first` to `floor`,
    whose end the data take.  terminal: the last t before the data, to which all are stretched; 0 leaves them.
    """
    top = first if t_start == 1 else t_start / (shift - (shift - 1) * t_start)
    if 0 < last < top and steps > 1:
        inside = [top + (last - top) * i / (steps - 1) for i in range(steps)]
    else:
        down = top - floor if floor < top else top
        inside = [top - down * i / steps for i in range(steps)]
    times = [u / (u + (1 - u) / shift) for u in inside]  # as above, and exactly 1 at u = 1
    if t_start < 1:
        times[0] = t_start
    return [*_stretched(times, terminal), 0.0]


def shifted_resolution(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    *,
    shape: Sequence[int],
    base_shift: float = 0.5,
    max_shift: float = 1.15,
    patch: float = 2,
    linear: float = 0,
    first: float = 1.0,
    last: float = 0.0,
    floor: float = 0.0,
    terminal: float = 0.0,
) -> list[float]:
    """`shifted` with the k of `resolution_shift`, for the tokens of a sample. shape: one, without the batch.

    linear: 1 takes μ itself for k, not e^μ.
    """
    shift = resolution_shift(tokens(shape, int(patch)), base_shift, max_shift)
    if linear:
        shift = min(MAX_SHIFT, max(1 / MAX_SHIFT, math.log(shift)))
    return shifted(path, steps, t_start, shift, first, last, floor, terminal)


def custom(path: Path, steps: int, t_start: float = 1.0, *, times: Sequence[float]) -> list[float]:
    """The user's own falling list."""
    return [float(t) for t in times]


def tokens(shape: Sequence[int], patch: int) -> int:
    """What a transformer attends to: patches of a picture or video (…, C, H, W), steps of (C, L), 1 for points."""
    if len(shape) < 3:
        return math.prod(shape[1:])
    *frames, _, height, width = shape
    return math.prod(frames) * -(-height // patch) * -(-width // patch)


def _stretched(times: list[float], terminal: float) -> list[float]:
    """Stretched away from the first t, which stays, until the last is `terminal` (as LTX-Video is sampled)."""
    if not 0 < terminal < times[0] or times[-1] == times[0]:
        return times
    scale = (times[0] - terminal) / (times[0] - times[-1])
    return [times[0] - (times[0] - t) * scale for t in times]
