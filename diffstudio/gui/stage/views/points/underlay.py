"""Fresh data of the distribution that a model was trained on, to lie under its samples."""

from __future__ import annotations

import numpy as np

from diffstudio.data import DATASETS
from diffstudio.traces.reader import Trace

COUNT = 4000
SPLIT = "held-out"


def fresh_data(trace: Trace) -> np.ndarray | None:
    """COUNT points (N, 2) of the card's dataset with the run's label, the same each time; None where there are none.

    The card comes from a file: whatever is not as expected means that there are no data, not an error.
    """
    data = trace.header.card.get("data")
    source = DATASETS.get(str(data.get("dataset"))) if isinstance(data, dict) else None
    if source is None or source.modality != "points" or source.shape != (2,):
        return None
    kinds = len(source.labels)
    labels = [label for label in trace.header.labels if label is not None]
    rng = np.random.default_rng(0xDA7A)
    if any(not 0 <= label < kinds for label in labels):
        return None
    chosen = np.resize(labels, COUNT) if labels else rng.integers(kinds, size=COUNT)
    return source.draw(chosen.astype(np.int64), rng, SPLIT)
