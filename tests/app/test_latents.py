"""A latent model in the window: colours at every step, and the autoencoder's own pictures on demand."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtWidgets import QDialogButtonBox
from tqdm import tqdm

from diffstudio.gui.dialogs.export import ExportDialog
from diffstudio.networks.model import load_file
from diffstudio.studio.export import pictures
from diffstudio.studio.export.options import ExportOptions


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A tiny latent model of diffusers: latents of 4×4×4, pictures of 3×8×8."""
    diffusers = pytest.importorskip("diffusers")
    tqdm.monitor_interval = 0  # its progress bars would leave a thread
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("models") / "faces"
    unet = diffusers.UNet2DModel(
        sample_size=4, in_channels=4, out_channels=4, block_out_channels=(4,), norm_num_groups=2, layers_per_block=1,
        attention_head_dim=2, down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
    )  # fmt: skip
    autoencoder = diffusers.AutoencoderKL(
        block_out_channels=(4, 4), norm_num_groups=2, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    diffusers.LDMPipeline(autoencoder, unet, diffusers.DDIMScheduler(clip_sample=False)).save_pretrained(out)
    return out


def test_a_latent_run_is_seen_in_colour_and_decoded_on_demand(studio, generate, faces, qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    p = studio.parts
    studio.commands.filing.show_entry(p.catalog.find(str(faces)))
    changed = {"steps": 4, "samples": 2, "device": "cpu"}
    p.sampling.set_request(p.sampling.request().model_copy(update=changed))
    assert generate().outcome == "done"
    trace = p.runs.trace
    assert len(trace.header.card["colours"]) == 3
    assert pictures.tiles(trace, 1, "x0_hat").shape == (2, 4, 4, 3)
    found = []
    p.runs.inquiries.found.connect(lambda kind, about, answer: found.append(answer))
    p.canvas.set_tensor("x0_hat")
    p.playhead.move_to(2)
    studio.commands.run("decoded")
    qtbot.waitUntil(lambda: len(found) == 2)
    expected = load_file(faces).decode(torch.from_numpy(trace.array(2, "x0_hat").copy())).numpy()
    for sample, picture in found:
        np.testing.assert_allclose(picture[0], expected[sample], atol=1e-5)
    qtbot.waitUntil(lambda: p.canvas._view._decoded.note == "decoded")


@pytest.fixture
def run(studio, generate, faces, monkeypatch, tmp_path):
    """A run of the latent model in the window."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    p = studio.parts
    studio.commands.filing.show_entry(p.catalog.find(str(faces)))
    p.sampling.set_request(p.sampling.request().model_copy(update={"steps": 3, "samples": 2, "device": "cpu"}))
    assert generate().outcome == "done"
    return p


def test_an_export_writes_the_decoded_pictures(studio, run, faces, qtbot, tmp_path):
    studio.commands.run("export")
    (dialog,) = run.window.findChildren(ExportDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("samples"))
    dialog.scale.setValue(1)
    assert "8 × 8 px" in dialog.note.text() and "decoded by the model" in dialog.note.text()
    (tmp_path / "out").mkdir()
    dialog.path.setText(str(tmp_path / "out"))
    said = []
    run.runs.exporting.connect(said.append)
    with qtbot.waitSignal(run.runs.exported) as signal:
        dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    assert signal.args[0].outcome == "done"
    assert said[-1] == "Decoding: 1 of 1" and run.window.message.text() == f"Saved {tmp_path / 'out'}"
    states = torch.from_numpy(run.runs.trace.array(run.playhead.position, "xt").copy())
    for i, values in enumerate(load_file(faces).decode(states)):
        with Image.open(tmp_path / "out" / f"sample-000{i}.png") as picture:
            found = np.asarray(picture.convert("RGB"), float)
        assert np.abs(found - (values * 127.5 + 127.5).clamp(0, 255).permute(1, 2, 0).numpy()).max() <= 1
    assert list(run.runs.folder.iterdir()) == []


def test_an_export_that_decodes_can_be_stopped(studio, run, qtbot, tmp_path, monkeypatch):
    calls = []
    decode = type(run.runs.engine).decode

    def slow(engine, *given):
        for done in decode(engine, *given):
            calls.append(done)
            if done == 1:
                stopped.wait(10)
            yield done

    stopped = threading.Event()
    monkeypatch.setattr(type(run.runs.engine), "decode", slow)
    studio.commands.filing.write(tmp_path / "chain.gif", ExportOptions(kind="animation", scale=1))
    qtbot.waitUntil(lambda: calls == [0, 1] and run.window.actions_by_id["stop"].isEnabled())
    with qtbot.waitSignal(run.runs.exported) as signal:
        studio.commands.run("stop")
        stopped.set()
    assert (signal.args[0].outcome, calls) == ("cancelled", [0, 1])
    assert run.window.message.text() == f"Stopped: {tmp_path / 'chain.gif'} was not written."
    assert not (tmp_path / "chain.gif").exists() and not run.window.actions_by_id["stop"].isEnabled()
    assert list(run.runs.folder.iterdir()) == []


def test_a_dropped_picture_is_encoded_and_can_be_repainted(studio, run, faces, generate, tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(levels).save(tmp_path / "mine.png")
    Image.fromarray(np.pad(np.full((4, 4), 255, np.uint8), ((0, 4), (0, 4)))).save(tmp_path / "mask.png")
    studio.commands.filing.open_paths([tmp_path / "mine.png"])
    studio.wait_read()
    run.sampling.set_mask_file(tmp_path / "mask.png")
    request = run.sampling.checked_request()
    assert (request.source, request.mask) == ("file", str(tmp_path / "mask.png"))
    assert generate().outcome == "done"
    values = torch.from_numpy(levels).permute(2, 0, 1).float()[None] / 127.5 - 1
    expected = load_file(faces).encode(values).numpy()[0]
    trace = run.runs.trace
    np.testing.assert_allclose(trace.array(0, "xt")[0], expected, atol=1e-5)
    np.testing.assert_allclose(trace.array(len(trace) - 1, "xt")[0][:, 2:], expected[:, 2:], atol=1e-5)
