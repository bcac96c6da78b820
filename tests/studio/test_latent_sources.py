"""Pictures of the user's own as the source of a latent model: encoded, noised, denoised again, repainted in part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.networks.model import load_file
from diffstudio.studio.app.painting import backdrop
from diffstudio.studio.masks import in_latents
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.sources import inspect_source, load_source
from diffstudio.traces.reader import Trace


@pytest.fixture(params=["vq", "kl"])
def folder(request, latent_folder, tmp_path_factory):
    """Tiny latent models with either autoencoder: latents of 3×4×4, pictures of 3×8×8."""
    if request.param == "vq":
        return latent_folder
    diffusers = pytest.importorskip("diffusers")
    out = tmp_path_factory.mktemp("models") / "faces"
    torch.manual_seed(0)
    pipeline = diffusers.LDMPipeline.from_pretrained(latent_folder, local_files_only=True)
    pipeline.vqvae = diffusers.AutoencoderKL(
        block_out_channels=(4, 4), norm_num_groups=2, latent_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    pipeline.save_pretrained(out)
    return out


@pytest.fixture
def picture(tmp_path):
    """A picture of the size that the model makes; (file, its values)."""
    levels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(levels).save(tmp_path / "mine.png")
    return tmp_path / "mine.png", torch.from_numpy(levels).permute(2, 0, 1).float() / 127.5 - 1


def record(engine, model, out, **fields):
    """The trace of a run of two samples."""
    card = engine.catalog.find(model).card
    plain = {"samples": 2, "steps": 4, "device": "cpu", "source": "file"}
    for _ in engine.run(default_request(card, model, **plain | fields), out):
        pass
    return Trace.open(out)


def test_the_forward_chain_begins_with_the_encoded_picture(latent_engine, folder, picture, tmp_path):
    file, values = picture
    model = load_file(folder)
    expected = model.encode(values[None])
    vae = model.network.vae
    with torch.no_grad():
        found = vae.model.encode(values[None])
        plain = found.latents if hasattr(found, "latents") else found.latent_dist.mean
    torch.testing.assert_close(expected, plain * vae.config.scaling_factor)
    with record(latent_engine, str(folder), tmp_path / "a.trace", source_file=str(file), strength=0.5) as trace:
        chains = trace.scalars("chain")
        assert chains.tolist().count(0) == 3
        first = trace.array(0, "xt")
        np.testing.assert_allclose(first, expected.expand(2, -1, -1, -1).numpy(), atol=1e-6)
        start = trace.array(3, "xt")
        a, s = trace.scalar(3, "a"), trace.scalar(3, "s")
        assert 0 < s < 1, "half of the way"
        assert np.abs((start - a * first) / s).max() < 6, "a picture, noised"


def test_what_the_mask_keeps_is_the_encoded_picture(latent_engine, folder, picture, tmp_path):
    file, values = picture
    mask = np.zeros((8, 8), np.uint8)
    mask[1, 5:] = 255  # a place of the latents is two pixels a side: the first row, the two on the right
    Image.fromarray(mask).save(tmp_path / "mask.png")
    given = {"source_file": str(file), "mask": str(tmp_path / "mask.png"), "clip": "none", "clip_params": {}}
    with record(latent_engine, str(folder), tmp_path / "a.trace", **given) as trace:
        last = trace.array(len(trace) - 1, "xt")
    kept = np.ones((4, 4), bool)
    kept[0, 2:] = False
    expected = load_file(folder).encode(values[None])[0].numpy()
    np.testing.assert_allclose(last[:, :, kept], np.stack([expected[:, kept]] * 2), atol=1e-5)
    assert np.abs(last[:, :, ~kept] - expected[:, ~kept]).max() > 1e-3


def test_a_picture_of_another_size_is_fitted_and_latents_are_taken_as_they_are(latent_engine, latent_folder, tmp_path):
    meaning = latent_engine.catalog.find(str(latent_folder)).card.meaning
    Image.fromarray(np.zeros((9, 30, 3), np.uint8)).save(tmp_path / "wide.png")
    assert not inspect_source(tmp_path / "wide.png", meaning).fits
    assert load_source(tmp_path / "wide.png", meaning, "crop").shape == (1, 3, 8, 8)
    np.save(tmp_path / "latents.npy", np.full((5, 3, 4, 4), 0.5, np.float32))
    assert load_source(tmp_path / "latents.npy", meaning).shape == (5, 3, 4, 4)
    np.save(tmp_path / "pictures.npy", np.zeros((2, 3, 8, 8), np.uint8))
    np.testing.assert_array_equal(load_source(tmp_path / "pictures.npy", meaning), np.full((2, 3, 8, 8), -1))
    np.save(tmp_path / "other.npy", np.zeros((2, 3, 5, 5)))
    with pytest.raises(BadInput, match=r"the model needs \(N, 3, 8, 8\)"):
        load_source(tmp_path / "other.npy", meaning)


def test_the_mask_is_painted_over_a_picture_of_that_size(latent_engine, latent_folder, picture, tmp_path):
    card = latent_engine.catalog.find(str(latent_folder)).card
    np.save(tmp_path / "latents.npy", np.zeros((1, 3, 4, 4), np.float32))
    for file in (picture[0], tmp_path / "latents.npy"):
        request = default_request(card, "faces", source="file", source_file=str(file))
        assert backdrop(card, request).shape == (8, 8, 3)


def test_a_place_of_latents_is_repainted_as_far_as_any_of_its_pixels():
    mask = np.zeros((1, 4, 6), np.float32)
    mask[0, 3, 2], mask[0, 0, 5] = 1, 0.5
    np.testing.assert_array_equal(in_latents(mask, (4, 2, 3)), [[[0, 0, 0.5], [0, 1, 0]]])
    with pytest.raises(BadInput, match="does not fall on latents of 4×2"):
        in_latents(mask, (4, 2, 4))
