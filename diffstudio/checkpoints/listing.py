"""What a catalog has found: entries, the models that they are checkpoints of, and how a spec finds one.

    SPEC = NAME [ @ STEP [ : VARIANT ] ]        digits · digits@400 · cats@10000:ema_0.9999
         | PATH [ @ STEP [ : VARIANT ] ]        cats/model-12.pt · ~/trainings/cats · ./cats@500 (see `catalog.find`)

A bare name is the last checkpoint of the training, of several sets of weights the ones that are averaged longest. A
step without a variant is the plain weights, or the only ones there are. What could mean two checkpoints is refused.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import variant_rank
from diffstudio.errors import NotFound

BUNDLED = "bundled"  # the group of what comes with DiffStudio


@dataclass(frozen=True)
class Entry:
    """A file or folder in the catalog. `problem` says in one sentence why it can't be used, None if it can.

    card: under the name by which it is listed.  changed: when, in ns.
    identity: the same for whatever is really the same file or folder.  picture: made from its first run, a small PNG in
    base64, "" where there is none.  hashed: the sha256 of its weights as far as it was read, "" before.
    variant: which weights of that step, "" for the plain ones.
    """

    path: Path
    card: Card | None
    size: int
    group: str  # BUNDLED, "user", or the folder that was added
    problem: str | None = None
    changed: int = 0
    identity: str = ""
    picture: str = ""
    hashed: str = ""
    variant: str = ""

    @property
    def spec(self) -> str:
        """How the command line and a request name it: "digits@400", "cats@10000:ema_0.9999"."""
        if self.card is None:
            return str(self.path)
        return self.card.spec + (f":{self.variant}" if self.variant else "")

    @property
    def thumbnail(self) -> str:
        """A small PNG in base64: the card's own, else one made from its first run, "" where there is none."""
        return (self.card.thumbnail if self.card else "") or self.picture

    @property
    def sha256(self) -> str:
        """Of its weights, by its card or because they were read; "" where it is not known yet."""
        return (self.card.sha256 if self.card else "") or self.hashed

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of other tools, not a single file."""
        return self.identity.startswith("folder ")


@dataclass(frozen=True)
class Place:
    """Where a checkpoint stands in the list: its model's name, its step, and which weights of that step it has.

    base: the name by itself; where several models have it, `name` says in brackets what of the path tells it apart.
    """

    name: str
    step: int
    variant: str = ""
    base: str = ""

    def of(self, entry: Entry) -> Entry:
        """The entry under this name; a title that was only its name changes with it."""
        card = entry.card
        assert card is not None
        changes = {"name": self.name, "step": self.step} | ({"title": self.name} if card.title == card.name else {})
        return replace(entry, card=card.model_copy(update=changes), variant=self.variant)


@dataclass(frozen=True)
class Model:
    """A name with one or more checkpoints, in the order of their training steps, of each step the averaged ones last.

    base: as that of a `Place`.
    """

    name: str
    entries: tuple[Entry, ...]
    base: str = ""

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

    def find(self, step: str, variant: str = "") -> Entry:
        """The checkpoint of that step, and of several the one with those weights.

        Raises:
            NotFound: there is none, or several; those that there are are named.
        """
        at = [entry for entry in self.entries if entry.card is not None and _is_step(entry.card.step, step)]
        if not at:
            steps = ", ".join(dict.fromkeys(str(entry.card.step) for entry in self.entries if entry.card))
            raise NotFound(f"'{self.name}' has no checkpoint '{step}': it has the steps {steps}")
        found = [entry for entry in at if entry.variant == variant]
        if found:
            return found[0]
        if not variant and len(at) == 1:
            return at[0]
        what = f"no weights '{variant}' of step {step}" if variant else f"several checkpoints of step {step}"
        raise NotFound(f"'{self.name}' has {what}: say {_either(entry.spec for entry in at)}")


class Listing:
    """What a scan has found so far.

    unsettled: files are held back that somebody seems to be writing still.  remarks: sentences about what was not
    looked at.
    """

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        places: Iterable[Place | None] = (),
        unsettled: bool = False,
        remarks: Sequence[str] = (),
    ) -> None:
        """entries: under the names of their places; None: it is no model."""
        self.entries = tuple(entries)
        self.unsettled = unsettled
        self.remarks = tuple(remarks)
        self._places = {place.name: place for place in places if place is not None}

    @functools.cached_property
    def models(self) -> tuple[Model, ...]:
        """The usable checkpoints grouped by model, in the order of the folders and of their names."""
        grouped: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.card is not None and entry.problem is None:
                grouped.setdefault(entry.card.name, []).append(entry)
        return tuple(self._model(name, entries) for name, entries in grouped.items())

    @functools.cached_property
    def by_name(self) -> dict[str, Model]:
        """The models by their names."""
        return {model.name: model for model in self.models}

    @functools.cached_property
    def identities(self) -> dict[str, Entry]:
        """The entries by what they really are."""
        return {entry.identity: entry for entry in self.entries}

    def called(self, name: str) -> list[Model]:
        """The models that a name may mean: the one that is listed so, else all that would be but for each other.

        "cats (b)" is the "cats" in the folder b also where there is no other.
        """
        if name in self.by_name:
            return [self.by_name[name]]
        split = re.fullmatch(r"(.+) \((.+)\)", name, re.DOTALL)
        base, within = (split[1], split[2]) if split else (name, "")
        return [m for m in self.models if m.base == base and (not within or _lies_in(m.default.path, within))]

    def find(self, spec: str) -> Entry:
        """The checkpoint that "digits", "digits@400" or "cats@10000:ema_0.9999" names; else a file called so.

        Raises:
            NotFound: nothing of that name, or several; close ones are named.
        """
        name, _, rest = spec.partition("@")
        found = self.called(name)
        if len(found) > 1:
            names = _either(model.name for model in found)
            raise NotFound(f"'{name}' is the name of {len(found)} models: say {names}, or the path")
        if found:
            step, _, variant = rest.partition(":")
            return found[0].find(step, variant) if rest else found[0].default
        file = self.of_file(spec)
        if file is not None:
            return file
        import difflib

        close = difflib.get_close_matches(name, self.by_name, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(self.by_name) or 'none'}"
        raise NotFound(f"there is no model '{spec}': {hint}")

    def of_file(self, name: str) -> Entry | None:
        """The checkpoint in the file or folder of that name, with its suffix or without; None without one alone."""
        found = [entry for entry in self.entries if entry.card and name in (entry.path.name, entry.path.stem)]
        return found[0] if len(found) == 1 else None

    def with_weights(self, sha256: str) -> Entry | None:
        """The checkpoint whose weights have that hash, as far as it is known; None without any."""
        return next((entry for entry in self.entries if entry.card and sha256 and entry.sha256 == sha256), None)

    def _model(self, name: str, entries: list[Entry]) -> Model:
        place = self._places.get(name)
        ordered = tuple(sorted(entries, key=_order))
        return Model(name, ordered, place.base if place else name)


def _order(entry: Entry) -> tuple[float, int, float, str]:
    """Where a checkpoint stands in its training; other tools do not number their last one."""
    card = entry.card
    assert card is not None
    step = card.step if card.step or not card.format else float("inf")
    return (step, *variant_rank(entry.variant))


def _lies_in(path: Path, within: str) -> bool:
    """Whether a part of a path, or the name of its file without the suffix, is this."""
    whole = path.absolute()
    return any(f"/{within}/" in f"{at.as_posix()}/" for at in (whole, whole.with_name(whole.stem or whole.name)))


def _is_step(step: int, text: str) -> bool:
    return text.isdecimal() and len(text) < 20 and int(text) == step


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
