"""Where the plane's coordinates lie on the screen, and the round numbers along its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.modalities.points import Bounds

SMALLEST, LARGEST = 1e-2, 1e7  # device pixels for a unit


@dataclass(frozen=True)
class Plane:
    """Equal scale on both axes, y upwards.

    scale: device pixels for a unit.  x, y: device pixels of the origin.
    """

    scale: float
    x: float
    y: float

    def to_screen(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) coordinates → (N, 2) device pixels."""
        out = np.empty(points.shape)
        with np.errstate(over="ignore", invalid="ignore"):  # what diverged lies nowhere
            np.multiply(points[:, 0], self.scale, out=out[:, 0])
            np.multiply(points[:, 1], -self.scale, out=out[:, 1])
        out[:, 0] += self.x
        out[:, 1] += self.y
        return out

    def to_world(self, x: float, y: float) -> tuple[float, float]:
        """Device pixels → coordinates."""
        return (x - self.x) / self.scale, (self.y - y) / self.scale

    def zoomed(self, factor: float, x: float, y: float) -> Plane:
        """Larger by a factor about a position that stays where it is."""
        # A cloud that diverged may have been fitted beyond the limits: from there the zoom must not jump.
        scale = min(max(LARGEST, self.scale), max(min(SMALLEST, self.scale), self.scale * factor))
        grown = scale / self.scale
        return Plane(scale, x - (x - self.x) * grown, y - (y - self.y) * grown)

    def panned(self, dx: float, dy: float) -> Plane:
        """Moved by device pixels."""
        return Plane(self.scale, self.x + dx, self.y + dy)


def fitted(bounds: Bounds, width: int, height: int) -> Plane:
    """The plane with all of the bounds in the middle of a room of device pixels."""
    left, bottom, right, top = bounds
    scale = min(width / (right - left), height / (top - bottom))
    return Plane(scale, width / 2 - (left + right) / 2 * scale, height / 2 + (bottom + top) / 2 * scale)


def step_for(units: float) -> float:
    """The smallest of 1, 2, 5 × 10ⁿ that is at least so many units."""
    power = 10.0 ** math.floor(math.log10(units))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= units * 0.999)


def ticks(low: float, high: float, step: float) -> list[float]:
    """Multiples of the step between low and high."""
    first, last = math.ceil(low / step), math.floor(high / step)
    return [i * step for i in range(first, last + 1)]


def decimals(step: float) -> int:
    """Decimals that a tick label needs."""
    return max(0, -math.floor(math.log10(step) + 1e-9))
