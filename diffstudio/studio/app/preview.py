"""A small picture of what will be read of a file, before the run."""

from __future__ import annotations

import numpy as np

from diffstudio.modalities import Meaning, Shown, image
from diffstudio.modalities.points import bounds_of, render
from diffstudio.studio.export.pictures import DARK, LIGHT
from diffstudio.studio.sources import plane_of

MOST_POINTS = 20_000


def preview(meaning: Meaning, rows: np.ndarray, side: int, dark: bool = True) -> np.ndarray:
    """(H, W, 3) uint8 of samples (N, *shape) as they will be read: the first; of a clip a frame, of points all.

    side: of texts and clouds, in pixels; everything else has a pixel for a value.
    """
    decoded = meaning.card.get("decoded")
    seen = Meaning("image", tuple(decoded)) if decoded and rows.shape[1:] == tuple(decoded) else meaning
    kind, look = seen.kind, DARK if dark else LIGHT
    if kind.cloud:
        plane, some = plane_of(seen), rows[:MOST_POINTS, :2]
        if some.shape[1] < 2:
            some = np.concatenate([some, np.zeros_like(some)], 1)
        bounds = bounds_of(np.stack([plane.low[:1].repeat(2), plane.high[:1].repeat(2)]), some)
        return render(some, bounds, side, colour=look.ink, paper=look.paper, radius=1.0)
    shown = Shown(rows[:1], dark=dark)
    if kind.glance is not None:
        return kind.glance(seen, shown, side)
    if kind.play is not None:
        [clip] = kind.play(seen, shown)
        return clip[len(clip) // 2]
    if kind.draw is None:
        return image.to_pixels(rows[:1])[0]
    return kind.draw(seen, shown)[0]
