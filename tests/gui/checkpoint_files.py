"""Small checkpoints for the tests of the picker."""

import numpy as np

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.specs import PathSpec


def put(folder, name="spots", step=1, **changes):
    """A checkpoint that has a card and no useful weights; its path."""
    fields = {
        "name": name, "modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow", "network": "mlp",
        "data": TrainingData(dataset=""), "step": step,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}@{step}.safetensors"
    save(path, Card(**fields | changes), {"w": np.zeros(2)})
    return path
