"""Tiny Stable Diffusion 3 and Flux in one file: the tensors of diffusers under the names that such files have."""

from __future__ import annotations

import re

import ldm_names
import torch

NETWORK = "model.diffusion_model."
CLIP_L, CLIP_G, T5 = (f"text_encoders.{name}.transformer." for name in ("clip_l", "clip_g", "t5xxl"))
_SD3_TOP = {
    "pos_embed.proj": "x_embedder.proj", "context_embedder": "context_embedder",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "proj_out": "final_layer.linear", "norm_out.linear": "final_layer.adaLN_modulation.1",
}  # fmt: skip
_SD3_BLOCK = {
    "norm1.linear": "x_block.adaLN_modulation.1", "norm1_context.linear": "context_block.adaLN_modulation.1",
    "attn.norm_q": "x_block.attn.ln_q", "attn.norm_k": "x_block.attn.ln_k",
    "attn.norm_added_q": "context_block.attn.ln_q", "attn.norm_added_k": "context_block.attn.ln_k",
    "attn.to_out.0": "x_block.attn.proj", "attn.to_add_out": "context_block.attn.proj",
    "attn2.norm_q": "x_block.attn2.ln_q", "attn2.norm_k": "x_block.attn2.ln_k",
    "attn2.to_out.0": "x_block.attn2.proj",
    "ff.net.0.proj": "x_block.mlp.fc1", "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1", "ff_context.net.2": "context_block.mlp.fc2",
}  # fmt: skip
_SD3_JOINED = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
}
_FLUX_TOP = {
    "x_embedder": "img_in", "context_embedder": "txt_in",
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "proj_out": "final_layer.linear", "norm_out.linear": "final_layer.adaLN_modulation.1",
}  # fmt: skip
_FLUX_DOUBLE = {
    "norm1.linear": "img_mod.lin", "norm1_context.linear": "txt_mod.lin",
    "attn.norm_q": "img_attn.norm.query_norm", "attn.norm_k": "img_attn.norm.key_norm",
    "attn.norm_added_q": "txt_attn.norm.query_norm", "attn.norm_added_k": "txt_attn.norm.key_norm",
    "attn.to_out.0": "img_attn.proj", "attn.to_add_out": "txt_attn.proj",
    "ff.net.0.proj": "img_mlp.0", "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0", "ff_context.net.2": "txt_mlp.2",
}  # fmt: skip
_FLUX_SINGLE = {
    "norm.linear": "modulation.lin", "attn.norm_q": "norm.query_norm", "attn.norm_k": "norm.key_norm",
    "proj_out": "linear2",
}  # fmt: skip
_FLUX_JOINED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
_FLUX_SINGLE_JOINED = {"linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")}


def sd3(network, prefix=NETWORK):
    """Of an SD3Transformer2DModel."""
    states = dict(network.state_dict())
    last = f"transformer_blocks.{network.config.num_layers - 1}.norm1_context.linear"
    for kind in ("weight", "bias"):
        for name in ("norm_out.linear", last):  # there the shift comes first
            states[f"{name}.{kind}"] = _halves_swapped(states[f"{name}.{kind}"])
    out = {"pos_embed": states.pop("pos_embed.pos_embed")}
    out |= _blocks(states, "transformer_blocks", "joint_blocks", _SD3_BLOCK, _SD3_JOINED)
    return {f"{prefix}{name}": tensor for name, tensor in (out | _top(states, _SD3_TOP)).items()}


def flux(network, prefix=NETWORK):
    """Of a FluxTransformer2DModel."""
    states = dict(network.state_dict())
    for kind in ("weight", "bias"):
        states[f"norm_out.linear.{kind}"] = _halves_swapped(states[f"norm_out.linear.{kind}"])
    out = _blocks(states, "transformer_blocks", "double_blocks", _FLUX_DOUBLE, _FLUX_JOINED)
    out |= _blocks(states, "single_transformer_blocks", "single_blocks", _FLUX_SINGLE, _FLUX_SINGLE_JOINED)
    out = {re.sub(r"(query|key)_norm\.weight$", r"\1_norm.scale", name): tensor for name, tensor in out.items()}
    return {f"{prefix}{name}": tensor for name, tensor in (out | _top(states, _FLUX_TOP)).items()}


def clip(encoder, prefix):
    """Of a CLIPTextModel, with its projection or without."""
    states = encoder.state_dict()
    projection = (
        {"text_projection.weight": states["text_projection.weight"]} if "text_projection.weight" in states else {}
    )
    named = {f"text_model.{n.removeprefix('text_model.')}": t for n, t in states.items() if n not in projection}
    return {f"{prefix}{name}": tensor for name, tensor in (named | projection).items()}


def t5(encoder, prefix=T5):
    """Of a T5EncoderModel, whose table of words is there once."""
    states = {name: tensor for name, tensor in encoder.state_dict().items() if name != "encoder.embed_tokens.weight"}
    return {f"{prefix}{name}": tensor for name, tensor in states.items()}


def vae(network, prefix):
    """Of an AutoencoderKL."""
    return {f"{prefix}{n.removeprefix('first_stage_model.')}": t for n, t in ldm_names.vae(network).items()}


def _halves_swapped(tensor):
    first, second = tensor.chunk(2)
    return torch.cat([second, first])


def _top(states, names):
    """What lies beside the blocks."""
    out = {}
    for name, tensor in states.items():
        module, _, kind = name.rpartition(".")
        if not module.startswith(("transformer_blocks.", "single_transformer_blocks.")):
            out[f"{names[module]}.{kind}"] = tensor
    return out


def _blocks(states, own, there, names, joined):
    """The blocks, with layers that are several here and one there."""
    out = {}
    for name, tensor in states.items():
        found = re.fullmatch(rf"{own}\.(\d+)\.(.*)\.(weight|bias)", name)
        if found and found[2] in names:
            out[f"{there}.{found[1]}.{names[found[2]]}.{found[3]}"] = tensor
    for number in {found[1] for name in states if (found := re.match(rf"{own}\.(\d+)\.", name))}:
        for to, layers in joined.items():
            for kind in ("weight", "bias"):
                rows = [states.get(f"{own}.{number}.{layer}.{kind}") for layer in layers]
                if rows[0] is not None:
                    out[f"{there}.{number}.{to}.{kind}"] = torch.cat(rows)
    return out
