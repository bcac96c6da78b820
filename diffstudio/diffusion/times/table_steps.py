"""Grids that count the training steps of a path's table: each gives steps + 1 falling times."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from diffstudio.diffusion.paths import Path
from diffstudio.specs import distilled, trailing_stride


def leading(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    steps_offset: float = 0,
    spare: float = 0,
    cut: float = 0,
    end: float = 0,
) -> list[float]:
    """Training steps i·⌊n/S⌋ + offset, i < S: the last is the first of the table, the chain starts below its end.

    DDPM's and DDIM's offset is 0, Stable Diffusion's is 1 (Lin et al. 2023, table 2). spare: i·⌊n/(S + 1)⌋ + offset for
    i = S … 1, as multistep schedulers of diffusers count. cut, end: as in `linspace`.
    """
    first = int(spare)
    ratio = counted(path.n, t_start, cut) // (steps + first)
    return _on_table(path, t_start, end, (i * ratio + int(steps_offset) for i in reversed(range(first, steps + first))))


def linspace(
    path: Path,
    steps: int,
    t_start: float = 1.0,
    spare: float = 0,
    whole: float = 1,
    cut: float = 0,
    end: float = 0,
) -> list[float]:
    """Training steps from n − 1 to 0, both included, rounded half to even (Lin et al. 2023, table 2).

    A single step is that from training step 0. whole: 0 leaves them unrounded. spare: one point more, of which the
    last, training step 0, is left out. cut: so many steps are left out at the noisy end. end: 1 goes to training step
    0, which has a little noise, instead of to the data.
    """
    points = np.linspace(0, counted(path.n, t_start, cut) - 1, steps + int(spare))
    falling = (points.round() if whole else points)[::-1][:steps]
    return _on_table(path, t_start, end, falling.tolist())


def trailing(path: Path, steps: int, t_start: float = 1.0, cut: float = 0, end: float = 0) -> list[float]:
    """Training steps n − i·n/S − 1, rounded half to even: the chain starts at the end of the table.

    Lin et al. 2023, table 2: what zero terminal SNR needs. cut, end: as in `linspace`.
    """
    have, n = counted(path.n, t_start, cut), training_steps(path.n, t_start)
    # Rounding may give arange one step too many.
    found = np.round(np.arange(have, 0, -trailing_stride(have, n, steps)))[:steps] - 1
    return _on_table(path, t_start, end, found.tolist())


def lcm(path: Path, steps: int, t_start: float = 1.0, original: float = 50, end: float = 0) -> list[float]:
    """Training steps k·⌊n/D⌋ − 1, k ≤ D, of which every so many-th is taken from the end of the table.

    The times of a distillation in D = original steps (Luo et al. 2023, latent consistency models): a network that was
    distilled knows no others. A run of more steps has a larger D. end: as in `linspace`.
    """
    stride, known = distilled(training_steps(path.n, 1.0), t_start, steps, int(original))
    # At least one: ⌊i·D/S⌋ from the noisiest
    return _on_table(path, t_start, end, ((known - i * known // steps) * stride - 1 for i in range(steps)))


def training_steps(n: int | None, t_start: float) -> int:
    """How many of a table's n training steps lie up to t_start.

    Raises:
        ValueError: there is no table.
    """
    if n is None:
        raise ValueError("a path that is continuous in t has no integer training steps")
    return round(t_start * n)


def counted(n: int | None, t_start: float, cut: float) -> int:
    """The same, without those that are cut at the noisy end."""
    return min(training_steps(n, t_start), training_steps(n, 1.0) - int(cut))


def _on_table(path: Path, t_start: float, end: float, timesteps: Iterable[float]) -> list[float]:
    # From pure noise the chain starts where the spacing says, else where the given state is.
    first, *inside = (path.t_at_timestep(k) for k in timesteps)
    return [first if t_start == 1 else t_start, *inside, path.t_at_timestep(0) if end else 0.0]
