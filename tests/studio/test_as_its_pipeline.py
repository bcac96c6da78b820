"""A folder of diffusers, run with nothing but its own defaults, gives the picture that its pipeline gives."""

from __future__ import annotations

import pytest
import torch
from tqdm import tqdm

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.defaults import default_request
from diffstudio.traces.reader import Trace

SEED = 11
BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@pytest.fixture
def diffusers():
    tqdm.monitor_interval = 0  # its progress bars would leave a thread
    return pytest.importorskip("diffusers")


@pytest.fixture
def network(diffusers):
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(8, 16), norm_num_groups=4, layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    ).eval()  # fmt: skip


def sampled(engine, request, trace_path):
    """The last state as a pipeline gives it, (B, H, W, C) in [0, 1], and the calls that it took."""
    for progress in engine.run(request, trace_path):
        assert progress is not None
    with Trace.open(trace_path) as trace:
        found = torch.from_numpy(trace.array(len(trace) - 1, "xt").copy())
        return (found / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy(), trace.scalar(len(trace) - 1, "nfe")


@pytest.mark.parametrize(
    ("settings", "within"),
    [
        (
            {**BETAS, "clip_sample": True},
            3e-3,
        ),  # their table is of single precision: 1e-4 of x̂0, and the network random
        ({**BETAS, "set_alpha_to_one": False, "steps_offset": 1, "clip_sample": False}, 1e-4),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, 1e-4),
    ],
    ids=["clipped", "ending at training step 0", "zero terminal SNR"],
)
def test_a_ddim_pipeline(tmp_path, diffusers, network, settings, within):
    pipeline = diffusers.DDIMPipeline(network, diffusers.DDIMScheduler(**settings))
    pipeline.save_pretrained(tmp_path / "tiny")
    pipeline.set_progress_bar_config(disable=True)
    engine = Engine(Catalog([("test", tmp_path)]))
    card = engine.catalog.find("tiny").card
    request = default_request(card, "tiny", seed=SEED, samples=1)
    found, calls = sampled(engine, request, tmp_path / "run.trace")
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        image = pipeline(1, generator, num_inference_steps=request.steps, output_type="np").images
    assert abs(found - image).max() < within
    assert calls == engine.plan(request).network_calls
    if request.clip_params.get("keep_eps") and "clip_sample" in settings:
        anew = request.model_copy(update={"clip_params": {"limit": 1.0}})
        assert abs(sampled(engine, anew, tmp_path / "anew.trace")[0] - image).max() > 30 * within
