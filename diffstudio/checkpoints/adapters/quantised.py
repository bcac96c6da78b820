"""Weights in fewer bits than floats have: how each tool marks them, and the sentence that says so."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

WAY_OUT = "open the model in 16 bits or fp8"
_WHOLE = ("U8", "I8", "I16", "U16", "I32", "U32", "F4", "F6_E2M3", "F6_E3M2")
_SHARE = 0.1  # of the numbers that may be whole: of positions, of counters
# The ends of names beside a weight, and who writes them; the more special ones first.
_ENDINGS: tuple[tuple[str, str], ...] = (
    (".quant_state.bitsandbytes__nf4", "bitsandbytes NF4"),
    (".quant_state.bitsandbytes__fp4", "bitsandbytes FP4"),
    (".absmax", "bitsandbytes, 4 bits"),
    (".SCB", "bitsandbytes int8"),
    (".weight_format", "bitsandbytes int8"),
    (".wscales", "Nunchaku's SVDQuant, 4 bits"),
    (".wtscale", "Nunchaku's SVDQuant, 4 bits"),
    (".qzeros", "GPTQ or AWQ"),
    (".qweight", "GPTQ or AWQ"),
    (".weight._data", "quanto"),
    (".weight_packed", "compressed-tensors"),
    (".tensor_impl.int_data", "torchao"),
    (":qdata", "torchao"),
    (":_data", "quanto"),
    (".weight_scale_2", "NVFP4"),
)
_SCALED = (".scale_weight", ".weight_scale", ".comfy_quant")
_METHODS = {"bitsandbytes": "bitsandbytes", "torchao": "torchao", "quanto": "quanto", "gguf": "GGUF"}


def quantised_by_names(names: Collection[str], count: Mapping[str, int], scaled: bool = False) -> str:
    """What the names and the kinds of numbers say, as a sentence; "" where the weights are floats.

    count: how many numbers there are of each kind.  scaled: whether 8 bits with a scale beside each weight are read.
    """
    for ending, who in _ENDINGS:
        if any(name.endswith(ending) for name in names):
            return _sentence(who)
    if not scaled and any(name.endswith(_SCALED) or name == "scaled_fp8" for name in names):
        return (
            "its weights are fp8 with a scale beside each, which open as one file and not in a folder: open the "
            "model in 16 bits, or as one file"
        )
    whole = {kind: many for kind, many in count.items() if kind in _WHOLE}
    if whole and sum(whole.values()) > _SHARE * sum(count.values()):
        return _sentence(max(whole, key=lambda kind: whole[kind]))
    return ""


def quantised_by_config(table: Mapping[str, Any]) -> str:
    """What the config of a component says, as a sentence; "" where it says nothing of it."""
    said = table.get("quantization_config")
    if not isinstance(said, dict):
        return ""
    method = shown(said.get("quant_method") or "a method that it does not name", 40).lower()
    who = _METHODS.get(method, method)
    if said.get("load_in_4bit") or said.get("_load_in_4bit"):
        who += f" {shown(said.get('bnb_4bit_quant_type') or '4 bits', 20).upper()}"
    elif said.get("load_in_8bit") or said.get("_load_in_8bit"):
        who += " int8"
    else:
        kind = said.get("weights_dtype") or said.get("weights") or said.get("quant_type")
        who += f" {shown(kind, 20)}" if isinstance(kind, str) else ""
    return _sentence(who)


def check_floats(look: Look, prefix: str) -> None:
    """Look at the weights of a single file whose names begin so; fp8 with a scale beside each weight is read there.

    Raises:
        BadFile: weights in fewer bits than floats have.
    """
    count: Counter[str] = Counter()
    names = [name for name in look.tensors if name.startswith(prefix)]
    for name in names:
        count[look.tensors[name].dtype] += math.prod(look.tensors[name].shape)
    how = quantised_by_names(names, count, scaled=True)
    if how:
        raise BadFile(f"{shown(look.path, 400)}: {how}")


def _sentence(who: str) -> str:
    return f"its weights are quantised ({who}): {WAY_OUT}"
