"""In which groups and in which order the picker shows its models."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from diffstudio.checkpoints.listing import BUNDLED, Listing, Model
from diffstudio.checkpoints.names import is_holder, model_name
from diffstudio.gui.panels.models.facts import short_path
from diffstudio.modalities import MODALITIES

FAVOURITES = "Favourites"
BROKEN = "Can't be used"
GROUPS = {
    **{name: row.title for name, row in MODALITIES.items()},
    "exact": "Exact",
}  # by the card's group, in their order
SORTS = {"name": "Name", "newest": "Newest", "size": "Size", "used": "Recently used", "folder": "Folder"}
WITH_US = "Bundled"


@dataclass(frozen=True)
class Order:
    """sort: a key of SORTS.  favourites, used: names of models, those used lately first."""

    sort: str = "name"
    favourites: frozenset[str] = frozenset()
    used: tuple[str, ...] = ()


def arranged(listing: Listing, order: Order) -> dict[str, list[Model]]:
    """The models under the titles of their groups, the favourites in a group of their own on top.

    The groups are their modalities, in the order by folders the folders in which they lie, the bundled ones last.
    """
    by_folder = order.sort == "folder"
    titles = [] if by_folder else list(GROUPS.values())
    groups: dict[str, list[Model]] = {FAVOURITES: [], **{title: [] for title in titles}}
    for model in sorted(listing.models, key=_key(order)):
        title = folder_of(model) if by_folder else GROUPS[model.card.group]
        groups.setdefault(FAVOURITES if model.name in order.favourites else title, []).append(model)
    return {title: models for title, models in groups.items() if models}


def folder_of(model: Model) -> str:
    """The folder in which a model lies, as a heading; of a training the one in which its own folder lies."""
    entry = model.default
    if entry.group == BUNDLED:
        return WITH_US
    at = entry.path.absolute().parent
    home = at.parent if is_holder(at.name) else at
    if model_name(home.name) == model.base:
        at = home.parent
    return short_path(at)


def _key(order: Order) -> Callable[[Model], tuple[Any, ...]]:
    places = {name: place for place, name in enumerate(order.used)}
    first: dict[str, Callable[[Model], Any]] = {
        "newest": lambda model: -max(entry.changed for entry in model.entries),
        "size": lambda model: -model.default.size,
        "used": lambda model: places.get(model.name, len(places)),
        "folder": lambda model: (model.default.group == BUNDLED, natural(folder_of(model))),
    }
    return lambda model: (first[order.sort](model) if order.sort in first else 0, natural(model.name))


def natural(name: str) -> Sequence[tuple[bool, int, str]]:
    """For sorting, numbers in names count as numbers: model-2 comes before model-10."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
