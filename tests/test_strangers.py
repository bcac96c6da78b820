"""Texts and tables of strangers are bounded before they are parsed or shown."""

from __future__ import annotations

import tracemalloc

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from diffstudio.strangers import bounded_json, first_problem, shown


def nested(depth):
    found = ()
    for _ in range(depth):
        found = (found,)
    return found


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: "a\x1b[2J\u202e", "a\\x1b[2J\\u202e"),
        (lambda: [1, 2.5, "a", None, {"k": (1,)}], "[1, 2.5, 'a', None, {'k': (1,)}]"),
        (lambda: {}, "{}"),
        (lambda: ValueError("why"), "why"),
        (lambda: True, "True"),
        (lambda: 10**5000, "a number of 16,610 bits"),
        (lambda: nested(400_000), "((((…),),),)"),
        (lambda: [list(range(10**6))], "[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (lambda: "x" * 10**6, "x" * 30),
        (lambda: {"y" * 10**6: "z" * 10**6}, "{'" + "y" * 28),
    ],
)
def test_what_is_shown_is_short_however_long_the_thing_is(make, text):
    value = make()
    tracemalloc.start()
    try:
        assert shown(value, 30) == text[:30]
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_json_of_too_many_parts_is_not_parsed():
    assert bounded_json('{"a": [1, 2]}', 3) == {"a": [1, 2]}
    assert bounded_json(b"[]", 1) == []
    with pytest.raises(ValueError, match="more than 2 parts"):
        bounded_json('{"a": [1, 2]}', 2)
    with pytest.raises(ValueError, match="nested too deep"):
        bounded_json("[" * 100_000, 10**6)
    with pytest.raises(ValueError, match="Expecting"):
        bounded_json("{", 10)
    assert bounded_json('{"a": 1}', 3, pairs=tuple) == (("a", 1),)


class Small(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = 0


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"count": "many"}, "count: Input should be a valid integer"),
        ({"k" * 10**6: 1}, "k" * 80 + ": Extra inputs are not permitted, found '1'"),
        ([1], "all: Input should be a valid dictionary"),
    ],
)
def test_what_pydantic_finds_is_one_short_sentence(found, says):
    with pytest.raises(ValidationError) as caught:
        Small.model_validate(found)
    said = first_problem(caught.value.errors(), "all")
    assert said.startswith(says) and len(said) < 700
