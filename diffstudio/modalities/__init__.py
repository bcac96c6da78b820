"""What a state means: how it becomes pixels, files, sound. One file per modality; numpy and Pillow alone.

A new modality is a file here with its record, its row in MODALITIES, and a view in `gui/stage/views`.
"""

from __future__ import annotations

from diffstudio.modalities.audio import AUDIO
from diffstudio.modalities.image import IMAGE
from diffstudio.modalities.modality import FITS, Extra, Fit, Making, Meaning, Modality, Shown, SourceInfo
from diffstudio.modalities.points import POINTS
from diffstudio.modalities.text import TEXT
from diffstudio.modalities.video import VIDEO

__all__ = ["FITS", "MODALITIES", "Extra", "Fit", "Making", "Meaning", "Modality", "Shown", "SourceInfo"]

MODALITIES: dict[str, Modality] = {
    row.name: row for row in (IMAGE, VIDEO, TEXT, AUDIO, POINTS)
}  # in the picker's order
