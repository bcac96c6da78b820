"""What a path is: two coefficients of t, their derivatives, and the way back from the noise level to t."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Path:
    """A path by its two coefficients and their time derivatives.

    t_of: the t with a given log-SNR, on Python floats; it may lie outside of [0, 1].
    clock: the time in which an ODE solver steps. "sigma" is σ = s/a (EDM; finite only while a > 0), "flow" is
        s/(a + s), which stays finite where a = 0.
    theta: the law of the noise that is mixed in, of mean 0 and variance 1.
    n: the length of the chain that defines the path, None for one that is continuous in t.
    """

    name: str
    a: Callable[[Array], Array]
    s: Callable[[Array], Array]
    da: Callable[[Array], Array]
    ds: Callable[[Array], Array]
    t_of: Callable[[float], float]
    clock: Literal["sigma", "flow"] = "sigma"
    theta: Literal["gaussian", "uniform"] = "gaussian"
    n: int | None = None

    def log_snr(self, t: Array) -> Array:
        """log(a²/s²): +∞ at the data, −∞ where a = 0."""
        with np.errstate(divide="ignore"):
            return 2 * (np.log(self.a(t)) - np.log(self.s(t)))

    def t_at_log_snr(self, log_snr: float) -> float:
        """The t with that log-SNR; beyond the ends of the path the nearer end, 0 or 1."""
        return min(1.0, max(0.0, self.t_of(log_snr)))

    def timestep(self, t: float) -> int:
        """The integer training step 0 … n − 1 whose place is nearest to t: t = (timestep + 1)/n.

        Step 0 is the first noise that was added, as networks that were trained on a table count.

        Raises:
            ValueError: the path is continuous, and has none.
        """
        n = self._training_steps()
        return min(n - 1, max(0, round(t * n) - 1))

    def t_at_timestep(self, timestep: float) -> float:
        """The t of a training step, (timestep + 1)/n, also of one between two whole ones; −1 is the data.

        Raises:
            ValueError: the path is continuous, and has none.
        """
        return (timestep + 1) / self._training_steps()

    def _training_steps(self) -> int:
        if self.n is None:
            raise ValueError(f"path '{self.name}' has no integer training steps")
        return self.n


def sigma_of(log_snr: float) -> float:
    """σ = s/a at a log-SNR; 0 and ∞ where a float ends."""
    return math.exp(-0.5 * log_snr) if log_snr > -1400 else math.inf
