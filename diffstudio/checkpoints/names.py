"""Texts from strangers' files, made fit to name a model; and what the name of a checkpoint's file says of it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from diffstudio.strangers import shown as shown

MAX_NAME = 80
_CLEAN = re.compile(r"[A-Za-z0-9_=+-]+(?:[. ][A-Za-z0-9_=+-]+)*")  # nothing is to be done with it


def model_name(text: str) -> str:
    """A card's name from the name of a file or folder; "@" and slashes have a meaning where models are named."""
    if _CLEAN.fullmatch(text) and len(text) <= MAX_NAME:
        return text
    plain = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    plain = re.sub(r"[@/\\<>\s]+", " ", plain).strip(" .")
    return plain[:MAX_NAME].strip() or "model"


@dataclass(frozen=True)
class Spelling:
    """What the name of a file says: "cats-ema_0.999-0500.pt" is step 500 of "cats", averaged.

    whole: its name without the suffix, as a model's.  digits: the step as it is written, "" where there is none.
    variant: "ema_0.999", "ema", or "v1" where a tool has numbered files of one name; "" for plain weights.
    marked: the name says so by itself. If it does not, as in "cats0500" or "cats_ema", other files beside it must, and
    until then the file is called by its whole name.  dashed: the mark is a hyphen alone, as in "cats-500".
    """

    name: str
    digits: str = ""
    variant: str = ""
    whole: str = ""
    marked: bool = True
    dashed: bool = False

    @property
    def step(self) -> int:
        """The training step, 0 where the name says none."""
        return int(self.digits or 0)


# What a file is called for its training step alone; its folder then has the model's name.
_PLAIN = re.compile(r"(model|ckpt|checkpoint|(global[-_]?)?steps?|iter|epoch|weights|unet|net|state)?")
# What a folder is called for what is in it; the folder above has the model's name then.
_HOLDER = re.compile(r"(checkpoints?|ckpts?|models?|weights|results?|outputs?|saved([-_]models?)?|snapshots?)")
# As Lightning names its files: "cats-epoch=3-step=2000", "epoch=3-step=2000-v1".
_LIGHTNING = re.compile(r"(?:(.*)[-_])?epoch=\d+[-_]step=(\d{1,9})(?:-(v\d+))?")
_WORDS = r"(?:global[-_]?)?(?:steps?|iters?|iterations?|epochs?|ckpt|checkpoint)"
_COUNTED = re.compile(rf"(.*?)(?:^|[-_. ]){_WORDS}[-_= ]?(\d{{1,9}})", re.IGNORECASE)
_NUMBERED = re.compile(r"(.*?)([-_@=]?)(?<!\d)(?<!\d\.)(\d{1,9})")
_EMA = re.compile(r"(?:^|(?<=[-_. =]))ema(?:[-_=]?(0\.\d{1,8}|\.9\d{0,7}))?(?=$|[-_. @=])", re.IGNORECASE)
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,15}$")
_VERSION = re.compile(r"(?:(?:^|[^A-Za-z])v|V)$")  # what stands before the number in "cats_v10", "catsV3"
_IN_VERSION = re.compile(r"(?:.*[^A-Za-z])?[vV]\d{1,2}")  # the 5 of "sd-v1-5"
_DATE = re.compile(r"20(1[5-9]|2\d|3[0-5])((0[1-9]|1[0-2])([0-2]\d|3[01]))?")
_SIZES = frozenset({*(2**k for k in range(4, 13)), 384, 768, 1536})  # sides of pictures, bits of numbers


def spelling(path: Path) -> Spelling:
    """What a file's name says of its model and its training step, and how sure that is."""
    name = path.name
    end = _SUFFIX.search(name)
    stem = name[: end.start()] if end else name
    found = _LIGHTNING.fullmatch(stem) if "epoch=" in stem else None
    if found:
        return Spelling(_named(found[1] or "", path), found[2], found[3] or "", model_name(stem))
    rest, variant = _without_average(stem)
    whole = model_name(stem)
    found = _COUNTED.fullmatch(rest)
    if found:
        return Spelling(_named(found[1], path), found[2], variant, whole)
    found = _NUMBERED.fullmatch(rest)
    base, mark, digits = (found[1], found[2], found[3]) if found else (rest, "", "")
    if _is_plain(base):
        return Spelling(name_of_folder(path.absolute().parent), digits, variant, whole)
    if digits and not (mark in ("@", "=") or _counts(base, digits)):
        base, mark, digits = rest, "", ""
    counter = len(digits) >= 4 and digits[0] == "0"  # as "cats_00000070": nobody counts versions so
    marked = counter or mark in ("-", "@", "=") if digits else not variant
    return Spelling(model_name(base.rstrip("-_. =") if digits else base), digits, variant, whole, marked, mark == "-")


def name_and_step(path: Path) -> tuple[str, int]:
    """The model's name and the training step in a file's name: "cats/model-12.pt" is step 12 of "cats".

    What the name alone does not say is not taken: "sd15.safetensors" is "sd15".
    """
    found = spelling(path)
    return (found.name, found.step) if found.marked else (found.whole, 0)


def name_of_folder(folder: Path) -> str:
    """The model's name by the folder of its checkpoints: "cats/checkpoints" is of "cats".

    A snapshot in the Hugging Face cache has the name of its repository.
    """
    above = folder.parent
    if above.name == "snapshots" and above.parent.name.startswith("models--"):
        return model_name(above.parent.name.removeprefix("models--").replace("--", " "))
    return model_name(above.name if above.name and is_holder(folder.name) else folder.name)


def is_holder(name: str) -> bool:
    """Whether a folder is called for what is in it, as "checkpoints"."""
    return _HOLDER.fullmatch(name.lower()) is not None


def are_steps(digits: list[str]) -> bool:
    """Whether numbers at the ends of otherwise equal names count the steps of one training.

    Small ones count versions ("cats_7", "cats_8"), and sides of pictures or bits are no steps either. In doubt they are
    none: to show two steps as two models hides nothing.
    """
    counting = any(int(text) >= 100 or (len(text) > 1 and text[0] == "0") for text in digits)
    return counting and not all(int(text) in _SIZES for text in digits)


def variant_rank(variant: str) -> tuple[int, float, str]:
    """The order of the weights of one step: plain ones, then averages, those over the longest time last."""
    decay = variant.removeprefix("ema").removeprefix("_")
    averaged = variant.startswith("ema") and (not decay or decay.replace(".", "", 1).isdecimal())
    return int(averaged), float(decay or 0) if averaged else 0.0, variant


def _named(base: str, path: Path) -> str:
    return name_of_folder(path.absolute().parent) if _is_plain(base) else model_name(base)


def _is_plain(base: str) -> bool:
    return _PLAIN.fullmatch(base.strip("-_. =").lower()) is not None


def _without_average(stem: str) -> tuple[str, str]:
    """The name without what says that its weights are averages, and that as a word."""
    found = _EMA.search(stem)
    if not found:
        return stem, ""
    left, right = stem[: found.start()].rstrip("-_. ="), stem[found.end() :]
    decay = found[1] or ""
    word = f"ema_{decay if decay.startswith('0') else f'0{decay}'}" if decay else "ema"
    return (f"{left}{right}" if left else right.lstrip("-_. =")), word


def _counts(base: str, digits: str) -> bool:
    """Whether a number behind a name may be a training step, not part of a version, a year or a day."""
    if _VERSION.search(base) or (_IN_VERSION.fullmatch(base) and len(digits) <= 2):
        return False
    return _DATE.fullmatch(digits) is None
