"""The record that a modality is: everything the rest of the application needs to know about its states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.region import Axes

Fit = Literal["crop", "pad", "stretch", "keep"]
FITS: tuple[Fit, ...] = ("crop", "pad", "stretch")  # of pictures
MAX_PART = 200  # characters that say which part of a file is taken


@dataclass(frozen=True)
class Meaning:
    """What one state is: its modality, its shape without the batch, and the card's facts (JSON) that explain it."""

    modality: str
    shape: tuple[int, ...]
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Modality:
        """The modality's record."""
        from diffstudio.modalities import MODALITIES  # the registry holds the records of this module's class

        return MODALITIES[self.modality]


class Shown(NamedTuple):
    """A tensor of one record, ready to be drawn or written.

    rows: (B, *shape).  name: "xt", "x0_hat", "eps_hat", "delta" …  limit: the value at the ends of the diverging map,
    None for a tensor that is drawn as the data are.  dark: for which paper.
    other: what else is recorded of the same samples at the same step, (B, …) by the field's name; None where it is not.
    """

    rows: np.ndarray
    name: str = "xt"
    limit: float | None = None
    dark: bool = True
    other: Callable[[str], np.ndarray | None] = lambda _: None


class Making(NamedTuple):
    """How own formats are written. fps: steps a second of an animation.  scale: screen pixels for a pixel."""

    fps: float = 10.0
    scale: int = 1
    settings: Mapping[str, Any] = {}  # what the file should carry, see `studio.provenance`
    xmp: bytes = b""  # and for other programs


@dataclass(frozen=True)
class Taking:
    """How a file of the user's own is taken; None leaves a choice to what is recognised.

    fit: what is done to another size: "crop", "pad" or "stretch" of pictures; of points "pad" centres and scales them,
    "stretch" scales each axis by itself, "keep" leaves them where they are.
    span: the values that are black and white.
    part: pages of a picture ("3", "2..5", "all"), frames of a clip, seconds of a sound ("1.5"), an array of an .npz by
    its name, rows of a table by theirs.
    invert: exchange black and white.
    """

    fit: Fit | None = None
    span: tuple[float, float] | None = None
    part: str | None = None
    invert: bool = False


class Placing(NamedTuple):
    """What a mask follows. size: (width, height) of its source, None where that has no size of its own; fit: its."""

    size: tuple[int, int] | None = None
    fit: Fit | None = None


@dataclass(frozen=True)
class SourceInfo:
    """What a file holds, and how it is taken. fits: it can be taken so; sentence: what of it does not suit, and a way.

    count: samples.  size: of what the file holds, as the user knows it.  fittings: the ways to fit it that differ, ()
    where nothing is to be chosen.
    looks_inverted: ink on white paper, in the very pixels that are read.
    remarks: what is done to it without asking, a phrase each.
    parts: what can be chosen as the part, where there is more than one; part: what is taken of them, "" the whole.
    part_name: what a part is: "page", "frames", "seconds", "array", "rows".
    span: the values that are taken as black and white, where the file has numbers that could be meant otherwise.
    """

    count: int
    size: tuple[int, ...]
    fits: bool = True
    sentence: str = ""
    fittings: tuple[Fit, ...] = ()
    looks_inverted: bool = False
    remarks: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part: str = ""
    part_name: str = ""
    span: tuple[float, float] | None = None

    @property
    def note(self) -> str:
        """The remarks in one line; "" where there is nothing to say."""
        return "; ".join(self.remarks)


class Taken(NamedTuple):
    """What was read: the samples (N, *shape) float32, None where they fit only when they are fitted; and about them."""

    info: SourceInfo
    rows: np.ndarray | None

    def required(self) -> np.ndarray:
        """The samples.

        Raises:
            BadInput: they need a fit, and none was chosen.
        """
        if self.rows is None:
            raise BadInput(self.info.sentence)
        return self.rows


class Extra(NamedTuple):
    """A field that is recorded beside x_t and x̂0. shape: without the batch.

    known: its value, (B, *shape), where a step gives none because x̂0 is the truth: called with x̂0, (B, …).
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    known: Callable[[np.ndarray], np.ndarray]


Colours = Literal["grey", "ramp", "any"]
Read = Callable[[Path, Meaning, Taking], Taken]
Write = Callable[[BinaryIO, str, Meaning, Shown, Making], None]


@dataclass(frozen=True)
class Modality:
    """One kind of data.

    title: the heading of its models.  rank: the length of a state's shape.
    tile: (height, width) in pixels of one sample's picture; None: a batch is one picture, a cloud.
    draw: a record's rows as tiles (B, height, width, 3) uint8.  colours: what a tile can have: greys, a line of colours
    between paper and ink, or any.
    play: of a modality that moves, the same rows as frames (B, T, h, w, 3) uint8; frames: their (T, h, w).
    suffixes: the user's own files ("/" a folder); read: the samples in one, and what is to be said of it, before a run
    as in it.  A wrong file is a BadInput or BadFile.
    exports: own formats beside pictures, arrays and traces: the suffix and the kinds of export that it can hold, the
    usual one first; they replace a suffix that all modalities have.  write: one of them.  sample_suffix: of the files
    in a folder of samples.
    sound: of states (B, *shape), as (B, samples) in [−1, 1] and their rate; None: they have none.
    encode: samples of a dataset (B, …) as states, where they differ.
    extras: what is recorded of a step beside x_t and x̂0.  scalars: numbers of a record, from its arrays by name.
    change: how far one state (B, *shape) is from another; None: the root mean square norm of the difference.
    lanes: the scalars that are drawn as curves, the most telling first, and their names; None: those of numbers.
    meaningless: the tensors that say nothing of such states, by name.
    glance: a sample as a square of so many pixels, where its tile made small is no help; None: it is.
    gap: pixels of paper that samples in a grid need between them, at least.
    ranged: data lie in [−1, 1] and may be clipped to it.
    axes: what a region of states (B, *shape) can speak of, see `region`; without states its names alone are right.
    read_mask: a file that chooses what is drawn anew, as numbers that broadcast to (*shape,), 1 where it is; None: of
    such states no file can.
    invertible: files may have black and white exchanged.  fits: the ways to fit a file that does not suit, () none.
    """

    name: str
    title: str
    rank: int
    suffixes: tuple[str, ...]
    read: Read
    tile: Callable[[Meaning], tuple[int, int]] | None = None
    draw: Callable[[Meaning, Shown], np.ndarray] | None = None
    colours: Callable[[Meaning], Colours] = lambda _: "any"
    play: Callable[[Meaning, Shown], np.ndarray] | None = None
    frames: Callable[[Meaning], tuple[int, int, int]] | None = None
    exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    write: Write | None = None
    sample_suffix: str = ".png"
    sound: Callable[[Meaning, np.ndarray], tuple[np.ndarray, int]] | None = None
    encode: Callable[[Meaning, np.ndarray], np.ndarray] = lambda _, rows: rows
    extras: Callable[[Meaning], tuple[Extra, ...]] = lambda _: ()
    scalars: Mapping[str, Callable[[Meaning, Mapping[str, np.ndarray]], float]] = field(default_factory=dict)
    change: Callable[[Meaning, np.ndarray, np.ndarray], float] | None = None
    lanes: Callable[[Meaning], Mapping[str, str]] | None = None
    meaningless: Callable[[Meaning], tuple[str, ...]] = lambda _: ()
    glance: Callable[[Meaning, Shown, int], np.ndarray] | None = None
    default_scale: int = 8
    gap: int = 0
    ranged: bool = True
    axes: Callable[[Meaning, np.ndarray | None], Axes] = lambda _, rows: Axes({})
    read_mask: Callable[[Path, Meaning, Placing], np.ndarray] | None = None
    invertible: bool = False
    fits: tuple[Fit, ...] = ()

    @property
    def cloud(self) -> bool:
        """Whether all samples together are one picture."""
        return self.tile is None
