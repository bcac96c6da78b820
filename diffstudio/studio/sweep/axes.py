"""An axis of a sweep, and how one is typed: `solver=ddim,heun`, `seed=0..7`, `guidance=1..7:2`, `steps=4..64x2`."""

from __future__ import annotations

import csv
import difflib
import math
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from diffstudio.checkpoints.catalog import Catalog
from diffstudio.errors import BadInput

MAX_CELLS = 10_000
MAX_AXES = 4
Value = bool | int | float | str

# Fields that are numbers: of these a range may be typed.
NUMBERS = (
    "steps", "seed", "samples", "guidance", "guidance_rescale", "distilled_guidance", "strength", "resample", "eta",
    "interpolate", "variation", "variation_seed", "source_sample", "every",
)  # fmt: skip
SWITCHES = ("invert", "keep_pixels", "half", "record_split")
WORDS = (
    "model", "solver", "label", "negative", "prompt", "negative_prompt", "grid", "times", "path", "noise", "clip",
    "guidance_interval", "guidance_model", "forward", "precision", "device", "source", "fit", "range", "part", "mask",
    "mask_region",
)  # fmt: skip
FIELDS = (*WORDS, *NUMBERS, *SWITCHES)
PARAMS = ("solver_params", "grid_params", "clip_params")  # with the parameter: solver_params.eta
# The names of the request, and of the options, where those are others.
_SAME = {
    "source_invert": "invert", "source_fit": "fit", "source_part": "part", "source_range": "range",
    "trace_every": "every", "split": "record_split", "solver_param": "solver_params", "grid_param": "grid_params",
    "clip_param": "clip_params", "class": "label", "checkpoint": "model",
}  # fmt: skip
_ON = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?:([:x])({_NUMBER}))?", re.IGNORECASE)


class Axis(BaseModel):
    """A field of the request, by the name that `parse_request` knows, and the values that it takes in turn."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    field: Annotated[str, Field(min_length=1, max_length=60)]
    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=MAX_CELLS)]

    @property
    def labels(self) -> tuple[str, ...]:
        """The values as they are read on a picture or in a table."""
        return tuple(shown(value) for value in self.values)


def shown(value: Value) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def parse_axis(text: str, catalog: Catalog, model: str) -> Axis:
    """An axis as it is typed; model: the one that classes are named of.

    Values stand between commas, in quotes where they have a comma themselves. `A..B` is every whole number, `A..B:STEP`
    the values from A by STEP, `A..BxFACTOR` those that grow by a factor. `label=each` is every class of the model,
    `model=NAME@*` every checkpoint of a training.

    Raises:
        BadInput: no such field, no value, the same value twice, or more than MAX_CELLS of them.  NotFound: no model.
    """
    name, equals, words = text.partition("=")
    field = _field(name.strip())
    if not equals or not words.strip():
        raise BadInput(f"--over: '{text:.60}' gives no values: write FIELD=VALUE,VALUE like steps=4,8,16")
    values: list[Value] = []
    for word in _split(words, text):
        values += _values(field, word, catalog, model)
        if len(values) > MAX_CELLS:
            raise _too_many(len(values))
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise BadInput(f"--over: {field} has the value {shown(twice)} twice: leave one of them out")
    return Axis(field=field, values=tuple(values))


def check_axes(axes: tuple[Axis, ...]) -> None:
    """Raises: BadInput: none, too many, two over the same field, or more cells than MAX_CELLS."""
    if not 1 <= len(axes) <= MAX_AXES:
        raise BadInput(f"a sweep has 1 to {MAX_AXES} axes, found {len(axes)}: give --over FIELD=VALUES for each")
    names = [axis.field for axis in axes]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise BadInput(f"--over: two axes are over {twice}: put all its values into one")
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_CELLS:
        raise _too_many(count)


def _too_many(count: int) -> BadInput:
    return BadInput(
        f"--over: the sweep would have {count:,} cells, at most {MAX_CELLS:,} can be run: give fewer values"
    )


def _field(name: str) -> str:
    plain = name.replace("-", "_")
    group, dot, parameter = plain.partition(".")
    group = _SAME.get(group, group)
    if group in PARAMS:
        if not parameter:
            raise BadInput(f"--over: {name} needs the name of the parameter: {group}.eta=0,0.5,1")
        return f"{group}.{parameter}"
    if group in FIELDS and not dot:
        return group
    known = [*FIELDS, *PARAMS]
    close = difflib.get_close_matches(group, known, 3, 0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"
    raise BadInput(f"--over: there is no field '{name:.60}': {hint}")


def _split(words: str, text: str) -> list[str]:
    [found] = list(csv.reader([words.strip()], skipinitialspace=True)) or [[]]
    found = [word.strip() for word in found]
    if not all(found):
        raise BadInput(f"--over: '{text:.60}' has an empty value: write FIELD=VALUE,VALUE")
    return found


def _values(field: str, word: str, catalog: Catalog, model: str) -> list[Value]:
    if field == "model":
        return [*_models(word, catalog)]
    numeric = field in NUMBERS or field.partition(".")[0] in PARAMS
    if numeric or field in ("label", "negative"):
        found = _RANGE.fullmatch(word)
        if found:
            numbers = _range(word, *found.groups())
            return [*numbers] if numeric else [shown(number) for number in numbers]
    if numeric:
        return [_number(field, word)]
    if field in SWITCHES:
        if word.casefold() not in _ON:
            raise BadInput(f"--over: {field} is yes or no, found '{word:.60}'")
        return [_ON[word.casefold()]]
    if field == "label" and word.casefold() == "each":
        card = catalog.find(model).card
        if card is None or not card.labels:
            raise BadInput(f"--over: '{model}' knows no classes: leave label=each out")
        return [*card.labels]
    return [word]


def _models(word: str, catalog: Catalog) -> list[str]:
    if not word.endswith("@*"):
        return [word]
    entry = catalog.find(word.removesuffix("@*"))
    model = next((model for model in catalog.models() if entry.card and model.name == entry.card.name), None)
    return [word.removesuffix("@*")] if model is None else [found.spec for found in model.entries]


def _number(field: str, word: str) -> Value:
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise BadInput(f"--over: {field} is a number, found '{word:.60}'")


def _range(word: str, low: str, high: str, way: str | None, by: str | None) -> list[int | float]:
    whole = all(re.fullmatch(r"[+-]?\d+", part) for part in (low, high, by or "1"))
    first, last, step = float(low), float(high), float(by or 1)
    if way == "x" and not (step > 1 and 0 < first <= last):
        raise BadInput(
            f"--over: the range '{word:.60}' does not grow: write A..BxFACTOR, with 0 < A ≤ B and FACTOR > 1"
        )
    if way != "x" and not (step > 0 and first <= last):
        raise BadInput(f"--over: the range '{word:.60}' has no values: write LOW..HIGH or LOW..HIGH:STEP")
    slack = 1e-9  # a step of 0.1 is not one
    if way == "x":
        count = math.floor(math.log(last / first) / math.log(step) + slack) + 1
    else:
        span = (last - first) / step + slack
        count = math.floor(span) + 1 if math.isfinite(span) else MAX_CELLS + 1
    if count > MAX_CELLS:
        raise _too_many(count)
    if whole:
        start, jump = int(low), int(by or 1)
        return [start * jump**k if way == "x" else start + jump * k for k in range(count)]
    return [float(f"{first * step**k if way == 'x' else first + step * k:.12g}") for k in range(count)]
