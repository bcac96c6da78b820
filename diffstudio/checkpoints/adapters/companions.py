"""Files that lie beside models and are none: each by the names of its tensors, with what it is and the way out.

One row each: what its names hold, what it is, what to do with it. The first row that fits is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diffstudio.checkpoints.adapters.look import Look, Stored
from diffstudio.checkpoints.names import shown

Names = Mapping[str, Stored]
_CHANGE = "a change to a model, and no model by itself; merge it into its model first"
_PART = "no model by itself: put it beside the transformer whose part it is, and open that"
_LEADS = "which leads a model and is none by itself; DiffStudio opens models without it"
_NONE = "and no network: the weights lie beside it"
_DATA = re.compile(
    r"|\d+|x|y|z|(x|y)_(train|test)|(.*_)?(labels?|targets?|images?|samples?|data|latents?|noises?|features?|mean|std|"
    r"embeddings?|indices|ids|masks?|classes|points|tokens)"
)
FEW = 4  # tensors of data, such as samples with their labels
_WORDS = ((768,), (1024,), (1280,))  # the shapes of a word in published text encoders


@dataclass(frozen=True)
class Companion:
    """label, recognised: the row of the table in the docs.  what, way: after the file's name, "is" or "holds" first."""

    label: str
    recognised: str
    why: str
    fits: Callable[[Names, Look], bool]


def _row(label: str, recognised: str, why: str, *parts: str) -> Companion:
    """A row of a file in whose names one of these parts stands anywhere."""
    return Companion(label, recognised, why, lambda names, _: any(part in name for part in parts for name in names))


def _signs(label: str, recognised: str, why: str, *signs: tuple[str, ...]) -> Companion:
    """A row of a file that has all tensors of one of these sets, wherever their names begin."""

    def fits(_: Names, look: Look) -> bool:
        return any(all(look.ends.of(sign) for sign in each) for each in signs)

    return Companion(label, recognised, why, fits)


def _optimiser(names: Names, look: Look) -> bool:
    """Averages of gradients by number, with what an optimiser is told."""
    told = look.kind == "torch" and any(name.endswith("param_groups.0.lr") for name in look.pickled.values)
    kept = [name for name in names if re.search(r"(^|\.)state\.\d+\.\w+$", name)]
    return told and len(kept) == len(names)


def _value(*keys: str) -> Callable[[Names, Look], bool]:
    """A file without tensors that has one of these values."""

    def fits(names: Names, look: Look) -> bool:
        values = look.pickled.values if look.kind == "torch" else {}
        return not names and any(name == key or name.endswith(f".{key}") for key in keys for name in values)

    return fits


def _embeddings(names: Names, look: Look) -> bool:
    """Rows of a text encoder under a few names of their own: a word in brackets, or the encoder's."""
    if not 1 <= len(names) <= FEW:
        return False
    if all(re.fullmatch(r"emb_params|clip_[lg]|t5xxl|string_to_param\..+|<.+>", name) for name in names):
        return True
    return len(names) == 1 and all("." not in name and tensor.shape in _WORDS for name, tensor in names.items())


def _tiny_autoencoder(names: Names, look: Look) -> bool:
    """Layers by number, blocks of convolutions among them; or the class of diffusers."""
    plain = [name for name in names if re.fullmatch(r"\d+\.(conv\.\d+\.)?(weight|bias)", name)]
    blocks = any(".conv." in name for name in plain)
    return (len(plain) == len(names) > 0 and blocks) or {"encoder.layers.0.weight", "decoder.layers.1.weight"} <= set(
        names
    )


def _data(names: Names, look: Look) -> bool:
    """A few tensors that are named as data are, or by their numbers in a list."""
    return 1 <= len(names) <= FEW and all(_DATA.fullmatch(name.lower()) for name in names)


COMPANIONS: tuple[Companion, ...] = (
    _row(
        "LoRA within its model (peft)",
        "`….base_layer.weight`",
        "is a model with a LoRA that is not merged into it (peft): `merge_and_unload()`, and save it again",
        ".base_layer.weight",
    ),
    _row("LoHa", "`….hada_w1_a`", f"is a LoHa (LyCORIS): {_CHANGE}", ".hada_w1", ".hada_t1"),
    _row("LoKr", "`….lokr_w1`", f"is a LoKr (LyCORIS): {_CHANGE}", ".lokr_w1", ".lokr_w2"),
    _row("OFT, BOFT", "`….oft_blocks`, `….oft_diag`, `….oft_R`", f"is an OFT: {_CHANGE}", ".oft_blocks", ".oft_diag",
         ".oft_R.", ".boft_"),
    _row("control LoRA", "`lora_controlnet`", f"is a control LoRA, {_LEADS}", "lora_controlnet"),
    _row(
        "LoRA",
        "`lora_down`, `lora_up`, `lora_A`, `lora_B`, `….lora.down.…`, `….lora_linear_layer.…`, `dora_scale`",
        f"is a LoRA: {_CHANGE}",
        *("lora_down", "lora_up", "lora_A", "lora_B", ".lora.down.", ".lora.up.", "_lora.down.", "_lora.up."),
        *("lora_linear_layer", "dora_scale", ".lora_a.", ".lora_b."),
    ),
    _signs("difference of weights", "`….diff`, `….diff_b`", f"holds differences of weights (LyCORIS full): {_CHANGE}",
           ("diff_b",), ("diff",), ("set_weight",)),
    _row("(IA)³", "`….on_input`", f"is an (IA)³: {_CHANGE}", ".on_input"),
    _row("IP-Adapter", "`….to_k_ip.weight`, `image_proj.…`", f"is an IP-Adapter, {_LEADS}", ".to_k_ip.", "image_proj."),
    _row(
        "ControlNet",
        "`control_model.…`, `controlnet_…`, `input_hint_block.0.weight`",
        f"is a ControlNet, {_LEADS}",
        *("control_model.", "controlnet_cond_embedding.", "controlnet_down_blocks.", "controlnet_blocks."),
        *("controlnet_x_embedder.", "controlnet_mid_block", "input_hint_block.", "controlnet_single_blocks."),
    ),
    _signs(
        "T2I-Adapter",
        "`body.0.resnets.0.block1.weight`, `body.0.in_conv.weight`, `body.0.block1.weight` with `conv_in.weight`",
        f"is a T2I-Adapter, {_LEADS}",
        ("body.0.resnets.0.block1.weight",), ("body.0.in_conv.weight",), ("body.0.block1.weight", "conv_in.weight"),
    ),
    Companion(
        "textual inversion",
        "`emb_params`, `string_to_param.…`, `clip_l`, `clip_g` or `<word>` alone, rows as wide as a text encoder's",
        "is an embedding of a word (textual inversion), which belongs to the text encoder of a model and is none by "
        "itself; prompts can't use it here",
        _embeddings,
    ),
    _row("motion module", "`….motion_modules.…`, `….temporal_transformer.…`",
         "is a motion module (AnimateDiff), which makes videos of a model of pictures and is none by itself",
         "motion_modules.", ".temporal_transformer."),
    _row("safety checker", "`concept_embeds`",
         "is a safety checker of Stable Diffusion, which judges pictures and draws none", "concept_embeds"),
    _signs(
        "CLIP vision and other encoders of pictures",
        "`vision_model.….patch_embedding.weight`, `visual.conv1.weight`, `….patch_embeddings.projection.weight`",
        "is an encoder of pictures (CLIP vision, SigLIP, DINO), and no model that draws",
        ("vision_model.embeddings.patch_embedding.weight",), ("visual.conv1.weight",),
        ("embeddings.patch_embeddings.projection.weight",),
    ),
    _signs(
        "text encoder",
        "CLIP's, T5's or a language model's table of words, with its first layer",
        f"is a text encoder, and {_PART}",
        ("text_model.embeddings.token_embedding.weight",), ("encoder.block.0.layer.0.SelfAttention.q.weight",),
        ("token_embedding.weight", "transformer.resblocks.0.ln_1.weight"),
        ("embed_tokens.weight", "layers.0.self_attn.q_proj.weight"),
        ("embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"),
    ),
    Companion(
        "tiny autoencoder (TAESD)",
        "`encoder.layers.0.weight` with `decoder.layers.1.weight`, or layers by number alone",
        "is a tiny autoencoder (TAESD), or a half of one, which shows latents and is no model by itself",
        _tiny_autoencoder,
    ),
    _signs(
        "autoencoder",
        "`decoder.conv_in.weight` with `encoder.conv_in.weight`, behind any prefix, or Wan's `decoder.conv1.weight`",
        f"is an autoencoder, and {_PART}",
        ("decoder.conv_in.weight", "encoder.conv_in.weight"), ("decoder.conv1.weight", "encoder.conv1.weight"),
        ("decoder.conv_in.conv.weight", "encoder.conv_in.conv.weight"),
        ("decoder.conv_in.weight", "post_quant_conv.weight"),
    ),
    _signs(
        "upscaler",
        "ESRGAN's, SwinIR's and their relatives' first layers",
        "is an upscaler of pictures (ESRGAN, SwinIR or the like), which makes them larger and draws none",
        ("model.1.sub.0.RDB1.conv1.0.weight",), ("RRDB_trunk.0.RDB1.conv1.weight",), ("body.0.rdb1.conv1.weight",),
        ("layers.0.residual_group.blocks.0.norm1.weight",), ("conv_first.weight", "conv_last.weight"),
        ("body.0.weight", "body.1.weight", "body.2.weight"),
    ),
    _signs(
        "network of Stable Diffusion alone",
        "`input_blocks.….attn2.to_k.weight`, or diffusers' `….attentions.0.transformer_blocks.0.attn2.to_k.weight`",
        "has a network of Stable Diffusion without the text encoders or the autoencoder that go with it: open the "
        "whole model, in one file or as a folder of diffusers",
        ("middle_block.1.transformer_blocks.0.attn2.to_k.weight",),
        ("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight",),
    ),
    _signs(
        "transformer of diffusers alone",
        "`transformer_blocks.0.….to_q.weight` with `proj_out.weight` or `proj_out_1.weight`",
        "is a transformer of diffusers without its config.json, which says how it is built: put it beside that in the "
        "folder of its pipeline, and open the folder",
        ("transformer_blocks.0.attn.to_q.weight", "proj_out.weight"),
        ("transformer_blocks.0.attn1.to_q.weight", "proj_out_1.weight"),
    ),
    Companion("state of an optimiser", "`state.0.exp_avg` and the like, with `param_groups.0.lr`",
              f"is the state of an optimiser, {_NONE}", _optimiser),
    Companion("state of a schedule of learning rates", "`last_epoch` without tensors",
              f"is the state of a schedule of learning rates, {_NONE}", _value("last_epoch", "_step_count")),
    Companion("state of a gradient scaler", "`growth_factor` without tensors",
              f"is the state of a gradient scaler, {_NONE}", _value("growth_factor")),
    Companion("nothing", "no tensor at all", "holds no tensor, and so no network",
              lambda names, _: not names),
    Companion(
        "samples, labels, latents",
        f"at most {FEW} tensors named as data are (`labels`, `images`, `x`, `latents`, …), or a tensor alone",
        "holds data, samples or labels (TENSORS), and no network: as an array of NumPy (`numpy.save`) it can be a "
        "source (`--source`)",
        _data,
    ),
)  # fmt: skip


def companion(look: Look) -> str:
    """What a file of weights is that is no model, and the way out, after its name; "" where no row fits.

    Raises:
        BadFile: as `Look.tensors`.
    """
    names = look.tensors
    row = next((row for row in COMPANIONS if row.fits(names, look)), None)
    if row is None:
        return ""
    sizes = ", ".join(
        f"{shown(name, 30) or 'one tensor'} {'×'.join(map(str, tensor.shape)) or 'of one number'}"
        for name, tensor in list(names.items())[:FEW]
    )
    return row.why.replace("TENSORS", sizes)
