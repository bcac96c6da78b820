"""Which checkpoints are steps of one training, and what each training is called.

A file is itself: checkpoints are never merged because their cards are alike, nor because their names end in digits. Two
are steps of one training only where they lie in one folder, have the same network, and are called alike but for the
step (or for what says that weights are averaged).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from diffstudio.checkpoints.adapters import is_step_folder
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import BUNDLED, Entry, Place
from diffstudio.checkpoints.names import MAX_NAME, Spelling, are_steps, is_holder, model_name, spelling

FEW = 100  # steps for which nobody trains a model that draws what a prompt says
_Key = tuple[object, ...]  # how it is called, its folder, its name, its network


@dataclass(frozen=True)
class _Reading:
    """What a checkpoint says of its place, in its card and by the name of its file.

    key: of its training.  spelled: None for a folder, whose name is no question.
    """

    entry: Entry
    key: _Key
    name: str
    step: int
    variant: str = ""
    spelled: Spelling | None = None

    @property
    def alone(self) -> _Reading:
        """Called by the whole name of its file."""
        assert self.spelled is not None
        card, spelled = _card(self.entry), self.spelled
        step = 0 if card.step == spelled.step else card.step
        key = ("alone", self.entry.path.parent, spelled.whole, _network(card))
        return replace(self, key=key, name=spelled.whole, step=step, variant="")


@dataclass
class _Training:
    """Readings with one key. base: what it is called."""

    base: str
    readings: list[_Reading] = field(default_factory=list)

    @property
    def bundled(self) -> bool:
        return self.readings[0].entry.group == BUNDLED


class Grouping:
    """Places checkpoints in the list; what it has read of their names and cards it keeps for the next list."""

    def __init__(self) -> None:
        self._readings: dict[int, _Reading] = {}  # by the identity of the entries, which the readings keep alive

    def places(self, entries: Sequence[Entry]) -> list[Place | None]:
        """The place of each entry in the list, None of one that can't be used.

        The names are unique: where two trainings would be called alike, each says the part of its path that tells them
        apart. A bundled model keeps its name, whatever else is called so.
        """
        usable = [entry for entry in entries if entry.card is not None and entry.problem is None]
        before = self._readings
        self._readings = {id(entry): before.get(id(entry)) or _reading(entry) for entry in usable}
        trainings = _trainings(_settled(self._readings.values()))
        found: dict[int, Place] = {}
        for training, name in _named(trainings):
            for reading, variant in zip(training.readings, _variants(training.readings), strict=True):
                found[id(reading.entry)] = Place(name, reading.step, variant, training.base)
        return [found.get(id(entry)) for entry in entries]


def _reading(entry: Entry) -> _Reading:
    """What an entry says by itself."""
    card, path = _card(entry), entry.path
    if entry.is_folder:
        home = path.parent if is_step_folder(path.name) else path
        # The finished model has parts that its steps have not, so that their cards differ.
        return _Reading(entry, ("folder", home, card.modality, card.network, card.shape), card.name, card.step)
    spelled, network = spelling(path), _network(card)
    if not card.format:  # of our own the card says name and step; the name of its file says of which training it is
        same = not spelled.variant and (not spelled.digits or spelled.step == card.step)
        stem = spelled.name if same else spelled.whole
        return _Reading(entry, ("own", path.parent, stem, card.name, network), model_name(card.name), card.step)
    name, step = (spelled.name, spelled.step) if spelled.marked else (spelled.whole, 0)
    told = card.step if card.step != step else spelled.step
    if card.name != name:  # a card beside the file names it
        key = ("named", path.parent, card.name, spelled.name, network)
        return _Reading(entry, key, card.name, told, spelled.variant)
    unsure = None if card.step == spelled.step > 0 and not spelled.marked else spelled  # the file itself may say so
    return _Reading(entry, ("file", path.parent, spelled.name, network), spelled.name, told, spelled.variant, unsure)


def _card(entry: Entry) -> Card:
    assert entry.card is not None
    return entry.card


def _network(card: Card) -> _Key:
    """The same for checkpoints that have the same network."""
    arguments = tuple(sorted((name, repr(value)) for name, value in card.network_args.items()))
    return card.modality, card.network, arguments, card.parameters


def _settled(readings: Iterable[_Reading]) -> list[_Reading]:
    """Each reading as it holds beside the others: what a name does not say for sure, other files must."""
    readings = list(readings)
    groups: dict[_Key, list[_Reading]] = {}
    for reading in readings:
        groups.setdefault(reading.key, []).append(reading)
    networks = Counter(key[:3] for key in groups)
    settled: dict[int, _Reading] = {}
    for key, group in groups.items():
        several = networks[key[:3]] > 1
        steps = [r.spelled.digits for r in group if r.spelled is not None and r.spelled.digits]
        alike = len({(r.step, r.variant) for r in group}) > 1
        for reading in group:
            settled[id(reading)] = reading if _holds(reading, group, alike, steps, several) else reading.alone
    return [settled[id(reading)] for reading in readings]


def _holds(reading: _Reading, group: Sequence[_Reading], alike: bool, steps: Sequence[str], several: bool) -> bool:
    """Whether a file is a step of the training by whose name it would be called.

    alike: others in the group differ by the step alone, or by what is averaged.  steps: of the group, as they are
    written.  several: files of that name have different networks.
    """
    spelled = reading.spelled
    if spelled is None:
        return True
    if spelled.marked:
        published = _card(reading.entry).prompts is not None and reading.step < FEW and spelled.digits[:1] != "0"
        return not (spelled.dashed and (published or (several and len(group) == 1)))
    return alike and (not spelled.digits or are_steps(list(steps)))


def _trainings(readings: Iterable[_Reading]) -> list[_Training]:
    """The readings by their keys, in their order."""
    found: dict[tuple[bool, _Key], _Training] = {}
    for reading in readings:
        found.setdefault((reading.entry.group == BUNDLED, reading.key), _Training(reading.name)).readings.append(
            reading
        )
    return list(found.values())


def _variants(readings: Sequence[_Reading]) -> list[str]:
    """Which weights of its step each has; those that are called alike are told apart by the names of their files."""
    alike = Counter((reading.step, reading.variant) for reading in readings)
    return [r.variant if alike[r.step, r.variant] == 1 else r.entry.path.name for r in readings]


def _named(trainings: Sequence[_Training]) -> Iterator[tuple[_Training, str]]:
    """Each training with its name."""
    by_base: dict[str, list[_Training]] = {}
    for training in trainings:
        if not training.bundled:
            by_base.setdefault(training.base, []).append(training)
    taken = {training.base for training in trainings if training.bundled}
    telling: dict[int, str] = {}
    for base, alike in by_base.items():
        if len(alike) > 1 or base in taken:
            parts = [_within(training) for training in alike]
            count = Counter(part for each in parts for part in set(each))
            for training, each in zip(alike, parts, strict=True):
                telling[id(training)] = next((part for part in each if count[part] == 1), each[-1])
    for training in trainings:
        within = telling.get(id(training))
        name = training.base if within is None else _free(training.base, within, taken)
        taken.add(name)
        yield training, name


def _within(training: _Training) -> tuple[str, ...]:
    """What tells a training from others of its name, the shortest first: its file, its folder, the folders above."""
    reading = training.readings[0]
    path, base = reading.entry.path, training.base
    stem = reading.key[2] if reading.key[0] == "own" else reading.key[3] if reading.key[0] == "named" else ""
    if reading.key[0] == "named" and len(training.readings) == 1:
        stem = spelling(path).whole
    home = path.parent if not reading.entry.is_folder or is_step_folder(path.name) else path
    parts = list(home.absolute().parts)
    parts = [_short(part, above) for part, above in zip(parts, ["", *parts], strict=False)]
    own = 2 if is_holder(parts[-1]) else 1
    if model_name(parts[-own:][0]) == base:  # that "cats/checkpoints" is of "cats" tells nothing
        del parts[-own:]
    tails = tuple("/".join(parts[-count:]) for count in range(1, min(len(parts), 12)))
    file = (str(stem),) if stem and stem != base else ()
    return tuple(map(_in_brackets, (*file, *tails, path.name, f"{path.parent.name}/{path.name}", str(path))))


def _in_brackets(text: str) -> str:
    """What may stand in a name: the "@" of a spec comes behind it."""
    return "".join(c if c.isprintable() and c not in "@\\" else " " for c in text)


def _short(part: str, above: str) -> str:
    """A folder's name; of a snapshot in the Hugging Face cache the beginning of its hash."""
    return part[:7] if above == "snapshots" and re.fullmatch(r"[0-9a-f]{40}", part) else part


def _free(base: str, telling: str, taken: set[str]) -> str:
    """The name with what tells it apart, as long as a card's may be, and a number where even that is taken."""
    telling = telling if len(telling) <= 40 else f"…{telling[-39:]}"
    number = 1
    while True:
        end = f" ({telling})" if number == 1 else f" ({telling}) {number}"
        name = base[: MAX_NAME - len(end)] + end
        if name not in taken:
            return name
        number += 1
