"""What an edited run kept of its source and what it drew anew, as its views draw it."""

from __future__ import annotations

import numpy as np

from diffstudio.modalities import Meaning, Shown
from diffstudio.studio.masks import in_latents, recorded_mask
from diffstudio.traces.reader import Trace


def drawn_anew(trace: Trace, sample: int = 0) -> np.ndarray | None:
    """(H, W) bool on the picture of a sample: where it was drawn anew; frames of a clip lie side by side.

    Of points, which have no picture of their own, (1, C): its coordinates. Of letters (1, L). None where nothing was
    kept, or the trace does not say.
    """
    mask, meaning = recorded_mask(trace.header), trace.meaning
    if mask is None:
        return None
    if meaning.card.get("decoded"):
        mask = in_latents(mask, meaning.shape)
    whole = np.broadcast_to(mask, (trace.batch, *meaning.shape))[sample] > 0
    draw = meaning.kind.draw
    if meaning.modality == "text":
        return whole.any(0)[None]
    if draw is None:
        return whole[None]
    # Drawn as a grey state of black and white, with the gaps and the turns that its pictures have.
    grey = whole.any(-3, keepdims=True)
    plain = Meaning(meaning.modality, grey.shape, {**meaning.card, "decoded": (), "colours": ()})
    tile = draw(plain, Shown(grey[None].astype(np.float32) * 2 - 1))[0]
    return np.asarray(tile[..., 0] > 127)
