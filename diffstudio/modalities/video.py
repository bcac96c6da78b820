"""Clips: (T, C, H, W) in [-1, 1], T frames of C = 1 grey or 3 colour."""

from __future__ import annotations

import numpy as np

from diffstudio.modalities import image
from diffstudio.modalities.clip_file import CLIPS, read_clip
from diffstudio.modalities.mask_file import clip_mask
from diffstudio.modalities.modality import FITS, Meaning, Modality, Shown
from diffstudio.modalities.region import Axes

GAP = 1  # pixels between the frames of a clip that lie side by side
PAPER = {True: (18, 19, 22), False: (255, 255, 255)}


def frames(meaning: Meaning, shown: Shown) -> np.ndarray:
    """(B, T, H, W, 3) uint8: every frame as a picture; one limit for all, so that colours hold while a clip plays."""
    count, length = shown.rows.shape[:2]
    drawn = image.draw(meaning, shown._replace(rows=shown.rows.reshape(-1, *shown.rows.shape[2:])))
    return drawn.reshape(count, length, *drawn.shape[1:])


def side_by_side(meaning: Meaning, shown: Shown) -> np.ndarray:
    """(B, H, T·(W + 1) − 1, 3) uint8: the frames of each clip in a row."""
    drawn = frames(meaning, shown)
    return np.stack([image.tile(clip, len(clip), GAP, PAPER[shown.dark]) for clip in drawn])


def _axes(meaning: Meaning, rows: np.ndarray | None) -> Axes:
    """Frames, counted from 1, and their pixels, from 0 at the upper left corner."""
    of_pixels = image.axes(meaning, rows)
    return Axes({"frame": np.arange(1, meaning.shape[0] + 1)[:, None, None, None], **of_pixels.values})


VIDEO = Modality(
    name="video",
    title="Video",
    rank=4,
    suffixes=CLIPS,
    read=read_clip,
    tile=lambda meaning: (meaning.shape[2], meaning.shape[0] * (meaning.shape[3] + GAP) - GAP),
    draw=side_by_side,
    play=frames,
    frames=lambda meaning: (meaning.shape[0], meaning.shape[2], meaning.shape[3]),
    sample_suffix=".gif",
    colours=lambda meaning: "grey" if meaning.shape[1] == 1 else "any",
    default_scale=4,
    axes=_axes,
    read_mask=clip_mask,
    fits=FITS,
)
