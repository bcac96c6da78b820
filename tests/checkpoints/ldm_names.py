"""Tiny Stable Diffusion in one file: the tensors of a pipeline of diffusers under the names that such files have."""

from __future__ import annotations

import re

import torch

_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET_TOP = {
    "conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0", "conv_out": "out.2", "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPENCLIP = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip


def unet(network):
    """Of a UNet2DConditionModel."""
    blocks = network.config.layers_per_block
    return {f"model.diffusion_model.{_unet_name(k, blocks, network)}": v for k, v in network.state_dict().items()}


def _unet_name(name, blocks, network):
    module, _, kind = name.rpartition(".")
    if module in _UNET_TOP:
        return f"{_UNET_TOP[module]}.{kind}"
    if found := re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name):
        way, level, what, i, rest = found.groups()
        level, i = int(level), int(i)
        if what == "downsamplers":
            return f"input_blocks.{(level + 1) * (blocks + 1)}.0.op.{rest.removeprefix('conv.')}"
        if what == "upsamplers":
            place = 2 if "CrossAttn" in network.config.up_block_types[level] else 1
            return f"output_blocks.{(level + 1) * (blocks + 1) - 1}.{place}.{rest}"
        block = f"input_blocks.{1 + level * (blocks + 1) + i}"
        block = block if way == "down" else f"output_blocks.{level * (blocks + 1) + i}"
        return f"{block}.0.{_resnet(rest)}" if what == "resnets" else f"{block}.1.{rest}"
    found = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    assert found, name
    what, i, rest = found.groups()
    return f"middle_block.{2 * int(i)}.{_resnet(rest)}" if what == "resnets" else f"middle_block.1.{rest}"


def _resnet(rest):
    module, _, kind = rest.rpartition(".")
    return f"{_RESNET[module]}.{kind}"


def vae(network):
    """Of an AutoencoderKL; its attention is a convolution there."""
    count, out = len(network.config.block_out_channels), {}
    for name, tensor in network.state_dict().items():
        name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
        name = re.sub(
            r"up_blocks\.(\d)\.(resnets\.(\d)|upsamplers\.0)",
            lambda m: f"up.{count - 1 - int(m[1])}." + (f"block.{m[3]}" if m[3] else "upsample"),
            name,
        )
        name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        if found := re.match(r"(\w+)\.mid_block\.attentions\.0\.(.*)\.(weight|bias)", name):
            name = f"{found[1]}.mid.attn_1.{_ATTENTION[found[2]]}.{found[3]}"
            if tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
        name = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        out[f"first_stage_model.{name}"] = tensor
    return out


def openai(encoder, prefix):
    """Of a CLIPTextModel."""
    named = {name.removeprefix("text_model."): tensor for name, tensor in encoder.state_dict().items()}
    return {f"{prefix}transformer.text_model.{name}": tensor for name, tensor in named.items()}


def openclip(encoder, prefix, more_layers=0):
    """The same as OpenCLIP has it, with layers at the end that Stable Diffusion 2 does not read."""
    named = {name.removeprefix("text_model."): tensor for name, tensor in encoder.state_dict().items()}
    out = {
        "positional_embedding": named["embeddings.position_embedding.weight"],
        "token_embedding.weight": named["embeddings.token_embedding.weight"],
        "ln_final.weight": named["final_layer_norm.weight"],
        "ln_final.bias": named["final_layer_norm.bias"],
        "logit_scale": torch.tensor(1.0),
        "text_projection": named.get("text_projection.weight", torch.eye(encoder.config.hidden_size)).T.contiguous(),
    }
    layers = encoder.config.num_hidden_layers
    for i in range(layers + more_layers):
        own, to = f"encoder.layers.{min(i, layers - 1)}", f"transformer.resblocks.{i}"
        for kind in ("weight", "bias"):
            qkv = [named[f"{own}.self_attn.{part}_proj.{kind}"] for part in "qkv"]
            out[f"{to}.attn.in_proj_{kind}"] = torch.cat(qkv)
            out |= {f"{to}.{old}.{kind}": named[f"{own}.{new}.{kind}"] for new, old in _OPENCLIP.items()}
    return {f"{prefix}model.{name}": tensor for name, tensor in out.items()}


def smallest(diffusers):
    """The tensors of a Stable Diffusion 1 of one level, with all of CLIP's words."""
    from transformers import CLIPTextConfig, CLIPTextModel

    network = diffusers.UNet2DConditionModel(
        sample_size=8, block_out_channels=(32,), layers_per_block=1, cross_attention_dim=4, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
    )  # fmt: skip
    decoder = diffusers.AutoencoderKL(block_out_channels=(32,))
    config = CLIPTextConfig(hidden_size=4, intermediate_size=4, num_hidden_layers=2, num_attention_heads=1)
    told = openai(CLIPTextModel(config), "cond_stage_model.")
    tensors = {**unet(network), **vae(decoder), **told}
    return {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
