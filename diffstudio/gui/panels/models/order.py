"""In which groups and in which order the picker shows its models."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from diffstudio.checkpoints.listing import Listing, Model
from diffstudio.modalities import MODALITIES

FAVOURITES = "Favourites"
BROKEN = "Can't be used"
GROUPS = {
    **{name: row.title for name, row in MODALITIES.items()},
    "exact": "Exact",
}  # by the card's group, in their order
SORTS = {"name": "Name", "newest": "Newest", "size": "Size", "used": "Recently used"}


@dataclass(frozen=True)
class Order:
    """sort: a key of SORTS.  favourites, used: names of models, those used lately first."""

    sort: str = "name"
    favourites: frozenset[str] = frozenset()
    used: tuple[str, ...] = ()


def arranged(listing: Listing, order: Order) -> dict[str, list[Model]]:
    """The models under the titles of their groups, the favourites in a group of their own on top."""
    groups: dict[str, list[Model]] = {FAVOURITES: [], **{title: [] for title in GROUPS.values()}}
    for model in sorted(listing.models, key=_key(order)):
        groups[FAVOURITES if model.name in order.favourites else GROUPS[model.card.group]].append(model)
    return {title: models for title, models in groups.items() if models}


def _key(order: Order) -> Callable[[Model], tuple[Any, ...]]:
    places = {name: place for place, name in enumerate(order.used)}
    first: dict[str, Callable[[Model], float]] = {
        "newest": lambda model: -max(entry.changed for entry in model.entries),
        "size": lambda model: -model.default.size,
        "used": lambda model: places.get(model.name, len(places)),
    }
    return lambda model: (first[order.sort](model) if order.sort in first else 0, _natural(model.name))


def _natural(name: str) -> Sequence[tuple[bool, int, str]]:
    """Numbers in names count as numbers: model-2 comes before model-10."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
