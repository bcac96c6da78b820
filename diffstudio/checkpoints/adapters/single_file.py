"""Stable Diffusion 1, 2 and XL in one file, as A1111 and ComfyUI have them: its names say the architecture."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diffstudio.checkpoints.adapters.adapter import Adapter, floats
from diffstudio.checkpoints.adapters.clip_words import COUNT, END, clip_vocabulary
from diffstudio.checkpoints.adapters.families import family_of_file
from diffstudio.checkpoints.adapters.flow_file_names import unscaled
from diffstudio.checkpoints.adapters.library import library
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.quantised import check_floats
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.single_file_chain import chain_of
from diffstudio.checkpoints.adapters.single_file_parts import Architecture, architecture, pixels
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, dotless, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

UNET, VAE = "model.diffusion_model.", "first_stage_model."
FIRST = f"{UNET}input_blocks.0.0.weight"


def recognises(look: Look) -> bool:
    """The first convolution of its network, under the name that it has in such a file."""
    return weight_set(look, (FIRST,)) is not None and family_of_file(look) is None


def card(look: Look) -> Card:
    """What the names, the shapes and the metadata say; the rest is taken from the published models. Raises: BadFile."""
    stored = _weights(look)
    check_floats(look, stored.prefix + UNET)
    found = architecture(look, stored.tensors)
    chain = chain_of(look, found.family, stored.names)
    schedule = chain.schedule
    height, width = _size(look, found, chain.side)
    name, step = name_and_step(look.path)
    unet, vae = found.unet, found.vae
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": f"A text-to-image model (Stable Diffusion {found.family}) in one file; {chain.said}. Data "
            "set, licence and training are not known.",
            "modality": "image",
            "shape": (unet["in_channels"], height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "untold": ("prediction",) if chain.untold else (),
            "sigma_data": schedule.sigma_data,
            "time": schedule.time,
            "unit_noise": schedule.unit_noise,
            "decoded": (3, height * found.factor, width * found.factor),
            "prompts": {"tokens": 77},
            "network": "diffusers_prompted_unet",
            "network_args": {
                **unet,
                **found.encoders,
                **({"zero_empty": True} if found.family == "XL" else {}),
                "vae": {"kind": "AutoencoderKL", **vae, **chain.latents},
            },
            "data": {"dataset": ""},
            "step": step,
            "parameters": sum(math.prod(t.shape) for key, t in stored.tensors.items() if _wanted(key, found)),
            "decoder_parameters": sum(math.prod(t.shape) for key, t in stored.tensors.items() if key.startswith(VAE)),
            "dtype": stored.tensors[FIRST].dtype,
            "defaults": chain.defaults,
            "format": "single_file",
            **stored.told(),
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network, of the text encoders and of the autoencoder. Raises: NotFound, BadFile, BadInput."""
    weights = _weights(look)
    found = architecture(look, weights.tensors)
    wanted = {key: at for key, at in weights.names.items() if _wanted(key, found)}
    stored = unscaled(look.path, replace(weights, names=wanted).load())
    convert = library("loaders.single_file_utils")
    try:
        unet = convert.convert_ldm_unet_checkpoint(stored, found.unet)
        vae = convert.convert_ldm_vae_checkpoint({k: v for k, v in stored.items() if k.startswith(VAE)}, found.vae)
    except (KeyError, ValueError, RuntimeError, IndexError) as error:
        raise BadFile(f"{shown(look.path, 400)}: its tensors can't be renamed: {shown(error, 200)}") from error
    out = {f"network.{key}": tensor for key, tensor in unet.items()}
    out |= {f"vae.model.{key}": tensor for key, tensor in vae.items()}
    for name, prefix in found.prefixes.items():
        own = {key.removeprefix(prefix): tensor for key, tensor in stored.items() if key.startswith(prefix)}
        renamed = _openai(own) if prefix.endswith("transformer.") else _openclip(own, found.encoders[name])
        out |= {f"{name}.{key}": tensor for key, tensor in renamed.items()}
    return floats(look.path, out)


def words(look: Look) -> dict[str, Vocabulary]:
    """CLIP's own words, for each of the text encoders; OpenCLIP's are padded otherwise. Raises: BadFile."""
    found = architecture(look, _weights(look).tensors)
    for name, encoder in found.encoders.items():
        if encoder["vocab_size"] != COUNT:
            raise BadFile(
                f"{shown(look.path, 400)}: {name} knows {encoder['vocab_size']:,} words, expected CLIP's {COUNT:,}: "
                "open the folder of diffusers, which has its tokenizer"
            )
    return {
        name: clip_vocabulary(END if prefix.endswith("transformer.") else "!")
        for name, prefix in found.prefixes.items()
    }


SINGLE_FILE = Adapter(
    name="single_file",
    label="Stable Diffusion 1, 2, XL in one file, `.safetensors` or `.ckpt`",
    opens="text-to-image files as A1111 and ComfyUI have them, with prompt and negative prompt; CLIP's words are "
    "brought",
    recognised=f"`{FIRST}`, behind any prefix such as `state_dict.`; a pickle is read as any other here, without "
    "running it",
    asks="prediction and size where nothing says them: not the metadata (ModelSpec), nor the tensors that mark v, zero "
    "terminal SNR, EDM's σ or normed latents (`v_pred`, `ztsnr`, `edm_vpred.sigma_max`, `edm_mean`), nor a `.yaml` or "
    "the JSON of a download manager beside the file, nor its name. Then ε at 512 for 1, v at 768 for 2, ε at 1,024 for "
    "XL are taken until the first loading has found out by a call of the network what it predicts; a card beside the "
    "file replaces all of it",
    refuses="networks that are also given a picture or a mask, XL's refiner, files without text encoder or autoencoder",
    recognises=recognises,
    card=card,
    weights=weights,
    words=words,
)


def _wanted(key: str, found: Architecture) -> bool:
    """Whether a tensor is one of the model's: averages, schedules and the like lie beside them."""
    return key.startswith((UNET, VAE, *found.prefixes.values())) and not key.endswith("position_ids")


def _weights(look: Look) -> WeightSet:
    """All tensors, without what wraps them; of the U-Net the averaged ones, where both are there."""
    found = weight_set(look, (FIRST,))
    assert found is not None, "recognised before"
    return dotless(found, UNET)


def _size(look: Look, found: Architecture, side: int) -> tuple[int, int]:
    """Height and width of the latents: what the metadata say, where they can be, or those of the published model."""
    step = found.factor * 2 ** (len(found.unet["block_out_channels"]) - 1)
    height, width = pixels(look, side, step)
    return height // found.factor, width // found.factor


def _openai(own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of OpenAI's CLIP by our names."""
    return {f"model.{key.removeprefix('text_model.')}": tensor for key, tensor in own.items()}


_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_TOP = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}


def _openclip(own: dict[str, Tensor], encoder: dict[str, Any]) -> dict[str, Tensor]:
    """The same of OpenCLIP, which has query, key and value in one; layers that the encoder leaves out are left out."""
    out: dict[str, Tensor] = {}
    for key, tensor in own.items():
        if key in _TOP:
            out[f"model.{_TOP[key]}"] = tensor
        elif key == "text_projection" and encoder.get("projected"):
            out["projection.weight"] = tensor.T.contiguous()
        elif key.startswith("transformer.resblocks."):
            _, _, number, rest = key.split(".", 3)
            if int(number) >= encoder["num_hidden_layers"]:
                continue
            layer = f"model.encoder.layers.{number}"
            if rest.startswith("attn.in_proj_"):
                kind = rest.removeprefix("attn.in_proj_")
                for part, rows in zip("qkv", tensor.chunk(3), strict=True):
                    out[f"{layer}.self_attn.{part}_proj.{kind}"] = rows.clone()
            else:
                part, _, kind = rest.rpartition(".")
                out[f"{layer}.{_LAYER.get(part, part)}.{kind}"] = tensor
    return out
