"""Formats that are recognised, but not opened: what each is, why not, and the way out, in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diffstudio.checkpoints.adapters.look import Look


@dataclass(frozen=True)
class Refused:
    """label, recognised: the row of the table in the docs. why: the sentence, after the name of the file."""

    label: str
    recognised: str
    why: str
    recognises: Callable[[Look], bool]


# The first tensor of each network that opens as .safetensors.
_FIRST = (
    "model.diffusion_model.input_blocks.0.0.weight",
    "joint_blocks.0.x_block.attn.qkv.weight",
    "double_blocks.0.img_attn.qkv.weight",
)

_PART = frozenset({"text_model.embeddings.token_embedding.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"})


def _persistent(look: Look) -> bool:
    start = look.start or b""
    return start[:1] == b"\x80" and b"persistence" in start and b"_reconstruct" in start


def _names(look: Look) -> frozenset[str]:
    if look.kind == "safetensors":
        return frozenset(look.header.tensors)
    return frozenset(look.pickled.tensors) if look.kind == "torch" else frozenset()


def _pickled_file(look: Look) -> bool:
    return look.kind == "torch" and any(name.endswith(_FIRST) for name in _names(look))


def _adapter(look: Look) -> bool:
    return any(".lora_down." in name or ".lora_A." in name for name in _names(look))


def _part(look: Look) -> bool:
    names = _names(look)
    return bool(names & _PART) or {"decoder.conv_in.weight", "encoder.conv_in.weight"} <= names


REFUSED: tuple[Refused, ...] = (
    Refused(
        "EDM, StyleGAN `.pkl`",
        "a pickle that names `torch_utils.persistence`",
        "is a network of NVIDIA's EDM or StyleGAN: such a file embeds program source that would have to be run, so it "
        "is not opened; load it once with their own code and save its state_dict() as .safetensors",
        _persistent,
    ),
    Refused(
        "Stable Diffusion, Flux in one `.ckpt`",
        "a torch file with " + ", ".join(f"`…{name}`" for name in _FIRST),
        "is a Stable Diffusion or Flux checkpoint as a .ckpt: save it as .safetensors with the tool that "
        "made it, which opens",
        _pickled_file,
    ),
    Refused(
        "LoRA",
        "`….lora_down.…` or `….lora_A.…`",
        "is a LoRA: a change to a model, and no model by itself; merge it into its model first",
        _adapter,
    ),
    Refused(
        "text encoder or autoencoder alone",
        "CLIP's or T5's table of words, `decoder.conv_in.weight` with `encoder.conv_in.weight`",
        "is a text encoder or an autoencoder, and no model by itself: put it beside the transformer whose part it is, "
        "and open that",
        _part,
    ),
)


def reason(look: Look) -> str:
    """Why the file is recognised but not opened, "" if it is not recognised."""
    row = next((row for row in REFUSED if row.recognises(look)), None)
    return "" if row is None else row.why
