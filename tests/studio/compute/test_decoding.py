"""Runs of a latent model: recorded as latents, drawn and written as the pictures that they are decoded to."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from diffstudio import headless
from diffstudio.networks.model import load_file
from diffstudio.studio.export.write import ExportOptions
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace


def run(latent_engine, out, kind, **options):
    """Run three steps of two samples and write them."""
    card = latent_engine.catalog.find("faces").card
    request = default_request(card, "faces", steps=3, samples=2, device="cpu")
    return headless.run(latent_engine, request, out, ExportOptions(kind, **options), 1 << 30)


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), float)


def test_the_picture_of_the_last_step_is_the_decoded_one(latent_engine, latent_folder, tmp_path):
    run(latent_engine, tmp_path / "run.trace", "trace")
    with Trace.open(tmp_path / "run.trace") as trace:
        assert trace.sample_shape == (3, 4, 4)
        latents = torch.from_numpy(trace.array(len(trace) - 1, "xt").copy())
    (tmp_path / "out").mkdir()
    run(latent_engine, tmp_path / "out", "samples")
    expected = load_file(latent_folder).decode(latents)
    for i, values in enumerate(expected):
        found = pixels(tmp_path / "out" / f"sample-000{i}.png")
        assert found.shape == (8, 8, 3)
        levels = (values * 127.5 + 127.5).clamp(0, 255).permute(1, 2, 0).numpy()
        assert np.abs(found - levels).max() <= 1
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_every_step_is_decoded_and_arrays_hold_the_latents(latent_engine, tmp_path):
    (tmp_path / "chain").mkdir()
    run(latent_engine, tmp_path / "chain", "frames", scale=1, sample=0)
    shapes = [pixels(path).shape for path in sorted((tmp_path / "chain").glob("*.png"))]
    assert shapes == [(8, 8, 3)] * 4
    run(latent_engine, tmp_path / "run.npz", "arrays")
    with np.load(tmp_path / "run.npz") as found:
        assert any(array.shape[-3:] == (3, 4, 4) for array in found.values())
