"""The source's own pixels where a mask keeps them: what an autoencoder only comes near. For latent models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from diffstudio.checkpoints.card import Card
from diffstudio.errors import DiffStudioError
from diffstudio.studio.made_of import file_sha256
from diffstudio.studio.masks import recorded_mask
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import read_source
from diffstudio.traces.format import TraceHeader


class Kept(NamedTuple):
    """pictures: (N, C, H, W) of the source, used in turn.  mask: broadcasts to them, 1 is drawn anew."""

    pictures: np.ndarray
    mask: np.ndarray

    def put_back(self, drawn: np.ndarray, samples: Sequence[int]) -> np.ndarray:
        """Decoded pictures (B, C, H, W) of these samples with the source's pixels where they are kept."""
        own = self.pictures[[i % len(self.pictures) for i in samples]]
        # Not a weighted sum where the mask is 0: the pixels are the source's to the last digit.
        mixed = self.mask * drawn.clip(-1, 1) + (1 - self.mask) * own  # of what is seen of both
        return np.where(self.mask == 0, own, np.where(self.mask == 1, drawn, mixed))


def kept_of(header: TraceHeader, card: Card) -> Kept | None:
    """What a recorded run keeps of its source; None where nothing is kept, or the source is no picture of its own.

    The source must still be the file that the run was made from.
    """
    try:
        request = Request.model_validate(header.request)
    except ValidationError:
        return None
    mask = recorded_mask(header)
    if not request.keep_pixels or mask is None or request.source != "file" or not card.decoded:
        return None
    file = Path(request.source_file or "")
    told = header.sha256.get("source")
    if not told or file_sha256(file) != told:
        return None
    try:
        rows = read_source(file, card.meaning, request.taking).required()
    except DiffStudioError:
        return None
    return Kept(rows, mask) if rows.shape[1:] == tuple(card.decoded) else None
