"""A sweep as pure data, and the cells that it makes; without torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diffstudio.errors import BadInput, DiffStudioError
from diffstudio.studio.request.parse import parse_request
from diffstudio.studio.request.plan import Plan
from diffstudio.studio.request.request import Request
from diffstudio.studio.sweep.axes import MAX_AXES, PARAMS, Axis, Value, check_axes, shown

if TYPE_CHECKING:
    from diffstudio.checkpoints.listing import Entry
    from diffstudio.studio.engine import Engine

MANY = 32  # cells


class Sweep(BaseModel):
    """base: options of the command line, as `parse_request` takes them.  axes: what takes several values, in turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format_version: Literal[1] = 1
    base: dict[str, Any]
    axes: Annotated[tuple[Axis, ...], Field(min_length=1, max_length=MAX_AXES)]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def count(self) -> int:
        """How many cells."""
        return math.prod(self.shape)

    def indices(self) -> Iterator[tuple[int, ...]]:
        """The places of all cells, the last axis fastest."""
        return itertools.product(*map(range, self.shape))

    def values(self, index: tuple[int, ...]) -> dict[str, Value]:
        """What is its own of a cell, by field."""
        return {axis.field: axis.values[k] for axis, k in zip(self.axes, index, strict=True)}

    def options(self, index: tuple[int, ...]) -> dict[str, Any]:
        """The options of a cell."""
        given = dict(self.base)
        for field, value in self.values(index).items():
            group, _, parameter = field.partition(".")
            if group in PARAMS:
                given[group] = [*(given.get(group) or ()), f"{parameter}={value}"]
            else:
                given[field] = value
        return given


@dataclass(frozen=True)
class Cell:
    """A place in a sweep. plan: what will run, None where `problem` says why nothing does."""

    number: int
    index: tuple[int, ...]
    values: dict[str, Value]
    plan: Plan | None
    problem: str = ""

    @property
    def request(self) -> Request | None:
        """What it runs."""
        return None if self.plan is None else self.plan.request

    @property
    def title(self) -> str:
        """Its values in words."""
        return ", ".join(f"{name} {shown(value)}" for name, value in self.values.items())


def make_sweep(base: Mapping[str, Any], axes: tuple[Axis, ...]) -> Sweep:
    """A sweep of checked axes; of the base what is given. Raises: BadInput: as `check_axes`."""
    check_axes(axes)
    kept = {name: value for name, value in base.items() if value not in (None, (), [], False)}
    kept = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    return Sweep(base=kept, axes=axes)


def make_cells(engine: Engine, sweep: Sweep) -> list[Cell]:
    """Every cell, checked against the card of its model; what can't run says why.

    Raises:
        BadInput: no cell can run, or a value of an axis is one that its field does not take, whatever the others are.
    """
    if sweep.count > MANY:
        _ = engine.catalog.listing  # looked at once, instead of for every cell
    cells: list[Cell] = []
    found: dict[str, Entry] = {}
    refused: dict[tuple[int, ...], str] = {}  # by the field itself, before any card was asked
    for number, index in enumerate(sweep.indices()):
        values, given = sweep.values(index), sweep.options(index)
        try:
            model = str(given["model"])
            entry = found[model] = found.get(model) or engine.catalog.find(model)
            request = parse_request(entry, given)
        except DiffStudioError as error:
            refused[index] = str(error)
            cells.append(Cell(number, index, values, None, str(error)))
            continue
        try:
            cells.append(Cell(number, index, values, engine.plan(request)))
        except DiffStudioError as error:
            cells.append(Cell(number, index, values, None, str(error)))
    _check_values(sweep, refused)
    if not any(cell.plan for cell in cells):
        raise BadInput(f"no cell of the sweep can run: {cells[0].problem}")
    return cells


def _check_values(sweep: Sweep, refused: Mapping[tuple[int, ...], str]) -> None:
    by_value: dict[tuple[int, int], list[str]] = {}
    for index, said in refused.items():
        for key in enumerate(index):
            by_value.setdefault(key, []).append(said)
    for place, axis in enumerate(sweep.axes):
        alike = sweep.count // len(axis.values)
        for k, value in enumerate(axis.values):
            if len(found := by_value.get((place, k), [])) == alike:
                raise BadInput(f"--over {axis.field}={shown(value)}: {found[0]}")
