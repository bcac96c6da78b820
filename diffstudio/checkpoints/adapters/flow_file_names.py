"""The tensors of a Stable Diffusion 3 or Flux in one file by the names that ours have, and out of 8 bits.

Stable Diffusion 3 is renamed by diffusers. Its function for Flux holds the width of the published model for the only
one and can't cut another, so that Flux is renamed here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

Tensors = dict[str, "Tensor"]
_TOP = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_BLOCK = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "modulation.lin": "norm.linear",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "linear2": "proj_out",
}
# Several layers in one: their rows follow each other, as wide as the network, the last with what is left.
_JOINED = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
}
_PLACE = re.compile(r"(double|single)_blocks\.(\d{1,3})\.(.+)")
# What tools for 8 bits put beside a weight: its scale, by one of two names, and what ours has no use for.
_SCALES = (".scale_weight", ".weight_scale")
_LEFT_OUT = (".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8", "logit_scale", "position_ids")
_FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


def flux(stored: Tensors, width: int) -> Tensors:
    """A transformer of Flux as diffusers names it; width: numbers of a token. Raises: RuntimeError, of odd shapes."""
    import torch

    out: Tensors = {}
    for name, tensor in stored.items():
        module, _, kind = name.rpartition(".")
        kind = "weight" if kind == "scale" else kind
        if module == "final_layer.adaLN_modulation.1":
            shift, scale = tensor.chunk(2)  # diffusers has the scale first
            tensor = torch.cat([scale, shift])
        found = _PLACE.fullmatch(module)
        if found is None:
            out[f"{_TOP.get(module, module)}.{kind}"] = tensor
            continue
        block = f"{'single_' if found[1] == 'single' else ''}transformer_blocks.{found[2]}"
        if found[3] in _JOINED:
            layers = _JOINED[found[3]]
            rows = tensor.tensor_split([width * i for i in range(1, len(layers))])
            out |= {f"{block}.{layer}.{kind}": part.clone() for layer, part in zip(layers, rows, strict=True)}
        else:
            out[f"{block}.{_BLOCK.get(found[3], found[3])}.{kind}"] = tensor
    return out


def clip(stored: Tensors, projected: bool) -> Tensors:
    """A CLIP of transformers by our names."""
    out = {
        f"model.{name.removeprefix('text_model.')}": t for name, t in stored.items() if name.startswith("text_model.")
    }
    if projected and "text_projection.weight" in stored:
        out["projection.weight"] = stored["text_projection.weight"]
    return out


def t5(stored: Tensors) -> Tensors:
    """T5's encoder by our names; some files have its table of words twice."""
    named = {
        "embed_tokens.weight" if n == "shared.weight" else n.removeprefix("encoder."): t for n, t in stored.items()
    }
    return {f"model.{name}": tensor for name, tensor in named.items()}


def is_weight(name: str) -> bool:
    """Whether a tensor of a part is a weight of its network, and not something that lies beside one."""
    return not name.endswith((*_SCALES, *_LEFT_OUT))


def check_dtype(where: Path, name: str, dtype: str) -> None:
    """Raises: BadFile, of a weight in fewer bits than the 8 of a float."""
    if dtype not in _FLOATS:
        raise BadFile(
            f"{shown(where, 400)}: its weights are quantised: '{shown(name)}' is {shown(dtype, 20)}, expected one of "
            f"{', '.join(_FLOATS)}: open the model in 16 bits or fp8"
        )


def unscaled(where: Path, stored: Tensors) -> Tensors:
    """The weights with their scales, where they have any, in bfloat16: 8 bits hold less than that.

    Raises:
        BadFile: a scale that is neither one number nor one for each row.
    """
    import torch

    out = {name: tensor for name, tensor in stored.items() if is_weight(name)}
    for ending in _SCALES:
        for name, scale in stored.items():
            weight = f"{name.removesuffix(ending)}.weight"
            if not name.endswith(ending) or weight not in out:
                continue
            whole = out[weight]
            if not whole.dim() or scale.numel() not in (1, len(whole)):
                raise BadFile(f"{shown(where, 400)}: '{shown(name)}' has {scale.numel():,} numbers, expected one")
            rows = scale.float().reshape(-1, *[1] * (whole.dim() - 1))
            out[weight] = (whole.float() * rows).to(torch.bfloat16)
    return out
