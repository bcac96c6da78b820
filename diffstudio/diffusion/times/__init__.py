"""Which levels a chain visits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diffstudio import options
from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import grids, ramps, table_steps
from diffstudio.diffusion.times.level import NEEDS_SIGNAL, Level, level, prediction_problem
from diffstudio.errors import BadInput
from diffstudio.specs import grid_problem

__all__ = ["GRIDS", "NEEDS_SIGNAL", "Level", "level", "levels", "prediction_problem"]

GRIDS: dict[str, Callable[..., list[float]]] = {
    "uniform": grids.uniform,
    "quadratic": grids.quadratic,
    "trailing": table_steps.trailing,
    "leading": table_steps.leading,
    "linspace": table_steps.linspace,
    "lcm": table_steps.lcm,
    "karras": ramps.karras,
    "exponential": ramps.exponential,
    "beta": ramps.beta,
    "log_snr": ramps.log_snr,
    "shifted": grids.shifted,
    "shifted_resolution": grids.shifted_resolution,
    "custom": grids.custom,
}


def levels(
    path: Path,
    steps: int,
    grid: str = "uniform",
    t_start: float = 1.0,
    *,
    params: Mapping[str, float] | None = None,
    times: Sequence[float] | None = None,
    shape: Sequence[int] | None = None,
) -> list[Level]:
    """steps + 1 levels from noise down to the data at t = 0; a list of your own, and training steps, may end before.

    t_start: below 1 it is the first time itself. A grid of training steps may begin a little below 1.
    params: what the grid takes. times: the list of a "custom" grid. shape: one sample, for "shifted_resolution".

    Raises:
        BadInput: a grid that does not suit the path, or anything out of its bounds; nothing was computed.
    """
    problem = grid_problem(grid, path.name, path.n, steps, t_start=t_start, params=params, times=times, shape=shape)
    if problem:
        raise BadInput(problem)
    given: dict[str, Any] = {"times": times, "shape": shape}
    needs = options.GRIDS[grid].needs
    own = {needs: given[needs]} if needs in given else {}
    found = GRIDS[grid](path, steps, t_start, **own, **(params or {}))
    for t, after in itertools.pairwise(found):
        if after >= t:
            raise BadInput(f"grid '{grid}' has two of its {steps:,} steps at one time, t = {t:g}: choose fewer steps")
    return [level(path, t) for t in found]
