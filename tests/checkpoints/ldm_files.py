"""Tiny Stable Diffusions 1, 2 and XL in one file, and the pipelines of diffusers whose tensors they have."""

from __future__ import annotations

import ldm_names
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters.clip_words import clip_vocabulary

WIDTH = 64
UNET = {"sample_size": 8, "block_out_channels": (32, 64), "layers_per_block": 1, "cross_attention_dim": WIDTH}
BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}


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


def large(diffusers, folder, **marks):
    """Stable Diffusion XL; marks: tensors beside those of its parts."""
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
    return saved(pipeline, told, folder / "large.safetensors", **marks)


def saved(pipeline, told, path, **more):
    pipeline.set_progress_bar_config(disable=True)
    beside = {"model_ema.decay": torch.tensor(0.9), "alphas_cumprod": torch.ones(1000)}
    tensors = {**ldm_names.unet(pipeline.unet), **ldm_names.vae(pipeline.vae), **told, **beside, **more}
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path)
    return path, pipeline
