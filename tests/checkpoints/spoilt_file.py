"""A Stable Diffusion in one file of zeros: headers are enough for a card."""

from __future__ import annotations

import torch
from safetensors.torch import save_file

UNET, VAE = "model.diffusion_model.", "first_stage_model."
NETWORK = {
    f"{UNET}input_blocks.0.0.weight": (32, 4, 3, 3),
    f"{UNET}input_blocks.1.0.out_layers.3.weight": (32, 32, 3, 3),
    f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (32, 64),
    f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight": (32, 64),
    f"{UNET}middle_block.1.proj_in.weight": (32, 32, 1, 1),
    f"{UNET}out.2.weight": (4, 32, 3, 3),
    f"{VAE}encoder.down.0.block.0.conv2.weight": (32, 32, 3, 3),
    f"{VAE}decoder.conv_in.weight": (32, 4, 3, 3),
}
FIRST = "cond_stage_model.transformer.text_model."
SECOND = "cond_stage_model.model."
ENCODERS = {
    "1": {
        f"{FIRST}embeddings.token_embedding.weight": (49408, 1),
        f"{FIRST}embeddings.position_embedding.weight": (77, 1),
        f"{FIRST}encoder.layers.1.mlp.fc1.weight": (2, 1),
        f"{FIRST}encoder.layers.0.mlp.fc1.weight": (2, 1),
    },
    "2": {
        f"{SECOND}token_embedding.weight": (49408, 1),
        f"{SECOND}positional_embedding": (77, 1),
        f"{SECOND}transformer.resblocks.0.mlp.c_fc.weight": (2, 1),
        f"{SECOND}transformer.resblocks.1.mlp.c_fc.weight": (2, 1),
    },
}


def spoilt(folder, changes, metadata=None, *, name="spoilt", family="1"):
    """The file; changes: shapes or tensors by name, None to leave one out."""
    wanted = {**NETWORK, **ENCODERS[family], **changes}
    tensors = {
        key: each if isinstance(each, torch.Tensor) else torch.zeros(each)
        for key, each in wanted.items()
        if each is not None
    }
    path = folder / f"{name}.safetensors"
    save_file(tensors, path, metadata)
    return path
