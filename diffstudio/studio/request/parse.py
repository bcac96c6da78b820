"""What people type becomes parts of a request: a class, a path with its numbers, a source, an amount of memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.listing import Entry
from diffstudio.errors import BadFile, BadInput
from diffstudio.specs import PathSpec
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.numbers import read_numbers
from diffstudio.studio.request.request import Request
from diffstudio.user_files import read_regular

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
MAX_TABLE = 4 << 20  # bytes of a file of betas
_BINARY = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


# Words that go into a request as they are, and those that have another name there.
_SAME = (
    "kind", "steps", "seed", "samples", "grid", "solver", "noise", "clip", "guidance", "guidance_rescale",
    "guidance_model", "forward", "device", "strength", "prompt", "negative_prompt",
    "distilled_guidance", "mask", "mask_region", "keep_pixels", "resample", "interpolate",
    "variation", "variation_seed", "precision", "source_sample",
)  # fmt: skip
_RENAMED = {"fit": "source_fit", "invert": "source_invert", "part": "source_part", "every": "trace_every"}
_PARAMS = {"solver_params": "solver-param", "grid_params": "grid-param", "clip_params": "clip-param"}
_OPTIONS = (
    {new: old for old, new in _RENAMED.items()}
    | _PARAMS
    | {
        "source_file": "source",
        "source_range": "range",
    }
)


def parse_request(entry: Entry, given: Mapping[str, Any]) -> Request:
    """The request for a checkpoint from the options of the command line; None is what was not given.

    Raises:
        BadFile: the checkpoint has no card.  BadInput: an option that is not understood or out of its bounds.
    """
    if entry.card is None:
        raise BadFile(entry.problem or f"{entry.path}: no card")
    fields = {name: given.get(name) for name in _SAME}
    fields |= {new: given.get(old) for old, new in _RENAMED.items()}
    fields |= _parsed(given, entry.card)
    fields = {name: value for name, value in fields.items() if value is not None}
    if given.get("label") is not None:
        fields["label"] = parse_label(given["label"], entry.card)  # None means something here: any
    try:
        return default_request(entry.card, given["model"], **fields)
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else ""
        where = f"--{_OPTIONS.get(name, name).replace('_', '-')}: " if name else ""
        raise BadInput(where + plain_reason(problem)) from error


def _parsed(given: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """The fields that are written in a short form."""
    fields: dict[str, Any] = {"trace_dtype": "float16" if given.get("half") else None}
    fields["record_split"] = given.get("record_split") or None
    for name, option in _PARAMS.items():
        words: list[str] = [*(given.get(name) or ())]
        if name == "solver_params" and given.get("eta") is not None:
            words.append(f"eta={given['eta']}")
        fields[name] = parse_params(words, f"--{option}") if words else None
    if given.get("source") is not None:
        fields |= parse_source(given["source"])
    if given.get("range") is not None:
        fields["source_range"] = _pair(given["range"], "--range", "0,255")
    if given.get("path") is not None:
        fields["path"] = parse_path(given["path"])
    if given.get("times") is not None:
        fields |= {"times": parse_numbers(given["times"], "--times"), "grid": given.get("grid") or "custom"}
    if given.get("guidance_interval") is not None:
        fields["guidance_interval"] = _pair(given["guidance_interval"], "--guidance-interval")
    if given.get("negative") is not None:
        negative = parse_label(given["negative"], card)
        if not isinstance(negative, int):
            known = ", ".join(card.labels)
            raise BadInput(f"--negative: '{given['negative']}' is not one class: choose one of {known}")
        fields["negative"] = negative
    return fields


def parse_numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas.

    Raises:
        BadInput: one of them is none. `option` names where they were given.
    """
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError as error:
        raise BadInput(f"{option}: '{text:.60}' is not a list of numbers like 1,0.5,0.1") from error


def _pair(text: str, option: str, example: str = "0.2,5") -> tuple[float, float]:
    found = parse_numbers(text, option)
    if len(found) != 2:
        raise BadInput(f"{option}: '{text:.60}' is not two numbers like {example}")
    return found[0], found[1]


def parse_label(text: str, card: Card) -> int | str | None:
    """A class by name or number; "any" is None, "each" the classes in turn.

    Raises:
        BadInput: the model has no such class; those it has are named.
    """
    word = text.strip().casefold()
    if word == "any":
        return None
    if word == "each" and card.labels:
        return "each"
    names = [name.casefold() for name in card.labels]
    if word in names:
        return names.index(word)
    if word.isdecimal() and int(word) < len(names):
        return int(word)
    if not names:
        raise BadInput(f"'{card.name}' knows no classes: leave the label out")
    known = ", ".join(card.labels[:20]) + (", …" if len(names) > 20 else "")
    raise BadInput(f"'{card.name}' has no label '{text}': choose one of {known}, any or each")


def parse_source(text: str) -> dict[str, str]:
    """ "noise", "data", or a file: the fields of a request."""
    return {"source": text} if text in ("noise", "data") else {"source": "file", "source_file": text}


def parse_params(words: Iterable[str], option: str) -> dict[str, float]:
    """Numbers given as "name=number". `option` names where they were given.

    Raises:
        BadInput: not of that form.
    """
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise BadInput(f"{option}: '{word}' is not of the form name=number")
    return found


def parse_path(text: str) -> PathSpec:
    """A path as "vp_linear", "vp_linear:n=100,beta_end=0.05", or "vp_table:FILE" with a table of betas.

    Raises:
        BadInput: an unknown path or parameter, one out of its bounds, or a table that can't be used.
    """
    name, _, params = text.partition(":")
    try:
        if name == "vp_table" and params:
            return PathSpec(name=name, betas=read_betas(Path(params)))
        return PathSpec(name=name, params=parse_params(filter(None, params.split(",")), "--path"))
    except ValidationError as error:
        raise BadInput(f"--path: {plain_reason(error.errors()[0])}") from error


def read_betas(path: Path) -> tuple[float, ...]:
    """The numbers of a text file, between white space, commas or semicolons; a decimal comma is one, too.

    Raises:
        BadInput: it can't be read, is too large, or holds something else.
    """
    try:
        text = read_regular(path, MAX_TABLE, "the betas in ").decode("utf-8")
        found = read_numbers(text)
        if found is None:  # NaN and ∞ are named where the table is judged
            found = tuple(float(word) for word in text.replace(",", " ").replace(";", " ").split())
        return found
    except ValueError as error:
        raise BadInput(f"{path} is not a text of betas: expected numbers between 0 and 1") from error


def parse_size(text: str) -> int:
    """An amount of memory as "500MB", "4GiB", "4G" or bytes.

    Raises:
        BadInput: not an amount.
    """
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(i?)b?", text.strip(), re.IGNORECASE)
    if not found:
        raise BadInput(f"'{text}' is not an amount of memory: write 500MB or 4GiB")
    number, unit, binary = found.groups()
    return int(float(number) * (_BINARY if binary else _UNITS)[unit.lower()])


def plain_reason(problem: Any) -> str:
    """A finding of pydantic in words, with what was found."""
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return reason  # our own sentences name what was found
    return f"{reason[:1].lower()}{reason[1:]}, found {problem['input']!r:.60}"
