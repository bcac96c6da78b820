"""What a catalog has found: entries, the models that they are checkpoints of, and how a name finds one."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diffstudio.checkpoints.card import Card
from diffstudio.errors import NotFound


@dataclass(frozen=True)
class Entry:
    """A file or folder in the catalog. `problem` says in one sentence why it can't be used, None if it can.

    changed: when, in ns.  home: the folder of its training, None of our own files, which name their model themselves.
    picture: made from its first run, a small PNG in base64, "" where there is none.
    """

    path: Path
    card: Card | None
    size: int
    group: str  # "bundled", "user", or the folder that was added
    problem: str | None = None
    changed: int = 0
    home: Path | None = None
    picture: str = ""

    @property
    def spec(self) -> str:
        """How the command line and a request name it: "digits@400"."""
        return self.card.spec if self.card else str(self.path)

    @property
    def thumbnail(self) -> str:
        """A small PNG in base64: the card's own, else one made from its first run, "" where there is none."""
        return (self.card.thumbnail if self.card else "") or self.picture


@dataclass(frozen=True)
class Model:
    """A name with one or more checkpoints, in the order of their training steps."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def default(self) -> Entry:
        """The one that the bare name means: the last of the training."""
        return self.entries[-1]

    @property
    def card(self) -> Card:
        """The card of the default checkpoint."""
        assert self.default.card is not None
        return self.default.card

    @property
    def thumbnail(self) -> str:
        """The picture of the default checkpoint, else of another one of the training; "" without any."""
        return next((entry.thumbnail for entry in reversed(self.entries) if entry.thumbnail), "")


class Listing:
    """What a scan has found so far. unsettled: files are held back that somebody seems to be writing still."""

    def __init__(self, entries: Iterable[Entry] = (), unsettled: bool = False) -> None:
        self.entries = tuple(entries)
        self.unsettled = unsettled

    @functools.cached_property
    def models(self) -> tuple[Model, ...]:
        """The usable checkpoints grouped by model, in the order of the folders and of their names."""
        grouped: dict[str, dict[float, Entry]] = {}
        for entry in self.entries:
            if entry.card is not None and entry.problem is None:
                grouped.setdefault(entry.card.name, {}).setdefault(_place(entry.card), entry)
        return tuple(Model(name, tuple(by_step[step] for step in sorted(by_step))) for name, by_step in grouped.items())

    @functools.cached_property
    def by_name(self) -> dict[str, Model]:
        """The models by their names."""
        return {model.name: model for model in self.models}

    def find(self, spec: str) -> Entry:
        """The checkpoint that "digits" or "digits@400" names.

        Raises:
            NotFound: nothing of that name; close ones are named.
        """
        name, _, step = spec.partition("@")
        if name not in self.by_name:
            import difflib

            close = difflib.get_close_matches(name, self.by_name, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(self.by_name) or 'none'}"
            raise NotFound(f"there is no model '{spec}': {hint}")
        model = self.by_name[name]
        if not step:
            return model.default
        for entry in model.entries:
            if entry.card is not None and str(entry.card.step) == step:
                return entry
        steps = ", ".join(str(entry.card.step) for entry in model.entries if entry.card)
        raise NotFound(f"'{name}' has no checkpoint '{step}': it has the steps {steps}")


def distinct_names(entries: Iterable[Entry]) -> list[str]:
    """The name of each entry's model, "" without a card: one by which it can be found.

    Other tools name by the folder, and folders share names: the later ones get a number.
    """
    homes: dict[str, set[Path | None]] = {}
    out = []
    for entry in entries:
        name = entry.card.name if entry.card is not None else ""
        if entry.card is not None:
            number = 1
            while homes.setdefault(name, {entry.home}) != {entry.home}:
                number += 1
                name = f"{entry.card.name[:70]} {number}"
        out.append(name)
    return out


def _place(card: Card) -> float:
    """Where a checkpoint stands in its training; other tools do not number their last one."""
    return card.step if card.step or not card.format else float("inf")
