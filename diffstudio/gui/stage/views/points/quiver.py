"""The score field as arrows: where to ask for it, and one path that draws all arrows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath

from diffstudio.gui.stage.views.points.plane import Plane

SPACING = 38  # logical pixels between arrows
HEAD = 0.3  # of the arrow's length
LONGEST = 0.85  # of the spacing
SHORTEST = 1.5  # logical pixels; a shorter arrow is left out


@dataclass(frozen=True)
class Quiver:
    """The arrows of record k, in logical pixels; `longest` is the score that the longest arrows stand for."""

    k: int
    path: QPainterPath
    longest: float


def positions(plane: Plane, width: int, height: int, ratio: float) -> np.ndarray:
    """Coordinates (N, 2) float32 of a regular grid over a room of device pixels."""
    spacing = SPACING * ratio
    axes = []
    for extent in (width, height):
        many = max(1, int(extent // spacing))
        axes.append((np.arange(many) + 0.5) * spacing + (extent - many * spacing) / 2)
    x, y = np.meshgrid(*axes)
    at = np.stack([(x.ravel() - plane.x) / plane.scale, (plane.y - y.ravel()) / plane.scale], 1)
    return at.astype(np.float32)


def quiver(k: int, at: np.ndarray, arrows: np.ndarray, plane: Plane, ratio: float) -> Quiver | None:
    """Arrows (N, 2) at coordinates (N, 2), their length in proportion to the score up to its 90th percentile.

    None if no arrow is finite and longer than nothing.
    """
    size = np.linalg.norm(arrows, axis=1)
    good = np.isfinite(size) & (size > 0) & np.isfinite(at).all(1)
    if not good.any():
        return None
    at, arrows, size = at[good], arrows[good], size[good]
    longest = float(np.quantile(size, 0.9))
    length = SPACING * LONGEST * np.minimum(1.0, size / longest)
    along = arrows / size[:, None] * (1, -1)  # y upwards
    middle = plane.to_screen(at) / ratio
    path = QPainterPath()
    for m, d, n in zip(middle, along, length, strict=True):
        if n >= SHORTEST:
            _add_arrow(path, m - d * n / 2, d, float(n))
    return Quiver(k, path, longest)


def _add_arrow(path: QPainterPath, start: np.ndarray, d: np.ndarray, n: float) -> None:
    tip = start + d * n
    head, across = d * n * HEAD, np.array([-d[1], d[0]]) * n * HEAD * 0.6
    path.moveTo(QPointF(*start))
    path.lineTo(QPointF(*tip))
    path.moveTo(QPointF(*(tip - head + across)))
    path.lineTo(QPointF(*tip))
    path.lineTo(QPointF(*(tip - head - across)))
