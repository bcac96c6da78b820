"""Stable Diffusion 3 and Flux in one file: the latents of the pipeline of diffusers whose tensors it has, to 1e-4."""

from __future__ import annotations

import flow_names as names
import pytest
import tiny_flow as tiny
import torch

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.t5_words import t5_vocabulary
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import levels
from diffstudio.networks.foreign.words import Words
from diffstudio.networks.model import load_file

STEPS = 5
PROMPT, NEGATIVE = "A photo of a red  cat, it's 12", "blurry, bad anatomy!"


@pytest.fixture(autouse=True)
def _transformers():
    pytest.importorskip("transformers")


def start():
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))


def ours(path, x, guidance=3.0, distilled=1.0):
    """The model, and the final state of the card's own defaults."""
    model = load_file(path).prompted(PROMPT, NEGATIVE, distilled)
    own = model.card.defaults
    grid = levels(model.path, STEPS, own["grid"], params=own.get("grid_params"), shape=x.shape[1:])
    cond = model.labels(None, 1)
    *_, last = reverse(model.guided(guidance), model.path, grid, x, None, solver=own["solver"], cond=cond)
    return model, last.xt


def theirs(pipeline, x, **given):
    """What the pipeline makes of the same noise."""
    pipeline.set_progress_bar_config(disable=True)
    plain = {"num_inference_steps": STEPS, "latents": x, "output_type": "latent", "negative_prompt": NEGATIVE}
    return pipeline(PROMPT, **{**plain, **given}).images


def close(one, other):
    return float((one - other).abs().max())


def check_pictures(model, pipeline, latents):
    """Both decode the latents to the same."""
    config = pipeline.vae.config
    with torch.no_grad():
        expected = pipeline.vae.decode(latents / config.scaling_factor + config.shift_factor).sample
    assert close(model.decode(latents), expected) < 1e-4


@pytest.mark.parametrize(("t5", "newer"), [(True, False), (True, True), (False, True)], ids=["3", "3.5", "without T5"])
def test_stable_diffusion_3_in_one_file(tmp_path, diffusers, t5, newer):
    pipeline, tensors = tiny.sd3(diffusers, t5=t5, newer=newer)
    path = tiny.written(tmp_path / "painter.safetensors", tensors, {"modelspec.resolution": "96x64"})
    card = card_at(path)
    assert (card.name, card.format, card.shape, card.decoded) == ("painter", "flow_file", (4, 32, 48), (3, 64, 96))
    assert (card.prediction, card.time, card.defaults["guidance"]) == ("flow", "flow", 7.0)
    assert (card.defaults["grid"], card.defaults["grid_params"]) == ("shifted", {"shift": 3.0})
    assert (card.prompts.tokens, card.prompts.distilled) == (256 if t5 else 77, False)
    x = start()
    model, found = ours(path, x)
    sigmas = [1 - i / STEPS for i in range(STEPS)]
    assert close(found, theirs(pipeline, x, guidance_scale=3.0, sigmas=sigmas)) < 1e-4
    check_pictures(model, pipeline, found)


@pytest.mark.parametrize("guidance", [True, False], ids=["dev", "schnell"])
def test_flux_in_one_file(tmp_path, diffusers, guidance):
    pipeline, tensors = tiny.flux(diffusers, guidance=guidance)
    path = tiny.written(tmp_path / "painter.safetensors", tensors)
    card = card_at(path)
    assert (card.shape, card.decoded, card.prompts.tokens) == ((4, 128, 128), (3, 256, 256), 512)
    assert (card.prompts.distilled, "distilled_guidance" in card.defaults) == (guidance, guidance)
    assert (card.defaults["guidance"], card.defaults["steps"]) == (1.0, 30 if guidance else 4)
    assert card.decoder_parameters == pipeline.vae.num_parameters() < card.parameters
    assert card.defaults["grid"] == ("shifted_resolution" if guidance else "uniform")
    x = start()
    packed = pipeline._pack_latents(x, 1, 4, 8, 8)
    model, found = ours(path, x, distilled=2.5)
    given = {"height": 16, "width": 16, "guidance_scale": 2.5, "true_cfg_scale": 3.0}
    assert close(pipeline._pack_latents(found, 1, 4, 8, 8), theirs(pipeline, packed, **given)) < 1e-4
    check_pictures(model, pipeline, found)


def test_a_transformer_alone_runs_with_its_parts_beside_it(tmp_path, diffusers):
    pipeline, tensors = tiny.flux(diffusers)
    whole = tiny.written(tmp_path / "whole.safetensors", tensors)
    home = tmp_path / "models" / "diffusion_models"
    texts, beside = home.parent / "text_encoders", home
    for folder in (texts, home):
        folder.mkdir(parents=True)
    alone = tiny.written(home / "flux1-dev.safetensors", names.flux(pipeline.transformer, ""))
    tiny.written(texts / "clip_l.safetensors", names.clip(pipeline.text_encoder, ""))
    tiny.written(texts / "t5xxl_fp16.safetensors", names.t5(pipeline.text_encoder_2, ""))
    tiny.written(beside / "ae.safetensors", names.vae(pipeline.vae, ""))
    one, other = card_at(whole), card_at(alone)
    assert "with ae.safetensors, clip_l.safetensors, t5xxl_fp16.safetensors beside it" in other.description
    assert (one.parameters, one.network_args, one.shape) == (other.parameters, other.network_args, other.shape)
    x = start()
    assert torch.equal(ours(whole, x)[1], ours(alone, x)[1])


@pytest.mark.parametrize(
    ("family", "scaled"), [("sd3", ""), ("flux", "scale_weight"), ("flux", "weight_scale")], ids=["plain", "old", "new"]
)
def test_weights_of_8_bits_are_those_numbers(tmp_path, diffusers, family, scaled):
    _, tensors = getattr(tiny, family)(diffusers)
    small, whole = {}, {}
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or not name.startswith((names.NETWORK, names.T5)):
            small[name] = whole[name] = tensor
            continue
        scale = tensor.abs().max() / 448 if scaled else torch.tensor(1.0)
        small[name] = (tensor / scale).to(torch.float8_e4m3fn)
        product = small[name].float() * scale
        whole[name] = product.bfloat16().float() if scaled else product
        if scaled:
            small[f"{name.removesuffix('.weight')}.{scaled}"] = scale
    if scaled:
        small[f"{names.NETWORK}scaled_fp8"] = torch.zeros(2).to(torch.float8_e4m3fn)
    one = tiny.written(tmp_path / "small.safetensors", small)
    other = tiny.written(tmp_path / "whole.safetensors", whole)
    assert card_at(one).parameters == card_at(other).parameters
    assert family == "sd3" or (card_at(one).dtype, card_at(other).dtype) == ("F8_E4M3", "F32")
    x = start()
    assert close(ours(one, x)[1], ours(other, x)[1]) < 1e-5


def test_words_have_the_numbers_that_t5_gave_them():
    words = Words(t5_vocabulary())
    assert words.numbers("A photo of a cat", 9) == ([71, 1202, 13, 3, 9, 1712, 1, 0, 0], 7)
    assert words.numbers("Größe 你好", 8) == ([12622, 3, 2, 1, 0, 0, 0, 0], 4)
