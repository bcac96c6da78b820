"""One thread for torch, and recipes that take a fraction of a second."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffstudio import data
from diffstudio.data.dataset import Dataset
from diffstudio.training.loop import train
from diffstudio.training.recipe import Recipe

torch.set_num_threads(1)


@pytest.fixture
def make_recipe():
    """A recipe for points; `training` and other fields as given."""

    def make(training=None, **fields):
        tiny = {
            "name": "tiny",
            "dataset": "shapes-2d",
            "network": "mlp",
            "network_args": {"width": 16, "depth": 1, "embed": 8, "octaves": 1},
            "training": {"steps": 4, "batch": 16, "warmup": 0, **(training or {})},
        }
        return Recipe.model_validate(tiny | fields)

    return make


@pytest.fixture
def run(tmp_path):
    """Train to the end: (file, every Progress)."""

    def run(recipe, name="out.safetensors"):
        file = tmp_path / name
        return file, list(train(recipe, file))

    return run


@pytest.fixture
def add_dataset(monkeypatch):
    """Make points from a formula a dataset: draw(labels, rng) → (B, 2)."""

    def add(draw, labels=("a", "b")):
        source = Dataset(
            name="made-here",
            title="",
            modality="points",
            shape=(2,),
            labels=labels,
            licence="",
            credit="",
            draw=lambda labels, rng, split: draw(labels, rng).astype(np.float32),
        )
        monkeypatch.setitem(data.DATASETS, "made-here", source)

    return add
