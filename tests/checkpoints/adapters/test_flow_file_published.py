"""The published models are told by the shapes in their headers: no weights are needed for that."""

from __future__ import annotations

from diffstudio.checkpoints.adapters import adapter_of
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.header import Header, TensorInfo

CLIP_L = {"width": 768, "inner": 3072, "layers": 12}
CLIP_G = {"width": 1280, "inner": 5120, "layers": 32}


def clip(at, width, inner, layers):
    at = f"text_encoders.{at}.transformer."
    text = f"{at}text_model."
    return {
        f"{text}embeddings.token_embedding.weight": (49408, width),
        f"{text}embeddings.position_embedding.weight": (77, width),
        **{f"{text}encoder.layers.{i}.mlp.fc1.weight": (inner, width) for i in range(layers)},
        f"{at}text_projection.weight": (width, width),
    }


def t5():
    at = "text_encoders.t5xxl.transformer."
    first = f"{at}encoder.block.0.layer."
    return {
        f"{at}shared.weight": (32128, 4096),
        f"{first}0.SelfAttention.relative_attention_bias.weight": (32, 64),
        f"{first}1.DenseReluDense.wi_0.weight": (10240, 4096),
        **{f"{at}encoder.block.{i}.layer.0.SelfAttention.q.weight": (4096, 4096) for i in range(24)},
    }


def vae(at):
    widths = (128, 256, 512, 512)
    blocks = {
        f"{at}encoder.down.{i}.block.{k}.conv2.weight": (w, w, 3, 3) for i, w in enumerate(widths) for k in (0, 1)
    }
    return {**blocks, f"{at}decoder.conv_in.weight": (512, 16, 3, 3)}


def flux(guidance):
    at = "model.diffusion_model."
    told = {f"{at}guidance_in.in_layer.weight": (3072, 256)} if guidance else {}
    return {
        **told,
        f"{at}img_in.weight": (3072, 64),
        f"{at}txt_in.weight": (3072, 4096),
        f"{at}vector_in.in_layer.weight": (3072, 768),
        f"{at}final_layer.linear.weight": (64, 3072),
        f"{at}double_blocks.0.img_attn.norm.query_norm.scale": (128,),
        **{f"{at}double_blocks.{i}.img_attn.qkv.weight": (9216, 3072) for i in range(19)},
        **{f"{at}single_blocks.{i}.linear2.weight": (3072, 15360) for i in range(38)},
        **vae("vae."),
        **clip("clip_l", **CLIP_L),
        **t5(),
    }


def sd3(width, blocks, side, norms, second):
    at = "model.diffusion_model."
    return {
        f"{at}x_embedder.proj.weight": (width, 16, 2, 2),
        f"{at}pos_embed": (1, side**2, width),
        f"{at}context_embedder.weight": (width, 4096),
        f"{at}y_embedder.mlp.0.weight": (width, 2048),
        f"{at}final_layer.linear.weight": (64, width),
        **{f"{at}joint_blocks.{i}.x_block.attn.qkv.weight": (3 * width, width) for i in range(blocks)},
        **{f"{at}joint_blocks.{i}.x_block.attn.ln_q.weight": (64,) for i in range(blocks if norms else 0)},
        **{f"{at}joint_blocks.{i}.x_block.attn2.qkv.weight": (3 * width, width) for i in range(second)},
        **vae("first_stage_model."),
        **clip("clip_l", **CLIP_L),
        **clip("clip_g", **CLIP_G),
    }


def card(tmp_path, shapes):
    """The card of a file with such a header."""
    look = Look(tmp_path / "model.safetensors")
    tensors = {name: TensorInfo("BF16", shape, 0, 0) for name, shape in shapes.items()}
    look.__dict__ |= {"kind": "safetensors", "header": Header(look.path, tensors, {}, 0, 0)}
    adapter = adapter_of(look)
    assert adapter.name == "flow_file"
    return adapter.card(look)


def says(found, expected):
    """Whether the arguments have what is expected."""
    return {name: found[name] for name in expected} == expected


def test_flux(tmp_path):
    for guidance in (True, False):
        found = card(tmp_path, flux(guidance))
        assert (found.shape, found.decoded, found.dtype) == ((16, 128, 128), (3, 1024, 1024), "BF16")
        assert says(
            found.network_args,
            {"num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128, "num_attention_heads": 24}
            | {"in_channels": 64, "joint_attention_dim": 4096, "pooled_projection_dim": 768}
            | {"guidance_embeds": guidance},
        )
        assert says(
            found.network_args["vae"], {"scaling_factor": 0.3611, "shift_factor": 0.1159, "layers_per_block": 2}
        )
        t5 = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "length": 512}
        assert says(found.network_args["text_encoder_2"], {**t5, "feed_forward_proj": "gated-gelu"})


def test_stable_diffusion_3(tmp_path):
    published = {
        "3 medium": (1536, 24, 192, False, 0),
        "3.5 medium": (1536, 24, 384, True, 13),
        "3.5 large": (2432, 38, 192, True, 0),
    }
    for width, blocks, side, norms, second in published.values():
        found = card(tmp_path, sd3(width, blocks, side, norms, second))
        assert (found.shape, found.decoded, found.prompts.tokens) == ((16, 128, 128), (3, 1024, 1024), 77)
        assert says(
            found.network_args,
            {"num_layers": blocks, "attention_head_dim": 64, "num_attention_heads": width // 64}
            | {"caption_projection_dim": width, "pos_embed_max_size": side, "sample_size": 128, "patch_size": 2}
            | {
                "dual_attention_layers": list(range(second)),
                "joint_attention_dim": 4096,
                "pooled_projection_dim": 2048,
            },
        )
        assert found.network_args.get("qk_norm") == ("rms_norm" if norms else None)
        assert says(found.network_args["vae"], {"scaling_factor": 1.5305, "shift_factor": 0.0609})
        second_encoder = {"num_attention_heads": 20, "num_hidden_layers": 32, "projection_dim": 1280, "projected": True}
        assert says(found.network_args["text_encoder_2"], {**second_encoder, "hidden_act": "gelu"})
