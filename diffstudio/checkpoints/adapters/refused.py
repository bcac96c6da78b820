"""Files that are recognised, but not opened: what each is, why not, and the way out, in one sentence."""

from __future__ import annotations

from collections import Counter

from diffstudio.checkpoints.adapters.companions import COMPANIONS, companion
from diffstudio.checkpoints.adapters.families import FAMILIES, family_of_file
from diffstudio.checkpoints.adapters.family_signs import SIGNS
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.quantised import quantised_by_names
from diffstudio.checkpoints.other_files import ROWS, other_file

EDM = (
    "EDM, StyleGAN `.pkl`",
    "a pickle that names `torch_utils.persistence`",
    "is a network of NVIDIA's EDM or StyleGAN: such a file embeds program source that would have to be run, so it "
    "is not opened; load it once with their own code and save its state_dict() as .safetensors",
)
QUANTISED = (
    "quantised weights, in a file or a folder",
    "`quantization_config` in a config; tensors `….absmax`, `….SCB`, `….qweight` and such, weights of whole numbers",
    "its weights are quantised (by whom): open the model in 16 bits or fp8",
)


def reason(look: Look) -> str:
    """Why a file is recognised but not opened, after its name; "" where it is not recognised.

    Raises:
        BadFile: as `Look.tensors`.
    """
    if look.kind == "folder":
        return ""
    if look.kind == "other":
        start = look.start or b""
        edm = start[:1] == b"\x80" and b"persistence" in start and b"_reconstruct" in start
        return EDM[2] if edm else other_file(look.path, start)
    family = family_of_file(look)
    count: Counter[str] = Counter()
    for name, tensor in look.tensors.items():
        count[tensor.dtype] += name.endswith("weight")
    how = quantised_by_names(look.tensors, count, scaled=True)
    if family is not None:
        return family.sentence
    return f"is no model that opens: {how}" if how else companion(look)


def rows() -> list[tuple[str, str, str]]:
    """Label, sign and sentence of each, for the docs: published models with a sign in a single file in one row."""
    named = ", ".join(family.name for family in FAMILIES)
    published = ("other published models", "classes in a folder, tensors in a file", f"is one of these: {named}")
    by_tensor = f"{len(SIGNS)} of them by their tensors"
    families = (published[0], f"{published[1]} ({by_tensor})", published[2])
    companions = [(row.label, row.recognised, row.why) for row in COMPANIONS]
    return [EDM, QUANTISED, families, *companions, *((row.label, row.recognised, row.why) for row in ROWS)]
