"""What settings that are taken back would change, in the words of the sampling panel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.gui.kit.titles import titles
from diffstudio.gui.kit.words import field_list, field_text, tr
from diffstudio.options import Param
from diffstudio.studio.request.request import Request

SAME = ("device", "trace_every", "trace_dtype", "kind")  # how a run is recorded is not part of the picture
TABLES: dict[str, Mapping[str, Any]] = {
    "source": options.SOURCES,
    "solver": options.SOLVERS,
    "grid": options.GRIDS,
    "clip": options.CLIPS,
    "noise": options.NOISES,
    "forward": options.FORWARD_MODES,
}
SWITCHED = ("interpolate", "guidance_interval")  # the panel has a box to tick for them
NUMBERS = {"solver_params": "solver", "grid_params": "grid", "clip_params": "clip"}


def differences(
    now: Request, then: Request, card: Card | None = None, then_card: Card | None = None
) -> list[tuple[str, str, str]]:
    """What would change: (name of the field, now, then). The cards name the classes."""
    names = titles()
    changed = [name for name in Request.model_fields if name not in SAME and getattr(now, name) != getattr(then, name)]
    return [(names[name], value_text(name, now, card), value_text(name, then, then_card)) for name in changed]


def value_text(field: str, request: Request, card: Card | None) -> str:
    """What a request says in one field, as the panel would."""
    value = getattr(request, field)
    if field in ("label", "negative"):
        return _class(field, value, card)
    if field in NUMBERS:
        row = TABLES[NUMBERS[field]][getattr(request, NUMBERS[field])]
        return _numbers(value, row.params)
    if field in TABLES:
        return tr("The solver's own way") if value is None else tr(TABLES[field][value].label)
    if field == "path":
        return tr("As trained") if value is None else _path(value)
    if value is None:
        return tr("off") if field in SWITCHED else tr("none")
    return Path(value).name if field in ("mask", "source_file") else _plain(value)


def _class(field: str, value: int | str | None, card: Card | None) -> str:
    if value is None:
        return tr("any") if field == "label" else tr("no class")
    if isinstance(value, str):
        return tr("each")
    return card.labels[value] if card is not None and value < len(card.labels) else str(value)


def _path(spec: Any) -> str:
    row = options.PATHS[spec.name]
    numbers = f" ({_numbers(spec.params, row.params)})" if spec.params else ""
    return tr(row.label) + numbers


def _numbers(values: Mapping[str, float], params: tuple[Param, ...]) -> str:
    """ "Randomness 6": what differs from the option's own numbers."""
    labels = {param.name: tr(param.label) for param in params}
    told = [f"{labels.get(name, name)} {field_text(float(value), None)}" for name, value in values.items()]
    return ", ".join(told) or tr("its own")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, tuple):
        return field_list(value)
    if isinstance(value, float):
        return field_text(value, None)
    return str(value) or tr("nothing")
