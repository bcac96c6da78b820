"""What an adapter is: one format of files, how it is recognised, and how it becomes a card and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.vocabulary import Vocabulary
from diffstudio.checkpoints.card import MAX_LABELS, Card
from diffstudio.checkpoints.loading import told
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Preset:
    """How a published model was trained: the side of its pictures, and the name of its path."""

    side: int
    path: str


@dataclass(frozen=True)
class Adapter:
    """One format.

    name: what a card says under `format`. label, opens, recognised, asks, refuses: the row of the table in the docs.
    recognises: whether the file is of this format, from the look at it alone.
    card: what the file says of itself, without torch.  weights: its tensors on the CPU, in float32 or as they are
    stored, by the names of the network that the card asks for.  words: what its text encoders can read, by their names.
    presets: published models with what the file does not say of them; a card beside the file keeps what is chosen.

    Raises, all four: NotFound, BadFile, each with one sentence.
    """

    name: str
    label: str
    opens: str
    recognised: str
    asks: str
    refuses: str
    recognises: Callable[[Look], bool]
    card: Callable[[Look], Card]
    weights: Callable[[Look], dict[str, Tensor]]
    words: Callable[[Look], dict[str, Vocabulary]] = lambda _: {}
    presets: Mapping[str, Preset] = field(default_factory=dict)


def invalid(where: Path | str, error: ValidationError, what: str = "field") -> BadFile:
    """The sentence for the first thing that a config says wrongly."""
    first = error.errors()[0]
    field = ".".join(shown(part) for part in first["loc"])
    named = f"{what} {shown(field)}: " if field else ""
    found = f", found '{shown(first['input'], 60)}'" if field else ""
    return BadFile(f"{shown(where, 400)}: {named}{shown(first['msg'], 200)}{found}")


def numbered(classes: int) -> tuple[str, ...]:
    """The classes of a file that does not name them, by their numbers.

    At most one more than a card can have, which then says so: an empty tensor can claim as many rows as it likes.
    """
    return tuple(str(i) for i in range(min(classes, MAX_LABELS + 1)))


def floats(where: Path, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights as they are stored, after a look at whether they are numbers.

    Raises:
        BadFile: values that are not finite; their tensors are named with how many there are.  Left: as `told`.
    """
    import torch

    bad = []
    for place, (name, tensor) in enumerate(weights.items()):
        told(place, len(weights))
        count = int((~torch.isfinite(tensor.float())).sum()) if tensor.is_floating_point() else 0
        if count:
            bad.append((name, count))
    if bad:
        named = ", ".join(f"'{shown(name)}'" for name, _ in bad[:3]) + ("" if len(bad) <= 3 else ", …")
        total = sum(count for _, count in bad)
        raise BadFile(f"{shown(where, 400)}: {total:,} values are not finite (NaN or ∞), in {named}; it can't be used")
    return weights
