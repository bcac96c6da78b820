"""What an export will look like, small and soon drawn: one picture, a few of many that play, or words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diffstudio.studio.export import arrays, pictures
from diffstudio.studio.export.clips import draw_clip
from diffstudio.studio.export.filmstrip import draw_strip, strip_rows
from diffstudio.studio.export.layout import Subject, picture_size, scale_of
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.plan import records
from diffstudio.traces.reader import Trace

MOST_FRAMES = 24  # of an animation, evenly spread
MOST_PIXELS = 700  # of a picture's longer side: more is not seen in so small a place


@dataclass(frozen=True)
class Preview:
    """frames: (H, W, 3) uint8 each, more than one plays, so many a second.  text: what has no picture."""

    frames: tuple[np.ndarray, ...] = ()
    fps: float = 10.0
    text: str = ""


def preview(trace: Trace, options: ExportOptions, stop: Callable[[], bool] = lambda: False) -> Preview:
    """What `export` would write of the trace; unfinished once `stop` is true.

    Raises:
        BadInput: there is no such record or sample.  BadFile: the trace can't be read.
    """
    if options.kind == "arrays":
        return Preview(text="\n".join(_arrays(trace)))
    if options.kind == "trace":
        return Preview(text="\n".join(f"{spec.name}: {spec.records:,}" for spec in trace.header.chains))
    chosen = records(trace, options)
    if options.kind == "strip":
        return Preview((_strip(trace, chosen, options),))
    if options.kind == "samples" and not trace.meaning.kind.cloud:
        options = replace(options, sample=options.sample or 0)
    small = replace(options, scale=_small(Subject.of(trace), options))
    if options.kind == "clip" or (options.kind == "samples" and trace.meaning.kind.play is not None):
        return Preview(tuple(draw_clip(trace, chosen[-1], replace(small, kind="clip"))), options.fps)
    drawn = []
    for k in _spread(chosen) if options.kind in ("animation", "frames") else chosen[-1:]:
        if stop():
            break
        drawn.append(pictures.picture(trace, k, small.tensor, small.sample, small.scale, small.look))
    # As long as the animation takes, whatever is left out of it.
    return Preview(tuple(drawn), max(1.0, options.fps * len(drawn) / len(chosen)))


def _strip(trace: Trace, chosen: Sequence[int], options: ExportOptions) -> np.ndarray:
    rows = strip_rows(trace, chosen, options.columns)
    across = max(len(row) for row in rows)
    scale = min(scale_of(Subject.of(trace), options), _small(Subject.of(trace), options, 2 * MOST_PIXELS // across))
    drawn = draw_strip(trace, rows, replace(options, scale=scale), (k for row in rows for k in row))
    return np.asarray(drawn)


def _small(subject: Subject, options: ExportOptions, most: int = MOST_PIXELS) -> int:
    """The largest scale, of those up to the one that was chosen, that need not be made smaller again."""
    one = max(picture_size(subject, replace(options, scale=1)))
    return max(1, min(scale_of(subject, options), most // max(1, one)))


def _spread(chosen: Sequence[int]) -> list[int]:
    if len(chosen) <= MOST_FRAMES:
        return list(chosen)
    return [chosen[i] for i in np.linspace(0, len(chosen) - 1, MOST_FRAMES).round().astype(int)]


def _arrays(trace: Trace) -> list[str]:
    """Name and shape of each array."""
    found = [
        f"{name}  {'×'.join(map(str, (len(which), trace.batch, *trace.sample_shape)))}"
        for name, _, which in arrays.members(trace)
    ]
    size = math.ceil(arrays.size(trace) / 1e5) / 10
    return [*found, "t, labels, request", f"{size:,} MB"]
