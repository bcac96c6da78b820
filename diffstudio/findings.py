"""What pydantic finds wrong, in our words: a field, what was found there and what was expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diffstudio.strangers import shown

# What was expected, by pydantic's name for the finding; {…} are the numbers that it gives with it.
_EXPECTED = {
    "missing": "an entry that has to be there",
    "extra_forbidden": "no entry of that name",
    "none_required": "nothing there",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "literal_error": "{expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entries",
}


def field_of(problem: Mapping[str, Any]) -> str:
    """The dotted name of the entry, "" where it is about the whole; pydantic's words for alternatives are left out."""
    parts = [shown(part) for part in problem["loc"]]
    return ".".join(part for part in parts if not re.search(r"[\[(]|^(constrained-)?(int|float|str|bool|tuple)$", part))


def expected(problem: Mapping[str, Any]) -> str:
    """What was expected instead."""
    form = _EXPECTED.get(str(problem["type"]), "something else")
    return form.format(**{key: _plain(value) for key, value in (problem.get("ctx") or {}).items()})


def reason(problem: Mapping[str, Any], most: int = 60) -> str:
    """The finding as the end of a sentence: "is '2', expected at most 1", or what our own sentence says."""
    if problem["type"] == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] in ("too_long", "too_short") and hasattr(problem["input"], "__len__"):
        return f"has {len(problem['input']):,} entries, expected {expected(problem).removesuffix(' entries')}"
    return f"is '{shown(problem['input'], most)}', expected {expected(problem)}"


def _plain(value: Any) -> str:
    """A number or a choice as it is read: pydantic writes choices with 'or' and in quotes."""
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    return f"one of {value}" if " or " in str(value) else str(value)
