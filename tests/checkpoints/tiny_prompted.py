"""Tiny text-to-image pipelines with random weights, and tokenizers whose few words are made here."""

from __future__ import annotations

import json

import torch

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DDIM = {"clip_sample": False, "beta_schedule": "scaled_linear", "steps_offset": 1}
EULER = {"beta_schedule": "scaled_linear", "steps_offset": 1, "timestep_spacing": "leading"}
DECODER = {
    "block_out_channels": (4, 4),
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "norm_num_groups": 2,
}


def clip_tokenizer(folder, length=16, pad="<|endoftext|>"):
    """The files of a CLIP tokenizer: letters, a few merges, and the special tokens last."""
    from transformers import CLIPTokenizer

    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "!", "!</w>", "c a", "re", "ed</w>", "<|startoftext|>"]
    merges = [("c", "a"), ("r", "e"), ("e", "d</w>")]
    words[words.index("c a")] = "ca"
    vocab = {word: i for i, word in enumerate([*words, "<|endoftext|>"])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n", "utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    config = {**special, "model_max_length": length, "tokenizer_class": "CLIPTokenizer", "pad_token": pad}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return CLIPTokenizer.from_pretrained(folder)


def t5_tokenizer():
    """A T5 tokenizer of letters and a few words."""
    from transformers import T5Tokenizer

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁red", -3.0), ("▁cat", -3.5)]
    return T5Tokenizer(vocab=[*pieces, *((letter, -5.0) for letter in LETTERS)], extra_ids=0)


def clip_encoder(vocabulary, *, projected=False, width=8, length=16):
    """A CLIP text encoder of two layers."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(1)
    end = vocabulary.eos_token_id
    config = CLIPTextConfig(
        vocab_size=len(vocabulary), hidden_size=width, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=length, projection_dim=width, bos_token_id=end - 1,
        eos_token_id=end, hidden_act="gelu" if projected else "quick_gelu",
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def t5_encoder(vocabulary, width=16):
    """A T5 text encoder of two layers."""
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(2)
    config = T5Config(
        vocab_size=len(vocabulary), d_model=width, d_kv=4, d_ff=16, num_layers=2, num_heads=2,
        relative_attention_num_buckets=8, relative_attention_max_distance=16, feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return T5EncoderModel(config).eval()


def autoencoder(diffusers, channels=4, **changes):
    """An autoencoder that halves the sides."""
    torch.manual_seed(3)
    return diffusers.AutoencoderKL(latent_channels=channels, **DECODER, **changes).eval()


def stable_diffusion(diffusers, folder, scheduler=None, *, pad="<|endoftext|>", **network):
    """Stable Diffusion 1 or 2: latents of 4×8×8, pictures of 3×16×16."""
    words = clip_tokenizer(folder / "made", pad=pad)
    torch.manual_seed(0)
    plain = {
        "sample_size": 8, "block_out_channels": (4, 8), "norm_num_groups": 2, "layers_per_block": 1,
        "cross_attention_dim": 8, "attention_head_dim": 2, "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }  # fmt: skip
    unet = diffusers.UNet2DConditionModel(**{**plain, **network}).eval()
    pipeline = diffusers.StableDiffusionPipeline(
        vae=autoencoder(diffusers), text_encoder=clip_encoder(words), tokenizer=words, unet=unet,
        scheduler=scheduler or diffusers.DDIMScheduler(**DDIM),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    return saved(pipeline, folder / "tiny")


def stable_diffusion_xl(diffusers, folder, scheduler=None):
    """Stable Diffusion XL, told of sizes and of a pooled embedding; an empty negative prompt is zeros."""
    first, second = clip_tokenizer(folder / "made"), clip_tokenizer(folder / "made2", pad="!")
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, block_out_channels=(4, 8), norm_num_groups=2, layers_per_block=1, cross_attention_dim=16,
        attention_head_dim=(2, 4), transformer_layers_per_block=(1, 2), use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=8 + 6 * 4,
    ).eval()  # fmt: skip
    pipeline = diffusers.StableDiffusionXLPipeline(
        vae=autoencoder(diffusers), text_encoder=clip_encoder(first), tokenizer=first, unet=unet,
        text_encoder_2=clip_encoder(second, projected=True), tokenizer_2=second,
        scheduler=scheduler or diffusers.EulerDiscreteScheduler(**EULER),
        add_watermarker=False,
    )  # fmt: skip
    return saved(pipeline, folder / "tiny")


def stable_diffusion_3(diffusers, folder, *, t5=True):
    """Stable Diffusion 3, with T5 or without: latents of 4×8×8."""
    words, pieces = clip_tokenizer(folder / "made"), t5_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=8, in_channels=4, out_channels=4, num_layers=2, attention_head_dim=4, num_attention_heads=2,
        joint_attention_dim=16, caption_projection_dim=8, pooled_projection_dim=16, pos_embed_max_size=8,
        qk_norm="rms_norm", dual_attention_layers=(0,),
    ).eval()  # fmt: skip
    pipeline = diffusers.StableDiffusion3Pipeline(
        transformer=transformer, scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=autoencoder(diffusers, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=clip_encoder(words, projected=True), tokenizer=words,
        text_encoder_2=clip_encoder(words, projected=True), tokenizer_2=words,
        text_encoder_3=t5_encoder(pieces) if t5 else None, tokenizer_3=pieces if t5 else None,
    )  # fmt: skip
    return saved(pipeline, folder / "tiny")


def flux(diffusers, folder):
    """Flux, distilled: latents of 4 channels, of which a token of its transformer has four places."""
    words, pieces = clip_tokenizer(folder / "made"), t5_tokenizer()
    torch.manual_seed(0)
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=16, pooled_projection_dim=8, guidance_embeds=True, axes_dims_rope=(2, 2, 4),
    ).eval()  # fmt: skip
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)
    pipeline = diffusers.FluxPipeline(
        scheduler=scheduler, vae=autoencoder(diffusers, shift_factor=0.1), text_encoder=clip_encoder(words),
        tokenizer=words, text_encoder_2=t5_encoder(pieces), tokenizer_2=pieces, transformer=transformer,
    )  # fmt: skip
    return saved(pipeline, folder / "tiny")


def saved(pipeline, folder):
    """The pipeline, quiet, and its folder."""
    pipeline.save_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, folder


def card(**changes):
    """The card of a model that draws what a prompt says, told of its guidance too; there are no weights behind it."""
    from diffstudio.checkpoints.card import Card

    plain = {
        "name": "painter", "modality": "image", "shape": (4, 8, 8), "decoded": (3, 16, 16), "path": {"name": "flow"},
        "prediction": "flow", "time": "flow", "prompts": {"tokens": 12, "distilled": True}, "step": 0,
        "network": "diffusers_flux", "data": {"dataset": ""},
        "defaults": {"guidance": 1.0, "distilled_guidance": 3.5, "samples": 1},
    }  # fmt: skip
    return Card.model_validate({**plain, **changes})
