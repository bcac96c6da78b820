"""What can be exported, into which files, and how it looks: plain data for the dialog and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from diffstudio.analysis.fields import TENSORS
from diffstudio.errors import BadInput
from diffstudio.modalities import MODALITIES
from diffstudio.options import Choice
from diffstudio.studio.export.pictures import DARK, LIGHT, Look
from diffstudio.user_files import exists, is_folder

Kind = Literal["picture", "frames", "strip", "animation", "arrays", "samples", "trace", "clip"]
Chain = Literal["reverse", "forward", "both"]
MAX_SCALE = 64

KINDS: dict[str, Choice] = {
    row.name: row
    for row in (
        Choice("picture", "Picture", "One step: the grid of all samples, or a single sample."),
        Choice("clip", "Clip", "One step, its frames playing: the grid of all samples, or a single sample."),
        Choice("animation", "Animation", "The chain as an animated picture."),
        Choice("strip", "Film strip", "Chosen steps side by side in one picture, with their step and time."),
        Choice("frames", "Numbered pictures", "A folder with one picture for every step."),
        Choice(
            "samples",
            "Samples",
            "One step, a file for each sample in a folder; points in one table, sounds also in one file.",
        ),
        Choice("arrays", "Arrays", "x_t and x̂0 of every step as NumPy arrays."),
        Choice("trace", "Trace", "The recording itself, which opens again in DiffStudio."),
    )
}
# What every modality can be written as; its record adds its own formats.
# The first kind of a suffix is what it means when nothing else is said; "" is a folder.
SUFFIXES: dict[str, tuple[Kind, ...]] = {
    ".png": ("picture", "strip", "animation"),
    ".jpg": ("picture", "strip"),
    ".jpeg": ("picture", "strip"),
    ".webp": ("picture", "strip", "animation"),
    ".tif": ("picture", "strip"),
    ".tiff": ("picture", "strip"),
    ".gif": ("animation",),
    ".apng": ("animation",),
    ".npz": ("arrays",),
    ".trace": ("trace",),
    "": ("samples", "frames"),
}
# What a modality that plays can be written as besides; ahead of the other kinds of its suffix, but for a folder.
CLIPS: dict[str, tuple[Kind, ...]] = {
    ".mp4": ("clip",), ".gif": ("clip",), ".webp": ("clip",), ".apng": ("clip",), "": ("clip",),
}  # fmt: skip
SINGLE = ("picture", "samples", "clip")  # kinds that show one record
_BOUNDS = {
    "scale": (0, MAX_SCALE),
    "every": (1, 10**9),
    "fps": (0.1, 50),
    "hold_seconds": (0, 60),
    "loop": (0, 1000),
    "columns": (1, 100),
    "quality": (1, 100),
}


@dataclass(frozen=True)
class ExportOptions:
    """What is exported and how it looks.

    tensor: one of analysis.fields.TENSORS.  sample: None is the grid, or the cloud of points.
    scale: screen pixels for a pixel of an image, a side of 256·scale for points; 0 chooses.
    chain, first, last, every: which records; first and last count in the trace (inclusive, None: the ends of the chain)
    and the last one is always among them.  record: the one that SINGLE kinds show; None: the last.
    fps: records a second, of a clip frames a second.  hold_seconds: extra rest on the last record.
    loop: how often it plays, 0 without end.
    columns: pictures in a row of a film strip.  quality: of JPEG; every other format is exact.

    "arrays" and "trace" hold everything that is recorded: of all this only `kind` counts for them.
    """

    kind: Kind = "picture"
    tensor: str = "xt"
    sample: int | None = None
    scale: int = 0
    chain: Chain = "reverse"
    first: int | None = None
    last: int | None = None
    every: int = 1
    record: int | None = None
    fps: float = 10.0
    hold_seconds: float = 1.0
    loop: int = 0
    columns: int = 8
    dark: bool = True
    quality: int = 95

    def __post_init__(self) -> None:
        """Raises BadInput where a value is unknown or out of its bounds."""
        for name, value, known in (
            ("kind of export", self.kind, tuple(KINDS)),
            ("tensor", self.tensor, TENSORS),
            ("chain", self.chain, ("reverse", "forward", "both")),
        ):
            if value not in known:
                raise BadInput(f"there is no {name} '{value}': choose one of {', '.join(known)}")
        for name, (low, high) in _BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise BadInput(f"{name} is {getattr(self, name):g}, expected {low:g} to {high:g}")

    @property
    def look(self) -> Look:
        """The colours."""
        return DARK if self.dark else LIGHT


def suffixes_of(modality: str) -> dict[str, tuple[Kind, ...]]:
    """The suffixes that samples of a modality can be written into, its own first."""
    kind = MODALITIES[modality]
    own = cast("dict[str, tuple[Kind, ...]]", kind.exports)
    out = {**own, **{suffix: kinds for suffix, kinds in SUFFIXES.items() if suffix not in own}}
    if kind.play is not None:
        plays = {suffix: (*kinds, *out.get(suffix, ())) for suffix, kinds in CLIPS.items() if suffix}
        out = {**plays, **{suffix: kinds for suffix, kinds in out.items() if suffix not in plays}}
        out[""] = (*out[""], *CLIPS[""])
    return out


def kinds_for(suffix: str, modality: str) -> tuple[Kind, ...]:
    """What can be written into a file of that suffix, the usual one first; "" is a folder.

    Raises:
        BadInput: a suffix that the modality can't be written into; the others are listed.
    """
    suffixes = suffixes_of(modality)
    if suffix.lower() not in suffixes:
        known = ", ".join(name for name in suffixes if name)
        raise BadInput(
            f"can't write samples of {modality} as a '{suffix}' file: "
            f"use {known}, or a name without a suffix for a folder"
        )
    return suffixes[suffix.lower()]


def kind_of(suffix: str, asked: Kind | None, chain: Chain, modality: str) -> Kind:
    """The kind that a suffix means when `asked` is, or is not, said beside it.

    A picture of the forward chain is a film strip, and a clip of it is an animation: its last step is plain noise, the
    way there is what one sees.

    Raises:
        BadInput: an unknown suffix.
    """
    usual, *others = kinds_for(suffix, modality)
    if suffix == "" and (asked == "animation" or chain == "forward"):
        return "frames"
    if chain == "forward" and usual == "clip" and "animation" in others:
        usual = "animation"
    return asked or ("strip" if chain == "forward" and usual == "picture" else usual)


def suffix_of(out: Path) -> str:
    """The suffix that decides, in small letters; "" for a folder that is there, whatever its name."""
    return "" if is_folder(out) else out.suffix.lower()


def check_target(out: Path, kind: Kind, modality: str) -> None:
    """Whether that kind of export can be written to `out`, as far as its name and its folder tell.

    Raises:
        BadInput: an unknown suffix, one that does not go with the kind, or a folder that is not there.
    """
    suffix = suffix_of(out)
    if kind not in kinds_for(suffix, modality):
        fitting = ", ".join(name or "a folder" for name, kinds in suffixes_of(modality).items() if kind in kinds)
        if not fitting:
            raise BadInput(f"samples of {modality} have no {KINDS[kind].label.lower()}: choose another kind of export")
        what = f"a '{suffix}' file" if suffix else "a folder"
        raise BadInput(f"{what} can't hold the {KINDS[kind].label.lower()}: use {fitting}")
    if suffix == "" and exists(out) and not is_folder(out):
        raise BadInput(f"{out} is a file, expected a folder")
    if not is_folder(out.parent):
        raise BadInput(f"there is no folder {out.parent}: make it first")
