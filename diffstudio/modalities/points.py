"""Points of the plane: (2,), drawn as a cloud."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np

from diffstudio.modalities.modality import Making, Meaning, Modality, Shown
from diffstudio.modalities.table_file import read_table

Bounds = tuple[float, float, float, float]  # left, bottom, right, top
_SUPER = 3  # drawn this much larger, then averaged


def bounds_of(*clouds: np.ndarray, share: float = 0.998) -> Bounds:
    """A square around clouds (N, 2), centred at 0, that holds a share of each cloud's coordinates with a margin."""
    reach = 0.5
    for cloud in clouds:
        finite = np.abs(cloud[np.isfinite(cloud).all(1)])
        if len(finite):
            reach = max(reach, float(np.quantile(finite, share)))
    reach *= 1.12
    return -reach, -reach, reach, reach


def render(
    points: np.ndarray,
    bounds: Bounds,
    side: int,
    *,
    colour: tuple[int, int, int],
    paper: tuple[int, int, int],
    radius: float = 2.0,
    opacity: float = 0.85,
    under: np.ndarray | None = None,
    arrows: np.ndarray | None = None,
) -> np.ndarray:
    """(N, 2) → a picture (side, side, 3) uint8 of soft discs.

    under: other points (M, 2) drawn faintly below.  arrows: (N, 2) displacements drawn as lines from the points.
    """
    canvas = np.full((side, side, 3), paper, np.float64)
    if under is not None:
        faint = _coverage(under, bounds, side, radius, 0.25)
        canvas += faint[..., None] * (_mix(paper, colour, 0.35) - canvas)
    if arrows is not None:
        lines = _lines(points, arrows, bounds, side)
        canvas += lines[..., None] * (_mix(paper, colour, 0.7) - canvas)
    cover = _coverage(points, bounds, side, radius, opacity)
    canvas += cover[..., None] * (np.array(colour, float) - canvas)
    return canvas.round().clip(0, 255).astype(np.uint8)


def to_screen(points: np.ndarray, bounds: Bounds, side: int) -> np.ndarray:
    """Coordinates → pixels (x to the right, y downwards)."""
    left, bottom, right, top = bounds
    with np.errstate(over="ignore", invalid="ignore"):  # what diverged lies nowhere
        x = (points[:, 0] - left) / (right - left) * side
        y = (top - points[:, 1]) / (top - bottom) * side
    return np.stack([x, y], 1)


def _coverage(points: np.ndarray, bounds: Bounds, side: int, radius: float, opacity: float) -> np.ndarray:
    """How much of each pixel is covered, 0..1, when each disc lets 1 − opacity through."""
    large, r = side * _SUPER, radius * _SUPER
    at = to_screen(points[np.isfinite(points).all(1)], bounds, large)
    at = at[((at > -r) & (at < large + r)).all(1)].astype(int)
    reach = int(np.ceil(r))
    edge = 2 * reach + 1  # a disc whose centre is just outside still fits
    depth = np.zeros((large + 2 * edge, large + 2 * edge))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= r * r:
                np.add.at(depth, (at[:, 1] + edge + dy, at[:, 0] + edge + dx), 1.0)
    depth = depth[edge : edge + large, edge : edge + large]
    clear = (1 - opacity) ** depth
    return 1 - clear.reshape(side, _SUPER, side, _SUPER).mean((1, 3))


def _lines(points: np.ndarray, arrows: np.ndarray, bounds: Bounds, side: int) -> np.ndarray:
    """Coverage of lines from points along arrows."""
    from PIL import Image, ImageDraw  # the window shows itself before it needs these

    large = side * _SUPER
    picture = Image.new("L", (large, large))
    pen = ImageDraw.Draw(picture)
    finite = np.isfinite(points).all(1) & np.isfinite(arrows).all(1)
    starts, ends = (to_screen(p[finite], bounds, large) for p in (points, points + arrows))
    for (x0, y0), (x1, y1) in zip(starts, ends, strict=True):
        pen.line((x0, y0, x1, y1), fill=160, width=2)
    return np.asarray(picture, float).reshape(side, _SUPER, side, _SUPER).mean((1, 3)) / 255


def _mix(paper: tuple[int, int, int], colour: tuple[int, int, int], share: float) -> np.ndarray:
    return np.array(paper, float) * (1 - share) + np.array(colour, float) * share


def _write(stream: BinaryIO, suffix: str, meaning: Meaning, shown: Shown, making: Making) -> None:
    """x,y with all their digits: seventeen thousand pictures of a dot each would help nobody."""
    width = meaning.shape[0]
    names = ["x", "y", "z"][:width] if width <= 3 else [f"x{i}" for i in range(width)]
    text = io.StringIO(newline="")
    np.savetxt(text, shown.rows, "%.9g", ",", header=",".join(names), comments="")
    stream.write(text.getvalue().encode())


POINTS = Modality(
    name="points",
    title="Points",
    rank=1,
    suffixes=(".csv", ".txt"),
    read=lambda path, meaning, fit: read_table(path),
    colours=lambda meaning: "ramp",
    exports={".csv": ("samples",)},
    write=_write,
    sample_suffix=".csv",
    default_scale=2,
    ranged=False,
)
