"""A region in words: which places of a state are drawn anew, as "x 0..13, y 4..20", "0.1..0.25 s", "frame 3..7" or "y".

    region = [not] box ; box ; …         any of the boxes
    box    = term , term , …             all of the terms
    term   = axis range | range axis | axis | inside (x y) (x y) (x y) …
    range  = number | number .. number   both ends belong to it

An axis alone is the coordinate itself: of points "y" draws y anew and keeps x.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

MAX_REGION = 4000  # characters
MAX_TERMS = 200
_NUMBER = r"[+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = rf"({_NUMBER})(?:\s*(?:\.\.|…)\s*({_NUMBER}))?"
_AFTER, _BEFORE = (re.compile(form) for form in (rf"([a-zA-Z]+)\s*{_RANGE}", rf"{_RANGE}\s*([a-zA-Z]+)"))
_ALONE = re.compile(r"[a-zA-Z]+")
_CORNER = re.compile(rf"\(\s*({_NUMBER})[\s,]+({_NUMBER})\s*\)")
# What people call an axis, and how many of ours one of theirs is.
_NAMES = {
    "frames": ("frame", 1.0), "letters": ("letter", 1.0), "sec": ("s", 1.0), "second": ("s", 1.0),
    "seconds": ("s", 1.0), "ms": ("s", 0.001), "khz": ("hz", 1000.0), "hertz": ("hz", 1.0),
}  # fmt: skip
FORM = "write it like 'x 0..13, y 4..20', '0.1..0.25 s', 'frame 3..7' or 'inside (0 0) (4 0) (4 4)'"


class Span(NamedTuple):
    """Where an axis lies between two values."""

    axis: str
    low: float
    high: float


class Whole(NamedTuple):
    """A coordinate of each sample."""

    axis: str


class Inside(NamedTuple):
    """Within a polygon of the axes x and y."""

    corners: tuple[tuple[float, float], ...]


Term = Span | Whole | Inside


class Region(NamedTuple):
    """Boxes of terms; inverse: all but these."""

    boxes: tuple[tuple[Term, ...], ...]
    inverse: bool = False


@functools.lru_cache(maxsize=64)
def parse_region(text: str) -> Region:
    """A region from its words.

    Raises:
        ValueError: it is not of that form; the sentence says which part is not.
    """
    words = text.strip()
    inverse = words.casefold().startswith("not ")
    boxes = tuple(_box(part) for part in words[4 * inverse :].split(";") if part.strip())
    if not boxes:
        raise ValueError(f"a region says nothing: {FORM}")
    if sum(map(len, boxes)) > MAX_TERMS:
        raise ValueError(f"a region has more than {MAX_TERMS} parts: use fewer")
    return Region(boxes, inverse)


def axes_of(region: Region) -> set[str]:
    """The axes that a region speaks of."""
    found: set[str] = set()
    for term in (term for box in region.boxes for term in box):
        found |= {"x", "y"} if isinstance(term, Inside) else {term.axis}
    return found


def _box(text: str) -> tuple[Term, ...]:
    # Corners have commas of their own.
    whole = _CORNER.sub(lambda found: found[0].replace(",", " "), text)
    return tuple(_term(part.strip()) for part in whole.split(",") if part.strip())


def _term(text: str) -> Term:
    if text.casefold().startswith("inside"):
        corners = _CORNER.findall(text)
        if len(corners) < 3 or _CORNER.sub("", text[6:]).strip():
            raise ValueError(f"'{text:.60}' is no region: inside needs three corners or more, like (0 0) (4 0) (4 4)")
        return Inside(tuple((_value(x), _value(y)) for x, y in corners))
    if found := _AFTER.fullmatch(text):
        return _span(found[1], found[2], found[3])
    if found := _BEFORE.fullmatch(text):
        return _span(found[3], found[1], found[2])
    if _ALONE.fullmatch(text):
        return Whole(_axis(text)[0])
    raise ValueError(f"'{text:.60}' is no region: {FORM}")


def _span(name: str, low: str, high: str | None) -> Span:
    axis, scale = _axis(name)
    ends = sorted((_value(low) * scale, _value(high or low) * scale))
    return Span(axis, *ends)


def _axis(name: str) -> tuple[str, float]:
    return _NAMES.get(name.casefold(), (name.casefold(), 1.0))


def _value(text: str) -> float:
    return float(text.replace("−", "-"))


class Axes(NamedTuple):
    """What a region is asked of. values: of each axis at each place, broadcast to (B, *shape).

    own: of points, where each coordinate is, (1, C), by the axis's name; a region alone names them.
    """

    values: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray] = {}


def inside(region: Region, axes: Axes) -> np.ndarray:
    """Where the region is, bool, broadcasts to the states (B, *shape).

    Raises:
        ValueError: an axis that there is not, or one alone that is no coordinate.
    """
    out = np.zeros((1,), bool)
    for box in region.boxes:
        part = np.ones((1,), bool)
        for term in box:
            part = part & _where(term, axes)
        out = out | part
    return ~out if region.inverse else out


def _where(term: Term, axes: Axes) -> np.ndarray:
    for name in sorted(axes_of(Region(((term,),)))):
        if name not in axes.values:
            known = ", ".join(axes.values)
            raise ValueError(f"there is no axis '{name}' here: a region speaks of {known}")
    if isinstance(term, Inside):
        return _in_polygon(axes.values["x"], axes.values["y"], term.corners)
    if isinstance(term, Span):
        return (axes.values[term.axis] >= term.low) & (axes.values[term.axis] <= term.high)
    if term.axis not in axes.own:
        raise ValueError(f"'{term.axis}' needs a range, like {term.axis} 2..5")
    return axes.own[term.axis]


def _in_polygon(x: np.ndarray, y: np.ndarray, corners: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Even-odd rule: a ray to the right crosses an odd number of sides."""
    out = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            out ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return out
