"""Texts from strangers' files, made fit to name a model."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from diffstudio.strangers import shown

__all__ = ["MAX_NAME", "model_name", "name_and_step", "name_of_folder", "shown"]
MAX_NAME = 80


def model_name(text: str) -> str:
    """A card's name from the name of a file or folder; "@" and slashes have a meaning where models are named."""
    plain = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    plain = re.sub(r"[@/\\<>\s]+", " ", plain).strip(" .")
    return plain[:MAX_NAME].strip() or "model"


# What a file is called for its training step alone; its folder then has the model's name.
_PLAIN = re.compile(
    r"(model|ckpt|checkpoint|(global[-_]?)?steps?|iter|epoch|weights|unet|net|state|ema([-_]?0?\.9\d*)?)?"
)
# What a folder is called for what is in it; the folder above has the model's name then.
_HOLDER = re.compile(r"(checkpoints?|ckpts?|models?|weights|results?|outputs?|saved([-_]models?)?|snapshots?)")
# As Lightning names its files: "cats-epoch=3-step=2000", "epoch=3-step=2000".
_LIGHTNING = re.compile(r"(?:(.*)[-_])?epoch=\d+[-_]step=(\d{1,9})(?:-v\d+)?")


def name_and_step(path: Path) -> tuple[str, int]:
    """The model's name and the training step in a file's name: "cats/model-12.pt" is step 12 of "cats"."""
    stem = path.name.rsplit(".", 1)[0]
    found = _LIGHTNING.fullmatch(stem) or re.fullmatch(r"(.*?)[-_@=]?(?<!\d)(?<!\d\.)(\d{1,9})", stem)
    base, step = (found[1] or "", int(found[2])) if found else (stem, 0)
    if _PLAIN.fullmatch(base.strip("-_ ").lower()):
        return name_of_folder(path.absolute().parent), step
    return model_name(base), step


def name_of_folder(folder: Path) -> str:
    """The model's name by the folder of its checkpoints: "cats/checkpoints" is of "cats"."""
    above = folder.parent.name
    return model_name(above if above and _HOLDER.fullmatch(folder.name.lower()) else folder.name)
