"""What the points view says in words: of one point in the header, and of what is not as it seems on the plane."""

from __future__ import annotations

import numpy as np

from diffstudio.analysis import fields
from diffstudio.errors import BadFile
from diffstudio.gui.kit.words import SHY, count, number, tr
from diffstudio.gui.stage.views import legend
from diffstudio.gui.stage.views.points.points_scene import EPS_SHARE, PointsScene
from diffstudio.studio.export import pictures
from diffstudio.traces.reader import Trace


def readout(scene: PointsScene, index: int, log_p_here: str = "") -> str:
    """A point and its recorded coordinates: not those that the screen may have scaled. The scene is composed."""
    assert scene.trace is not None
    parts = [tr("point {} of {}").format(count(index + 1), count(scene.trace.batch))]
    try:
        parts += _values(scene, scene.trace, index)
    except (BadFile, IndexError):
        return parts[0]
    if log_p_here:
        parts.append(log_p_here)
    if scene.lost:
        parts.append(tr("{} not finite").format(count(scene.lost)))
    if abs(scene.zoom - 1) > 0.01:
        parts.append(f"{number(scene.zoom * 100, 0)} %")
    return f" {SHY} ".join(parts)


def log_p(value: float, x: float, y: float, interpolated: bool = False) -> str:
    """log p −1.27 at (0.31, −0.72), with ≈ where it is interpolated; "" where it is not known."""
    if np.isnan(value):
        return ""
    said = tr("log p ≈ {} at {}") if interpolated else tr("log p {} at {}")
    return said.format(number(value), _pair(np.array([x, y])))


def note(scene: PointsScene, longest: float | None, density: str = "") -> str:
    """Scaled positions, shortened lines, the unit of the arrows. longest: the score of the longest, None without."""
    assert scene.trace is not None
    notes = [density]
    if scene.shown == "xt":
        notes.append(legend.gain_note(pictures.display_gain(scene.trace, scene.k)))
    if scene.tensor in pictures.SIGNED:
        name = pictures.tensor_title(scene.trace, scene.k, scene.tensor)
        share = f"{number(EPS_SHARE, 1)} · " if scene.tensor == "eps_hat" else ""
        notes.append(tr("lines from {}: {}").format(pictures.NAMES[scene.shown], share + name))
    if longest is not None:
        notes.append(tr("longest arrow: |∇ log p_t| = {}").format(number(longest, 1 if longest < 100 else 0)))
    elif scene.options["arrows"] and scene.shown != "xt":
        notes.append(tr("score arrows are shown with x_t"))
    return f" {SHY} ".join(note for note in notes if note)


def _values(scene: PointsScene, trace: Trace, index: int) -> list[str]:
    """(0.31, −0.72), and the ε̂ or Δ there."""
    out = [_pair(fields.tensor(trace, scene.k, scene.shown, index))]
    if scene.tensor != scene.shown:
        name = pictures.tensor_title(trace, scene.k, scene.tensor)
        out.append(f"{name} = {_pair(fields.tensor(trace, scene.k, scene.tensor, index))}")
    return out


def _pair(values: np.ndarray) -> str:
    return f"({', '.join(number(float(v)) for v in values)})"
