"""Ticks of the ruler: round values of the clock, where the axis has them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from diffstudio.gui.kit.words import count, number
from diffstudio.gui.timeline.axis import Axis, Band

MIN_DISTANCE = 52.0  # px between labels
WHOLE = ("step", "nfe")


@dataclass(frozen=True)
class Tick:
    """A labelled place in the view."""

    x: float
    text: str


def ticks(axis: Axis, band: Band, clock: str) -> list[Tick]:
    """The labels of a band that are in view, at least MIN_DISTANCE apart."""
    values = band.span.values
    if band.span.chain == 0 and clock == "nfe":
        clock = "step"  # noising calls no network
    known = min(len(values), band.span.count)
    xs = band.xs[:known] - axis.offset
    if known < 2 or values[0] == values[-1]:
        return [Tick(float(xs[0]), _text(values[0], clock, 1.0))] if known else []
    rising = values[-1] > values[0]
    ordered = values if rising else values[::-1]
    seen = np.interp([0, axis.width], xs, values)
    candidates, step = _candidates(float(min(seen)), float(max(seen)), clock, _room(axis, xs))
    at = np.interp(candidates, ordered, xs if rising else xs[::-1])
    out: list[Tick] = []
    for x, value in sorted(zip(at.tolist(), candidates.tolist(), strict=True)):
        if 0 <= x <= axis.width and (not out or x - out[-1].x >= MIN_DISTANCE):
            out.append(Tick(x, _text(value, clock, step)))
    return out


def _room(axis: Axis, xs: np.ndarray) -> int:
    """How many labels fit where the band is in view."""
    return max(1, int((min(axis.width, xs[-1]) - max(0.0, xs[0])) / MIN_DISTANCE))


def _candidates(low: float, high: float, clock: str, most: int) -> tuple[np.ndarray, float]:
    if clock == "sigma":
        powers = range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1)
        logs = np.array([math.log(m * 10.0**p) for p in powers for m in (1, 2, 5)])
        return logs[(logs >= low - 1e-9) & (logs <= high + 1e-9)], 0.0
    step = nice_step((high - low) / most)
    if clock in WHOLE:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return np.arange(first, last + 1) * step, step


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5 × 10^k that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def _text(value: float, clock: str, step: float) -> str:
    if clock in WHOLE:
        return count(round(value))
    if clock == "sigma":
        value = math.exp(value)
        return number(value, max(0, -math.floor(math.log10(value) + 1e-9)))
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)), sign=clock == "log_snr" and value != 0)
