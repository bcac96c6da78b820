"""The record that a modality is: everything the rest of the application needs to know about its states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

Fit = Literal["crop", "pad", "stretch"]
FITS = ("crop", "pad", "stretch")


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


@dataclass(frozen=True)
class SourceInfo:
    """What a file holds. fits: it can be used as it is; otherwise `sentence` says what is wrong with its size.

    size: of what the file holds, as the user knows it.  looks_inverted: ink on white paper.
    note: what is done to it without asking, e.g. resampling; "" nothing.
    """

    count: int
    size: tuple[int, ...]
    fits: bool
    sentence: str
    looks_inverted: bool = False
    note: str = ""


class Extra(NamedTuple):
    """A field that is recorded beside x_t and x̂0. shape: without the batch.

    known: its value, (B, *shape), where a step gives none because x̂0 is the truth: called with x̂0, (B, …).
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    known: Callable[[np.ndarray], np.ndarray]


Colours = Literal["grey", "ramp", "any"]
Read = Callable[[Path, Meaning, Fit | None], np.ndarray]
Inspect = Callable[[Path, Meaning], SourceInfo]
Write = Callable[[BinaryIO, str, Meaning, Shown, Making], None]


@dataclass(frozen=True)
class Modality:
    """One kind of data.

    title: the heading of its models.  rank: the length of a state's shape.
    tile: (height, width) in pixels of one sample's picture; None: a batch is one picture, a cloud.
    draw: a record's rows as tiles (B, height, width, 3) uint8.  colours: what a tile can have: greys, a line of colours
    between paper and ink, or any.
    play: of a modality that moves, the same rows as frames (B, T, h, w, 3) uint8; frames: their (T, h, w).
    suffixes: the user's own files ("/" a folder); read: the samples in one, (N, *shape); inspect: what it holds, before
    a run, None: it is read.  A wrong file is a BadInput or BadFile in both.
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
    ranged: data lie in [−1, 1] and may be clipped to it.  masked: a picture can choose what is repainted.
    invertible: files may have black and white exchanged.
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
    inspect: Inspect | None = None
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
    masked: bool = False
    invertible: bool = False

    @property
    def cloud(self) -> bool:
        """Whether all samples together are one picture."""
        return self.tile is None
