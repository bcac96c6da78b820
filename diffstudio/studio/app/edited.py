"""What an edited run drew anew, as its views draw it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.studio.masks import in_latents, load_mask
from diffstudio.traces.reader import Trace


def drawn_anew(trace: Trace, sample: int = 0) -> np.ndarray | None:
    """(H, W) bool on the picture of a sample: where it was drawn anew; frames of a clip lie side by side.

    None where nothing was kept, or the mask is no longer at hand.
    """
    mask, meaning = trace.header.request.get("mask"), trace.meaning
    if not isinstance(mask, str) or meaning.modality != "image":
        return None
    try:
        decoded = tuple(meaning.card.get("decoded") or ())
        found = load_mask(Path(mask), decoded or meaning.shape)
        found = in_latents(found, meaning.shape) if decoded else found
    except (BadInput, BadFile, OSError):
        return None
    return found[0] > 0
