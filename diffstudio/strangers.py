"""Texts and tables from strangers' files: bounded before they are parsed, and made fit to be shown.

Standard library alone: the process that reads strangers' pickles has nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

MAX_DEPTH = 3  # of what is shown of a stranger's table
MAX_BITS = 256  # of a number that is written out: the digits of a long one take their square in time


def shown(text: object, most: int = 80) -> str:
    """At most so many characters for a message; those that are not printed, or turn the reading, as escapes.

    Of a table, a list or a number only the beginning is looked at, however long or deep it is.
    """
    start = text[:most] if isinstance(text, str) else written(text, most)[:most]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)


def written(value: object, most: int = 80, depth: int = 0) -> str:
    """As Python writes it, a text within quotes, or about as far as `most` characters of it."""
    if value is None or isinstance(value, bool | float | os.PathLike | BaseException):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= MAX_BITS else f"a number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes):
        return repr(value[:most])
    if not isinstance(value, list | tuple | dict):
        return f"<{type(value).__name__}>"
    left, right = {list: "[]", tuple: "()", dict: "{}"}.get(type(value), "[]")
    if depth == MAX_DEPTH:
        return f"{left}…{right}" if value else left + right
    parts: list[str] = []
    length = 0
    for entry in value.items() if isinstance(value, dict) else value:
        if length > most:
            parts.append("…")
            break
        pair = entry if isinstance(value, dict) else (entry,)
        parts.append(": ".join(written(part, most, depth + 1) for part in pair))
        length += len(parts[-1]) + 2
    comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
    return f"{left}{', '.join(parts)}{comma}{right}"


def bounded_json(text: str | bytes, most: int, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What a JSON text says, if it has at most so many parts: commas and brackets, also those within its texts.

    A megabyte of empty lists takes 20 of memory, one of wrong entries 250 for the list of what is wrong with each.
    pairs: as `json.loads` has its object_pairs_hook.

    Raises:
        ValueError: more parts, nested too deep, or no JSON.
    """
    marks = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")
    if sum(text.count(mark) for mark in marks) > most:  # pyright: ignore[reportArgumentType] - of the text's own kind
        raise ValueError(f"it has more than {most:,} parts")
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def first_problem(errors: Iterable[Any], whole: str) -> str:
    """The first finding of pydantic as "field: message, found …"; whole: what has no field, such as "header"."""
    first = next(iter(errors))
    field = shown(".".join(shown(part) for part in first["loc"]), 200) or whole
    of_all = first["type"] == "value_error" and isinstance(first["input"], dict)  # which is no help to be shown
    found = "" if of_all else f", found '{shown(first['input'], 60)}'"
    return f"{field}: {shown(first['msg'].removeprefix('Value error, '), 200)}{found}"
