"""Small checkpoints for the tests of the picker."""

import json

import numpy as np
from safetensors.numpy import save_file

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.checkpoints.store import save
from diffstudio.specs import PathSpec


def put(folder, name="spots", step=1, file=None, **changes):
    """A checkpoint that has a card and no useful weights; its path."""
    fields = {
        "name": name, "modality": "points", "shape": (2,), "path": PathSpec(), "prediction": "flow", "network": "mlp",
        "data": TrainingData(dataset=""), "step": step,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file or f'{name}@{step}'}.safetensors"
    save(path, Card(**fields | changes), {"w": np.zeros(2)})
    return path


def put_bare(folder, file):
    """Weights of another tool, with a card beside them; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"w": np.zeros(2, np.float32)}, folder / file)
    table = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
    (folder / f"{file}.card.json").write_text(json.dumps(table), "utf-8")
    return folder / file
