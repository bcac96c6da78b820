"""Stable Diffusion in one file: the latents of the pipeline of diffusers whose tensors it has, to 1e-4."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from ldm_files import first, large
from spoilt_file import spoilt

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.clip_words import clip_vocabulary
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import levels
from diffstudio.errors import BadFile
from diffstudio.networks.foreign.words import Words
from diffstudio.networks.model import load_file

STEPS = 5
PROMPT, NEGATIVE = "a photo of a red cat", "blurry, bad anatomy!"


@pytest.fixture(autouse=True)
def _transformers():
    pytest.importorskip("transformers")


def difference(path, pipeline):
    """Between the latents that both make of the same noise."""
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    model = load_file(path).prompted(PROMPT, NEGATIVE)
    grid = levels(model.path, STEPS, "leading", params={"steps_offset": 1})
    *_, last = reverse(model.guided(3.0), model.path, grid, x, None, solver="ddim", cond=model.labels(None, 1))
    given = {"negative_prompt": NEGATIVE, "num_inference_steps": STEPS, "guidance_scale": 3.0, "latents": x}
    with torch.no_grad():
        pictures = pipeline.vae.decode(last.xt / pipeline.vae.config.scaling_factor).sample
    assert model.card.defaults["guidance"] in (5.0, 7.5)
    scaling = model.network.vae.config.scaling_factor / pipeline.vae.config.scaling_factor
    assert float((model.decode(last.xt * scaling) - pictures).abs().max()) < 1e-4
    return float((last.xt - pipeline(PROMPT, output_type="latent", **given).images).abs().max())


@pytest.mark.parametrize("second", [False, True], ids=["1", "2"])
def test_stable_diffusion_in_one_file(tmp_path, diffusers, second):
    path, pipeline = first(diffusers, tmp_path, second)
    card = card_at(path)
    side = 768 if second else 512
    assert (card.shape, card.decoded) == ((4, side // 2, side // 2), (3, side, side))
    assert (card.prediction, card.prompts.tokens, card.name) == ("v" if second else "eps", 77, "painter")
    assert card.decoder_parameters == pipeline.vae.num_parameters() < card.parameters
    assert difference(path, pipeline) < 1e-4


def test_stable_diffusion_xl_in_one_file(tmp_path, diffusers):
    path, pipeline = large(diffusers, tmp_path)
    assert card_at(path).decoded == (3, 1024, 1024)
    assert difference(path, pipeline) < 1e-4


def test_cosxl_in_one_file(tmp_path, diffusers):
    """v in EDM's continuous σ, of which the file has the ends."""
    marks = {"edm_vpred.sigma_max": torch.tensor(120.0), "edm_vpred.sigma_min": torch.tensor(0.002)}
    path, pipeline = large(diffusers, tmp_path, **marks)
    pipeline.scheduler = diffusers.EDMEulerScheduler(
        sigma_max=120.0, sigma_data=1.0, prediction_type="v_prediction", sigma_schedule="exponential"
    )
    model = load_file(path).prompted(PROMPT, NEGATIVE)
    own = model.card.defaults
    grid = levels(model.path, STEPS, own["grid"], params=own["grid_params"])
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    *_, last = reverse(model.guided(3.0), model.path, grid, x, None, solver=own["solver"], cond=model.labels(None, 1))
    given = {"negative_prompt": NEGATIVE, "num_inference_steps": STEPS, "guidance_scale": 3.0, "latents": x}
    expected = pipeline(PROMPT, output_type="latent", **given).images
    assert float((last.xt - expected).abs().max()) < 1e-3


def test_words_have_the_numbers_that_openai_gave_them():
    words = Words(clip_vocabulary("<|endoftext|>"))
    numbers, needs = words.numbers("A photo of a cat", 8)
    assert (numbers, needs) == ([49406, 320, 1125, 539, 320, 2368, 49407, 49407], 7)


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model.diffusion_model.input_blocks.0.0.weight": (32, 9, 3, 3)}, "also given a picture or a mask is not"),
        ({"model.diffusion_model.out.2.weight": None}, "'model.diffusion_model.out.2.weight' is missing"),
        ({"model.diffusion_model.input_blocks.7.0.op.weight": (1,)}, "are not those of Stable Diffusion"),
        ({"first_stage_model.encoder.down.0.block.0.conv2.weight": None}, "its autoencoder is not one that is known"),
        ({"conditioner.embedders.0.model.ln_final.bias": (1,)}, "is the refiner of Stable Diffusion XL"),
        (
            {
                "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": None,
                "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight": None,
            },
            "is a latent diffusion that takes no prompt",
        ),
        (
            {
                "first_stage_model.encoder.down.0.block.0.conv2.weight": None,
                "first_stage_model.decoder.conv_in.weight": None,
            },
            "without the text encoders or the autoencoder that go with it",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_refused_in_one_sentence(tmp_path, change, says):
    with pytest.raises(BadFile) as caught:
        card_at(spoilt(tmp_path, change))
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_the_metadata_and_a_card_beside_the_file_say_more(tmp_path):
    told = {"modelspec.prediction_type": "v", "modelspec.resolution": "640x704"}
    path = spoilt(tmp_path, {}, told)
    card = card_at(path)
    assert (card.prediction, card.decoded) == ("v", (3, 704, 640))
    (tmp_path / f"{path.name}.card.json").write_text(json.dumps({"shape": [4, 32, 32], "decoded": [3, 32, 32]}))
    assert card_at(path).shape == (4, 32, 32)
    flagged = card_at(spoilt(tmp_path, {"v_pred": (1,), "ztsnr": (1,)}))
    assert (flagged.prediction, flagged.path.params["zero_snr"], flagged.defaults["grid"]) == ("v", 1.0, "trailing")


def test_its_card_needs_no_library_at_all(tmp_path):
    code = (
        "import sys; from pathlib import Path; from diffstudio.checkpoints.adapters import card_at;"
        "print(card_at(Path(sys.argv[1])).prompts.tokens);"
        "sys.exit(bool({'torch', 'diffusers', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, spoilt(tmp_path, {})], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "77\n")


def test_other_words_than_clips_are_refused(tmp_path):
    name = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    with pytest.raises(BadFile, match="knows 1,000 words, expected CLIP's 49,408"):
        load_file(spoilt(tmp_path, {name: (1000, 1)}))
