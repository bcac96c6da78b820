"""Small checkpoints for the tests of lists: of our own, of other tools, and folders of diffusers."""

from __future__ import annotations

import json

import numpy as np
from safetensors.numpy import save_file
from tensor_bytes import card

from diffstudio.checkpoints.store import save


def put(folder, name="rings", step=300, file=None, **changes):
    """One of our own; its path."""
    path = folder / f"{file or f'{name}@{step}'}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, card(name=name, step=step, **changes), {"w": np.zeros(2)})
    return path


def put_bare(folder, file, width=8, **entries):
    """Weights of another tool, with a card beside them that says only which network they are; their path."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"w": np.zeros(2, np.float32)}, path)
    table = {"modality": "points", "shape": [2], "path": {}, "prediction": "flow", "network": "mlp"}
    table |= {"network_args": {"width": width}, **entries}
    path.with_name(f"{file}.card.json").write_text(json.dumps(table), "utf-8")
    return path


def pipeline(folder, value=0.0):
    """A folder of diffusers with one tensor: enough for a card; the folder."""
    unet = folder / "unet"
    unet.mkdir(parents=True)
    (unet / "config.json").write_text('{"_class_name": "UNet2DModel", "sample_size": 8}', "utf-8")
    save_file({"w": np.full((2, 3), value, np.float32)}, unet / "diffusion_pytorch_model.safetensors")
    return folder
