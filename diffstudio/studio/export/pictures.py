"""Pictures of a trace: what the canvas, the film strip and the export show of a record, without Qt."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np

from diffstudio.analysis import fields
from diffstudio.modalities import Meaning, Shown, image, points
from diffstudio.traces.reader import Trace

SIGNED = ("eps_hat", "delta", "split")
LINES_FROM = {"eps_hat": "xt", "delta": "xt", "split": "x0_free"}  # where the lines begin that show them of points
POINTS_SIDE = 256  # side of a cloud's picture at scale 1
ENOUGH = 1 << 15  # values that a percentile is taken of
NAMES = {
    "xt": "x_t", "x0_hat": "x̂0", "eps_hat": "ε̂", "delta": "Δ",
    "x0_cond": "x̂0 class", "x0_free": "x̂0 free", "split": "class − free",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Colours of exported pictures and thumbnails."""

    dark: bool = True
    paper: tuple[int, int, int] = (18, 19, 22)
    ink: tuple[int, int, int] = (106, 165, 255)


DARK = Look()
LIGHT = Look(False, (255, 255, 255), (31, 95, 208))


def tensor_title(trace: Trace, k: int, name: str) -> str:
    """What a tensor is at record k, truthfully: in the forward chain x_0 and ε are known, not guessed."""
    if fields.is_true(trace, k) and name in ("x0_hat", "eps_hat"):
        return {"x0_hat": "x_0 (true)", "eps_hat": "ε (true)"}[name]
    return NAMES[name]


def display_gain(trace: Trace, k: int) -> float:
    """1, or less where the path makes x_t larger than unit variance (VE): 1/√(a² + s²)."""
    return 1 / max(1.0, math.hypot(trace.scalar(k, "a"), trace.scalar(k, "s")))


def displayed(trace: Trace, k: int, name: str, sample: int | slice | None = None) -> np.ndarray:
    """A tensor as it is shown: x_t times `display_gain`, everything else as it is."""
    array = fields.tensor(trace, k, name, sample)
    gain = display_gain(trace, k) if name == "xt" else 1.0
    return array if gain == 1.0 else array * np.float32(gain)


def signed_limit(name: str, array: np.ndarray) -> float:
    """The value at the ends of the diverging map: 3 for ε̂ (unit variance); for Δ its own 99.5th percentile."""
    if name == "eps_hat":
        return 3.0
    every = max(1, array.size // ENOUGH) | 1  # odd, so that it is no multiple of a picture's width
    some = array.reshape(-1)[::every] if array.size > ENOUGH else array
    magnitude = np.abs(some[np.isfinite(some)])
    if not magnitude.size:
        return 1.0
    rank = min(magnitude.size - 1, int(0.995 * magnitude.size))
    return max(1e-6, float(np.partition(magnitude, rank)[rank]))


def tiles(trace: Trace, k: int, name: str, sample: int | slice | None = None, dark: bool = True) -> np.ndarray:
    """(B, H, W, 3) uint8: a picture of each sample of a record; B = 1 for one sample."""
    meaning = trace.meaning
    draw = meaning.kind.draw
    if draw is None:
        raise ValueError(f"samples of {meaning.modality} have no picture of their own")
    return draw(meaning, shown(trace, k, name, sample, dark))


def glance(trace: Trace, k: int, name: str, sample: int, side: int, dark: bool = True) -> np.ndarray:
    """(H, W, 3) uint8: what says most of one sample in a small square of that side; of a clip its middle frame."""
    return portrait(trace.meaning, shown(trace, k, name, sample, dark), side)


def portrait(meaning: Meaning, one: Shown, side: int) -> np.ndarray:
    """(H, W, 3) uint8 of one sample, wherever it comes from: as its modality draws it; of a clip the middle frame.

    Raises:
        ValueError: of a cloud's sample there is no picture.
    """
    kind = meaning.kind
    if kind.glance is not None:
        return kind.glance(meaning, one, side)
    if kind.play is not None:
        [clip] = kind.play(meaning, one)
        return clip[len(clip) // 2]
    if kind.draw is None:
        raise ValueError(f"samples of {meaning.modality} have no picture of their own")
    return kind.draw(meaning, one)[0]


def shown(trace: Trace, k: int, name: str, sample: int | slice | None = None, dark: bool = True) -> Shown:
    """A record's tensor as its modality draws and writes it; B = 1 for one sample.

    Where x̂0 is the truth nothing is guessed, and nothing else is known of the samples.
    """
    chosen = slice(sample, sample + 1) if isinstance(sample, int) else sample
    rows = displayed(trace, k, name, chosen)

    def other(field: str) -> np.ndarray | None:
        return trace.array(k, field, chosen) if trace.has_field(field) and not fields.is_true(trace, k) else None

    return Shown(rows, name, signed_limit(name, rows) if name in SIGNED else None, dark, other)


def bounds(trace: Trace) -> points.Bounds:
    """The square in which every record of a points trace is drawn."""
    if not len(trace):
        return -3.0, -3.0, 3.0, 3.0
    return points.bounds_of(displayed(trace, 0, "xt"), displayed(trace, len(trace) - 1, "xt"))


def picture(
    trace: Trace, k: int, name: str, sample: int | None = None, scale: int = 1, look: Look = DARK, columns: int = 0
) -> np.ndarray:
    """Record k as one picture (H, W, 3) uint8: the grid of all samples, or one sample.

    scale: screen pixels for a pixel of an image; for points the side is POINTS_SIDE·scale. columns: 0 chooses.
    """
    if trace.meaning.kind.cloud:
        chosen = None if sample is None else slice(sample, sample + 1)
        return cloud(trace, k, name, POINTS_SIDE * scale, look, chosen, bounds(trace))
    pixels = tiles(trace, k, name, sample, look.dark)
    if sample is not None:
        return image.enlarge(pixels[0], scale)
    count, height, width, _ = pixels.shape
    tiled = image.tile(
        pixels, columns or grid_columns(count, height, width), grid_gap(scale, trace.meaning.kind.gap), look.paper
    )
    return image.enlarge(tiled, scale)


def grid_columns(count: int, height: int, width: int) -> int:
    """Columns of a grid that is about as wide as high; samples that are nearly square are arranged as squares."""
    oblong = max(height, width) > 1.5 * min(height, width)
    return image.columns_for(count, height / width if oblong else 1.0)


def grid_gap(scale: int, least: int = 0) -> int:
    """Paper between the images of a grid, in their own pixels. least: what the modality needs."""
    return max(least, 1 if scale < 4 else 2)


def cloud(
    trace: Trace, k: int, name: str, side: int, look: Look, sample: slice | None, within: points.Bounds
) -> np.ndarray:
    """A points record as a picture; ε̂ and Δ are drawn as lines from x_t, the split as lines from x̂0 free."""
    arrows = None
    if name in SIGNED:
        at = displayed(trace, k, LINES_FROM[name], sample)
        arrows = fields.tensor(trace, k, name, sample) * (0.1 if name == "eps_hat" else 1.0)
    else:
        at = displayed(trace, k, name, sample)
    radius = max(0.6, side / POINTS_SIDE * (2.0 if len(at) <= 300 else 1.2))
    return points.render(at, within, side, colour=look.ink, paper=look.paper, radius=radius, arrows=arrows)


SMALL = 56


def png_of_end(trace: Trace) -> bytes:
    """A small PNG of what a run came to, b"" where that is nothing to look at."""
    from PIL import Image

    last = len(trace) - 1
    if last < 0 or not np.isfinite(trace.array(last, "xt")).all():
        return b""
    stream = io.BytesIO()
    Image.fromarray(thumbnail(trace, last, "xt", 0, SMALL, DARK)).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def thumbnail(
    trace: Trace, k: int, name: str, sample: int, side: int, look: Look = DARK, within: points.Bounds | None = None
) -> np.ndarray:
    """Record k as a square of side×side for the film strip: one image sample, or the whole cloud."""
    if trace.meaning.kind.cloud:
        some = slice(0, min(trace.batch, 1500))
        return cloud(trace, k, name, side, look, some, within or bounds(trace))
    from PIL import Image  # the window shows itself before it needs this

    pixels = glance(trace, k, name, sample, side, look.dark)
    height, width = pixels.shape[:2]
    nearest = Image.Resampling.NEAREST if side >= max(height, width) else Image.Resampling.BOX
    fit = side / max(height, width)
    small = Image.fromarray(pixels).resize((max(1, round(width * fit)), max(1, round(height * fit))), nearest)
    out = np.full((side, side, 3), look.paper, np.uint8)
    y, x = (side - small.height) // 2, (side - small.width) // 2
    out[y : y + small.height, x : x + small.width] = np.asarray(small)
    return out
