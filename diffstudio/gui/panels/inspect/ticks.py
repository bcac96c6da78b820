"""Where the numbers of an axis stand, and how they are written so that each has room. Arithmetic alone, no Qt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from diffstudio.gui.kit.words import count, number


class Label(NamedTuple):
    """A number on an axis: where its middle is, in pixels along it, and how much room its text takes there."""

    value: float
    text: str
    at: float
    size: float


PLAIN = 1e5, 1e-3  # larger numbers, and numbers in finer steps, are written with their power of ten
AIR = 7.0  # pixels between two numbers


def even(
    low: float, high: float, texts: Callable[[Sequence[float], float], Sequence[Label]]
) -> tuple[list[Label], float]:
    """Round numbers between low and high, as many as stand beside each other, and in which steps they are written.

    Multiples of the smallest of 1, 2, 5 × 10ⁿ of which all have room. Where those are fewer than two, because little
    but a long number fits, some of finer ones. texts: what numbers, so far apart, are on the axis.
    """
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return [], 1.0
    power = math.floor(math.log10((high - low) / 50))
    spare: tuple[list[Label], float] = [], 1.0
    for exponent in range(power, power + 3):
        for digit in (1, 2, 5):
            step = digit * 10.0**exponent
            places = [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
            found = texts(places, step)
            some = spread(found)
            if len(some) == len(found) >= 2:
                return some, step
            spare = (some, step) if len(some) >= 2 else spare
    return spare


def spread(labels: Sequence[Label]) -> list[Label]:
    """Those that stand apart, from the first on."""
    out: list[Label] = []
    for label in labels:
        if not out or label.at - out[-1].at >= (label.size + out[-1].size) / 2 + AIR:
            out.append(label)
    return out


def written(value: float, step: float, top: float) -> str:
    """A number among others that are `step` apart and no larger than `top`."""
    if abs(value) < step / 2:
        return "0"
    if top >= PLAIN[0] or step < PLAIN[1]:
        return power_of_ten(value, step)
    return number(value, max(0, -math.floor(math.log10(step) + 1e-9)))


def power_of_ten(value: float, step: float) -> str:
    """1.5e−7: with the digits that tell it from its neighbours."""
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    digits = max(0, exponent - math.floor(math.log10(step) + 1e-9))
    mantissa = number(value / 10.0**exponent, digits)
    return f"{mantissa}e{exponent}".replace("-", "−")


def counted(value: float) -> str:
    """A count, short: 950, 12k, 1.5M."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= unit:
            size = 1e3 if name == "k" else unit
            return f"{number(value / size, 0 if value % size == 0 else 1)}{name}"
    return count(round(value))


def short(value: float) -> str:
    """A positive number of a logarithmic scale: 0.01, 50, 2e5."""
    if PLAIN[1] * 0.99 <= value < PLAIN[0]:
        return number(value, max(0, math.ceil(-math.log10(value) - 1e-9)))
    return power_of_ten(value, 10.0 ** math.floor(math.log10(value) + 1e-9))
