"""A latent model in the window: colours at every step, and the autoencoder's own pictures on demand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tqdm import tqdm

from diffstudio.networks.model import load_file
from diffstudio.studio import pictures


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
    p.runs.decoded.connect(lambda about, sample, picture: found.append((sample, picture)))
    p.canvas.set_tensor("x0_hat")
    p.playhead.move_to(2)
    studio.commands.run("decoded")
    qtbot.waitUntil(lambda: len(found) == 2)
    expected = load_file(faces).decode(torch.from_numpy(trace.array(2, "x0_hat").copy())).numpy()
    for sample, picture in found:
        np.testing.assert_allclose(picture[0], expected[sample], atol=1e-5)
    qtbot.waitUntil(lambda: p.canvas._view._decoded.note == "decoded")
