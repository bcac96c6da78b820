"""Tiny Stable Diffusion 3 and Flux with random weights, all of CLIP's and T5's words, and one file of their tensors."""

from __future__ import annotations

import flow_names as names
import torch
from safetensors.torch import save_file

from diffstudio.checkpoints.adapters.clip_words import clip_vocabulary
from diffstudio.checkpoints.adapters.t5_words import t5_vocabulary

SHIFTED = {
    "3": {"scaling_factor": 1.5305, "shift_factor": 0.0609},
    "Flux": {"scaling_factor": 0.3611, "shift_factor": 0.1159},
}


def clip_encoder(width=8, kind="quick_gelu", projected=False):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(width + projected)
    config = CLIPTextConfig(
        hidden_size=width, intermediate_size=16, num_hidden_layers=2, num_attention_heads=1, projection_dim=width,
        hidden_act=kind, eos_token_id=49407, bos_token_id=49406,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def t5_encoder(width=16):
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(2)
    config = T5Config(
        vocab_size=32128, d_model=width, d_kv=8, d_ff=16, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
    )
    return T5EncoderModel(config).eval()


def decoder(diffusers, family):
    torch.manual_seed(4)
    return diffusers.AutoencoderKL(
        block_out_channels=(32, 32), layers_per_block=1, down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, use_quant_conv=False, use_post_quant_conv=False,
        **SHIFTED[family],
    ).eval()  # fmt: skip


def tokenizers():
    """CLIP's and T5's, as transformers has them, with the words that are shipped."""
    from transformers import CLIPTokenizer, T5Tokenizer

    words, pieces = clip_vocabulary("!"), t5_vocabulary()
    clip, padded = (
        CLIPTokenizer(vocab=words.pieces, merges=list(words.merges), pad_token=pad, model_max_length=77)
        for pad in ("<|endoftext|>", "!")
    )
    return clip, padded, T5Tokenizer(vocab=list(zip(pieces.pieces, pieces.scores, strict=True)), extra_ids=0)


def sd3(diffusers, *, t5=True, newer=False):
    """Stable Diffusion 3, or 3.5 with norms in its attention and a second one: the pipeline and its tensors."""
    torch.manual_seed(0)
    more = {"qk_norm": "rms_norm", "dual_attention_layers": (0,)} if newer else {}
    heads = {"attention_head_dim": 16, "num_attention_heads": 2} if newer else {}
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=128, in_channels=4, out_channels=4, num_layers=2, joint_attention_dim=16, pooled_projection_dim=16,
        pos_embed_max_size=64, **{"attention_head_dim": 64, "num_attention_heads": 1, **heads}, **more,
        caption_projection_dim=32 if newer else 64,
    ).eval()  # fmt: skip
    clip, padded, pieces = tokenizers()
    first, second = clip_encoder(), clip_encoder(kind="gelu", projected=True)
    # CLIP-L is read without its projection, which diffusers says with one that changes nothing.
    plain = clip_encoder(projected=True)
    states = {n.removeprefix("text_model."): t for n, t in first.state_dict().items()}
    getattr(plain, "text_model", plain).load_state_dict(states)
    plain.text_projection.weight.data = torch.eye(8)
    pipeline = diffusers.StableDiffusion3Pipeline(
        transformer=transformer, scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=decoder(diffusers, "3"), text_encoder=plain, tokenizer=clip, text_encoder_2=second, tokenizer_2=padded,
        text_encoder_3=t5_encoder() if t5 else None, tokenizer_3=pieces if t5 else None,
    )  # fmt: skip
    tensors = names.sd3(transformer) | names.vae(pipeline.vae, "first_stage_model.")
    tensors |= names.clip(first, names.CLIP_L) | names.clip(second, names.CLIP_G)
    return pipeline, tensors | (names.t5(pipeline.text_encoder_3) if t5 else {})


def flux(diffusers, *, guidance=True, layers=2):
    """Flux, that is told its guidance as dev or is not as schnell: the pipeline and its tensors."""
    torch.manual_seed(0)
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=16, num_layers=layers, num_single_layers=layers, attention_head_dim=128, num_attention_heads=1,
        joint_attention_dim=16, pooled_projection_dim=8, guidance_embeds=guidance,
    ).eval()  # fmt: skip
    clip, _, pieces = tokenizers()
    shift = {"shift": 3.0, "use_dynamic_shifting": True} if guidance else {"shift": 1.0}
    pipeline = diffusers.FluxPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(**shift), vae=decoder(diffusers, "Flux"),
        text_encoder=clip_encoder(), tokenizer=clip, text_encoder_2=t5_encoder(), tokenizer_2=pieces,
        transformer=transformer,
    )  # fmt: skip
    tensors = (
        names.flux(transformer) | names.vae(pipeline.vae, "vae.") | names.clip(pipeline.text_encoder, names.CLIP_L)
    )
    return pipeline, tensors | names.t5(pipeline.text_encoder_2)


def written(path, tensors, metadata=None):
    """The file; tensors that share memory are written each."""
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path
