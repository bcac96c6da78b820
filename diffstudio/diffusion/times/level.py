"""A level (t, a, s): a place on a path, as Python floats that are computed before the loop."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from diffstudio import options
from diffstudio.diffusion.paths import Path

NEEDS_SIGNAL = ("eps", "edm")  # predictions that say nothing of x_0 where a = 0


class Level(NamedTuple):
    """A place on a path: x_t = a·x_0 + s·ε."""

    t: float
    a: float
    s: float

    @property
    def log_snr(self) -> float:
        """log(a²/s²), ±∞ at the ends."""
        if self.s == 0:
            return math.inf
        return 2 * math.log(self.a / self.s) if self.a > 0 else -math.inf

    @property
    def sigma(self) -> float:
        """σ = s/a, ∞ where a = 0."""
        return self.s / self.a if self.a > 0 else math.inf


def level(path: Path, t: float) -> Level:
    """The level at t; below 1e-12 the remaining a (cos π/2 is 6e-17) counts as none."""
    a, s = float(path.a(np.float64(t))), float(path.s(np.float64(t)))  # pyright: ignore
    return Level(float(t), a if a > 1e-12 else 0.0, s)


def prediction_problem(prediction: str, path: Path, t_start: float = 1.0) -> str:
    """Why a network with that prediction can't start a chain at t_start, in one sentence; "" if it can.

    path: the one that the network was trained on. t_start: the time of the first level.
    """
    if prediction not in NEEDS_SIGNAL or level(path, t_start).a > 0:
        return ""
    return (
        f"{options.PREDICTIONS[prediction].label} prediction has no x̂0 where the signal is gone "
        f"(path '{path.name}' at t = {t_start:g}): start later, or use a model that predicts v or x0"
    )
