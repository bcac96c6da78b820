"""Pictures of the user's own as the source of a latent model: encoded, noised, denoised again, repainted in part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.modalities import Taking
from diffstudio.networks.model import load_file
from diffstudio.studio.app.painting import backdrop
from diffstudio.studio.export.options import ExportOptions
from diffstudio.studio.export.run import export_run
from diffstudio.studio.masks import in_latents
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import inspect_source, load_source, read_source
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


# ── what a mask keeps is kept to the last pixel ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def kept(latent_engine, folder, picture, tmp_path):
    """kept(**fields): a run that draws the right half of the picture anew; (trace, levels of the picture)."""
    file, values = picture
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    opened = []

    def kept(**fields):
        plain = {"source_file": str(file), "mask": str(tmp_path / "mask.png")}
        opened.append(record(latent_engine, str(folder), tmp_path / f"{len(opened)}.trace", **plain | fields))
        return opened[-1], ((values.permute(1, 2, 0) + 1) * 127.5).round().numpy()

    yield kept
    for trace in opened:
        trace.close()


def exported(engine, trace, path, **options):
    """The pixels of an export, (H, W, 3)."""
    steps = export_run(engine, trace, path, ExportOptions(**{"sample": 1, "scale": 1, **options}), path.parent)
    while next(steps, None) is not None:
        pass
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tiff"])
def test_exported_pictures_have_the_sources_own_pixels_where_it_is_kept(latent_engine, kept, tmp_path, name):
    trace, levels = kept()
    found = exported(latent_engine, trace, tmp_path / name)
    np.testing.assert_array_equal(found[:, :4], levels[:, :4])
    assert np.abs(found[:, 4:] - levels[:, 4:]).max() > 10  # drawn anew
    guess = exported(latent_engine, trace, tmp_path / name, tensor="x0_hat")
    np.testing.assert_array_equal(guess[:, :4], levels[:, :4])


def test_a_jpeg_is_as_near_as_a_jpeg_can_be(latent_engine, kept, tmp_path):
    trace, levels = kept()
    flat = np.abs(exported(latent_engine, trace, tmp_path / "a.jpg", quality=100)[:, :3] - levels[:, :3])
    assert flat.mean() < 4


def test_on_the_way_nothing_is_put_back_for_there_the_picture_has_noise_on_it(latent_engine, kept, tmp_path):
    trace, levels = kept()
    k = len(trace) - 2
    assert trace.scalar(k, "s") > 0
    found = exported(latent_engine, trace, tmp_path / "a.png", record=k)
    assert np.abs(found[:, :4] - levels[:, :4]).max() > 10


def test_the_switch_leaves_what_the_autoencoder_gives(latent_engine, folder, kept, tmp_path):
    trace, levels = kept(keep_pixels=False)
    found = exported(latent_engine, trace, tmp_path / "a.png")
    assert np.abs(found[:, :4] - levels[:, :4]).max() > 10
    decoded = load_file(folder).decode(torch.from_numpy(trace.array(len(trace) - 1, "xt")[1:].copy())).numpy()[0]
    np.testing.assert_allclose(found, ((decoded.transpose(1, 2, 0) + 1) * 127.5).clip(0, 255), atol=1)


def test_the_pictures_of_the_window_are_those_of_the_export(latent_engine, kept, tmp_path):
    trace, levels = kept()
    request, last = Request.model_validate(trace.header.request), len(trace) - 1
    states = trace.array(last, "xt", slice(1, 2)).copy()
    shown = latent_engine.pictures(request, states, [1], trace.header)[0]
    np.testing.assert_allclose((shown.transpose(1, 2, 0)[:, :4] + 1) * 127.5, levels[:, :4], atol=1e-4)
    plain = latent_engine.pictures(request, states)[0]
    assert np.abs(plain - shown).max() > 0.1


@pytest.mark.parametrize("change", ["gone", "other"])
def test_a_source_that_is_another_now_is_not_put_back(latent_engine, kept, picture, tmp_path, change):
    trace, levels = kept()
    if change == "gone":
        picture[0].unlink()
    else:
        Image.new("RGB", (8, 8), "red").save(picture[0])
    found = exported(latent_engine, trace, tmp_path / "a.png")
    assert np.abs(found[:, :4] - levels[:, :4]).max() > 10 and (found[:, :4] != (255, 0, 0)).any()


def test_between_white_and_black_both_are_mixed(latent_engine, kept, tmp_path):
    Image.new("L", (8, 8), 51).save(tmp_path / "grey.png")
    trace, levels = kept(mask=str(tmp_path / "grey.png"))
    plain, _ = kept(mask=str(tmp_path / "grey.png"), keep_pixels=False)
    mixed = exported(latent_engine, trace, tmp_path / "a.png")
    drawn = exported(latent_engine, plain, tmp_path / "b.png")
    np.testing.assert_allclose(mixed, 0.2 * drawn + 0.8 * levels, atol=1.5)


def test_a_mask_of_the_pictures_own_size_follows_its_fit(latent_engine, folder, kept, tmp_path):
    wide = np.random.default_rng(1).integers(0, 256, (16, 32, 3), np.uint8)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    mask = np.zeros((16, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(tmp_path / "wide-mask.png")
    fields = {"source_file": str(tmp_path / "wide.png"), "mask": str(tmp_path / "wide-mask.png"), "source_fit": "crop"}
    trace, _ = kept(**fields)
    source = read_source(tmp_path / "wide.png", trace.meaning, Taking("crop")).rows[0]
    found = exported(latent_engine, trace, tmp_path / "a.png")
    np.testing.assert_array_equal(found[:, :4], ((source.transpose(1, 2, 0) + 1) * 127.5).round()[:, :4])
