"""Points of the user's own in the plane that a model knows: whether they lie in it, and how they are brought there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffstudio.modalities.modality import Fit

FITS_OF_POINTS: tuple[Fit, ...] = ("pad", "stretch", "keep")
OUTSIDE, FAR, FARTHER = 2.0, 4.0, 10.0  # times the plane, about its middle; FARTHER is far from one that is guessed
FEW = 0.1  # share of points that may be far outside, as outliers are
UNKNOWN = 1.5  # half the side of the plane of a model that does not say its data


class Plane(NamedTuple):
    """The box that a model's data fill, (C,) each. known: from its data, not guessed."""

    low: np.ndarray
    high: np.ndarray
    known: bool = True


def far_outside(rows: np.ndarray, plane: Plane) -> bool:
    """Whether more than a few points (N, C) lie so far outside of the plane that the model says nothing of them."""
    return _beyond(rows, plane, FAR if plane.known else FARTHER)


def is_outside(rows: np.ndarray, plane: Plane) -> bool:
    """Whether more than a few points lie outside of the plane at all, as far as it is known."""
    return plane.known and _beyond(rows, plane, OUTSIDE)


def _beyond(rows: np.ndarray, plane: Plane, times: float) -> bool:
    middle, half = (plane.low + plane.high) / 2, (plane.high - plane.low) / 2
    return bool((np.abs(rows - middle) > times * half).any(1).mean() > FEW)


def into_plane(rows: np.ndarray, plane: Plane, fit: Fit) -> tuple[np.ndarray, str]:
    """Points (N, C) in the plane: "pad" centres them and scales them alike, "stretch" each axis; and what was done."""
    if fit == "keep":
        return rows, ""
    low, high = rows.min(0).astype(np.float64), rows.max(0).astype(np.float64)
    sides = np.where(high > low, high - low, 1.0)
    scale = sides / (plane.high - plane.low)
    if fit == "pad":
        scale = np.full_like(scale, scale.max())
    centre = (low + high) / 2
    placed = (rows - centre) / scale + (plane.low + plane.high) / 2
    by = f"{scale[0]:.3g}" if fit == "pad" else _several(scale)
    said = f"centred at {_several(centre)} and divided by {by}; what comes out stays in the model's plane"
    return placed.astype(np.float32), said


def outside_sentence(name: str, rows: np.ndarray, plane: Plane) -> str:
    """That points lie far outside, and what can be done."""
    return (
        f"{name} has {_found(rows, plane)}: fit them by pad (centred and scaled), stretch (each axis by itself) or "
        "keep (--fit on the command line)"
    )


def outside_remark(rows: np.ndarray, plane: Plane) -> str:
    """That points lie outside, and are left there."""
    return f"{_found(rows, plane)}: they are kept where they are (--fit pad centres and scales them)"


def _found(rows: np.ndarray, plane: Plane) -> str:
    found = f"points from {_several(rows.min(0))} to {_several(rows.max(0))}"
    return f"{found}, far outside of the model's {_several(plane.low)} to {_several(plane.high)}"


def _several(values: np.ndarray) -> str:
    return f"({', '.join(f'{v:.3g}' for v in values[:4])}{', …' if len(values) > 4 else ''})"
