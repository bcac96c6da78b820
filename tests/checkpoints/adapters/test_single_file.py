"""Stable Diffusion in one file: the latents of the pipeline of diffusers whose tensors it has, to 1e-4."""

from __future__ import annotations

import json
import subprocess
import sys

import ldm_names
import pytest
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters import card_at
from diffstudio.checkpoints.adapters.clip_words import clip_vocabulary
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.times import levels
from diffstudio.errors import BadFile
from diffstudio.networks.foreign.words import Words
from diffstudio.networks.model import load_file

STEPS, WIDTH = 5, 64
PROMPT, NEGATIVE = "a photo of a red cat", "blurry, bad anatomy!"
UNET = {"sample_size": 8, "block_out_channels": (32, 64), "layers_per_block": 1, "cross_attention_dim": WIDTH}
BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}


@pytest.fixture(autouse=True)
def _transformers():
    pytest.importorskip("transformers")


def tokenizer(pad="<|endoftext|>"):
    from transformers import CLIPTokenizer

    words = clip_vocabulary("!")
    return CLIPTokenizer(vocab=words.pieces, merges=list(words.merges), pad_token=pad, model_max_length=77)


def encoder(words, kind="quick_gelu", projected=False):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(len(kind) + projected)
    config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=2, num_attention_heads=1,
        projection_dim=WIDTH, hidden_act=kind,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def decoder(diffusers):
    torch.manual_seed(4)
    return diffusers.AutoencoderKL(
        block_out_channels=(32, 32), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    ).eval()  # fmt: skip


def first(diffusers, folder, second=False):
    """Stable Diffusion 1, or 2: the file, and the pipeline with the same tensors."""
    torch.manual_seed(0)
    shape = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "attention_head_dim": 8}
    shape |= {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
    if second:
        shape |= {"attention_head_dim": (1, 1), "use_linear_projection": True}
    words = tokenizer("!" if second else "<|endoftext|>")
    text = encoder(words, "gelu" if second else "quick_gelu")
    network = diffusers.UNet2DConditionModel(**UNET, **shape).eval()
    prediction = "v_prediction" if second else "epsilon"
    pipeline = diffusers.StableDiffusionPipeline(
        vae=decoder(diffusers), text_encoder=text, tokenizer=words, unet=network, safety_checker=None,
        scheduler=diffusers.DDIMScheduler(**BETAS, clip_sample=False, prediction_type=prediction),
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    told = ldm_names.openclip(text, "cond_stage_model.", 1) if second else ldm_names.openai(text, "cond_stage_model.")
    return saved(pipeline, told, folder / "painter.safetensors")


def large(diffusers, folder):
    """Stable Diffusion XL."""
    torch.manual_seed(0)
    words, more = tokenizer(), tokenizer("!")
    one, two = encoder(words), encoder(more, "gelu", projected=True)
    network = diffusers.UNet2DConditionModel(
        **{**UNET, "cross_attention_dim": 2 * WIDTH}, attention_head_dim=(1, 1), transformer_layers_per_block=(1, 2),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=WIDTH + 6 * 256,
    ).eval()  # fmt: skip
    pipeline = diffusers.StableDiffusionXLPipeline(
        vae=decoder(diffusers), text_encoder=one, text_encoder_2=two, tokenizer=words, tokenizer_2=more, unet=network,
        scheduler=diffusers.DDIMScheduler(**BETAS, clip_sample=False), add_watermarker=False,
    )  # fmt: skip
    told = ldm_names.openai(one, "conditioner.embedders.0.") | ldm_names.openclip(two, "conditioner.embedders.1.")
    return saved(pipeline, told, folder / "large.safetensors")


def saved(pipeline, told, path, **more):
    pipeline.set_progress_bar_config(disable=True)
    beside = {"model_ema.decay": torch.tensor(0.9), "alphas_cumprod": torch.ones(1000)}
    tensors = {**ldm_names.unet(pipeline.unet), **ldm_names.vae(pipeline.vae), **told, **beside, **more}
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path)
    return path, pipeline


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


def test_words_have_the_numbers_that_openai_gave_them():
    words = Words(clip_vocabulary("<|endoftext|>"))
    numbers, needs = words.numbers("A photo of a cat", 8)
    assert (numbers, needs) == ([49406, 320, 1125, 539, 320, 2368, 49407, 49407], 7)


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def spoilt(tmp_path, change, metadata=None):
    """A file of headers alone is enough for a card: tensors of the right shapes, changed."""
    tensors = {
        "model.diffusion_model.input_blocks.0.0.weight": (32, 4, 3, 3),
        "model.diffusion_model.input_blocks.1.0.out_layers.3.weight": (32, 32, 3, 3),
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 64),
        "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight": (32, 64),
        "model.diffusion_model.middle_block.1.proj_in.weight": (32, 32, 1, 1),
        "model.diffusion_model.out.2.weight": (4, 32, 3, 3),
        "first_stage_model.encoder.down.0.block.0.conv2.weight": (32, 32, 3, 3),
        "first_stage_model.decoder.conv_in.weight": (32, 4, 3, 3),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 1),
        "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight": (77, 1),
        "cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1.weight": (2, 1),
        "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight": (2, 1),
    }
    tensors = {name: shape for name, shape in {**tensors, **change}.items() if shape is not None}
    path = tmp_path / "spoilt.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, path, metadata)
    return path


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
