"""Text-to-image pipelines, sampled here and by diffusers itself with a prompt and a negative prompt: equal to 1e-4."""

from __future__ import annotations

import json

import pytest
import tiny_prompted as tiny
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import levels
from diffstudio.errors import BadFile
from diffstudio.networks.model import load_file

STEPS, BATCH = 5, 2  # a divisor of 1000: else DDIM of diffusers does not go where its next step starts
PROMPT, NEGATIVE = "A red  Cat, it's 12", "bad!"


@pytest.fixture(autouse=True)
def _transformers():
    pytest.importorskip("transformers")


def start(channels=4, side=8):
    return torch.randn(BATCH, channels, side, side, generator=torch.Generator().manual_seed(5))


def ours(folder, x, negative=NEGATIVE, guidance=3.0, distilled=1.0):
    """The final state of the card's own defaults."""
    model = load_file(folder).prompted(PROMPT, negative, distilled)
    own = model.card.defaults
    grid = levels(model.path, STEPS, own["grid"], params=own.get("grid_params"), shape=x.shape[1:])
    cond = model.labels(None, BATCH)
    *_, last = reverse(model.guided(guidance), model.path, grid, x, None, solver=own["solver"], cond=cond)
    return model, last.xt


def theirs(pipeline, x, **given):
    """What the pipeline makes of the same noise."""
    plain = {"num_inference_steps": STEPS, "latents": x, "output_type": "latent", "guidance_scale": 3.0}
    return pipeline(PROMPT, num_images_per_prompt=BATCH, **{**plain, **given}).images


def close(one, other):
    return float((one - other).abs().max())


def test_stable_diffusion(tmp_path, diffusers):
    pipeline, folder = tiny.stable_diffusion(diffusers, tmp_path)
    card = card_at(folder)
    assert (card.modality, card.shape, card.decoded, card.prompts.tokens) == ("image", (4, 8, 8), (3, 16, 16), 16)
    assert (card.prompts.distilled, card.defaults["guidance"], card.labels) == (False, 7.5, ())
    assert card.decoder_parameters == pipeline.vae.num_parameters() < card.parameters
    x = start()
    model, found = ours(folder, x)
    assert close(found, theirs(pipeline, x, negative_prompt=NEGATIVE)) < 1e-4
    _, found = ours(folder, x, negative="")
    pictures = theirs(pipeline, x, output_type="np")
    expected = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    assert close((model.decode(found) / 2 + 0.5).clamp(0, 1), expected) < 1e-4


@pytest.mark.parametrize("linear", [False, True])
def test_stable_diffusion_2_has_other_padding_heads_and_prediction(tmp_path, diffusers, linear):
    scheduler = diffusers.DDIMScheduler(**tiny.DDIM, prediction_type="v_prediction")
    pipeline, folder = tiny.stable_diffusion(
        diffusers, tmp_path, scheduler, pad="!", attention_head_dim=(2, 4), use_linear_projection=linear
    )
    x = start()
    _, found = ours(folder, x)
    assert close(found, theirs(pipeline, x, negative_prompt=NEGATIVE)) < 1e-4


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of its scheduler with numpy 2
@pytest.mark.parametrize("negative", [NEGATIVE, ""])
def test_stable_diffusion_xl(tmp_path, diffusers, negative):
    pipeline, folder = tiny.stable_diffusion_xl(diffusers, tmp_path)
    x = start()
    _, found = ours(folder, x, negative)
    assert close(found, theirs(pipeline, x, negative_prompt=negative or None)) < 1e-4


@pytest.mark.parametrize("t5", [True, False])
def test_stable_diffusion_3(tmp_path, diffusers, t5):
    pipeline, folder = tiny.stable_diffusion_3(diffusers, tmp_path, t5=t5)
    card = card_at(folder)
    assert (card.prediction, card.defaults["grid"], card.prompts.tokens) == ("flow", "shifted", 256 if t5 else 16)
    x = start()
    _, found = ours(folder, x)
    assert close(found, theirs(pipeline, x, negative_prompt=NEGATIVE)) < 1e-4


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_flux_is_told_its_guidance_and_can_be_guided_beside(tmp_path, diffusers, guidance):
    pipeline, folder = tiny.flux(diffusers, tmp_path)
    card = card_at(folder)
    assert (card.shape, card.decoded, card.prompts.distilled) == ((4, 128, 128), (3, 256, 256), True)
    assert (card.defaults["guidance"], card.defaults["distilled_guidance"]) == (1.0, 3.5)
    x = start()
    packed = pipeline._pack_latents(x, BATCH, 4, 8, 8)
    _, found = ours(folder, x, guidance=guidance, distilled=2.5)
    given = {"height": 16, "width": 16, "guidance_scale": 2.5, "true_cfg_scale": guidance}
    expected = theirs(pipeline, packed, negative_prompt=NEGATIVE, **given)
    assert close(pipeline._pack_latents(found, BATCH, 4, 8, 8), expected) < 1e-4


NORMED = {"latents_mean": [1.0, -1.0, 0.5, 2.0], "latents_std": [2.0, 3.0, 4.0, 5.0], "scaling_factor": 0.5}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_playground_has_edms_chain_and_latents_of_another_mean_and_spread(tmp_path, diffusers):
    """Stable Diffusion XL with EDM's F and latents that are normed channel by channel, as Playground 2.5 is."""
    scheduler = diffusers.EDMDPMSolverMultistepScheduler()
    pipeline, folder = tiny.stable_diffusion_xl(diffusers, tmp_path, scheduler)
    pipeline.vae.register_to_config(**NORMED)
    pipeline.save_pretrained(folder)
    card = card_at(folder)
    assert (card.prediction, card.path.name, card.sigma_data) == ("edm", "edm", 0.5)
    x = start()
    model, found = ours(folder, 80.0 * x)
    # Their noise is scaled by √(σ² + 1).
    assert close(found, theirs(pipeline, x * 80 / 6401**0.5, negative_prompt=NEGATIVE)) < 1e-3
    z, config = start(), pipeline.vae.config
    mean, std = (torch.tensor(config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
    with torch.no_grad():
        expected = pipeline.vae.decode(z * std / config.scaling_factor + mean).sample
        picture = torch.rand(2, 3, 16, 16) * 2 - 1
        encoded = (pipeline.vae.encode(picture).latent_dist.mode() - mean) * config.scaling_factor / std
    assert close(model.decode(z), expected) < 1e-4
    assert close(model.encode(picture), encoded) < 1e-4


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ({"latents_mean": [1.0], "latents_std": [1.0]}, "latents_mean has 1 numbers, expected 4, one a channel"),
        ({"latents_mean": [0.0] * 4}, "latents_mean and latents_std go together"),
        ({"latents_mean": [0.0] * 4, "latents_std": [0.0] * 4}, "latents_std.0"),
    ],
)
def test_a_norm_of_latents_that_is_none_is_refused(tmp_path, diffusers, says, sentence):
    _, folder = tiny.stable_diffusion(diffusers, tmp_path)
    file = folder / "vae" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **says}), "utf-8")
    with pytest.raises(BadFile, match=sentence):
        card_at(folder)
