"""What pydantic finds is said in our words."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from diffstudio.findings import field_of, reason


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    kind: Literal["linear", "cosine"] = "linear"
    nothing: None = None
    sides: Annotated[int, Field(ge=1)] | Annotated[tuple[int, ...], Field(max_length=2)] = 1
    share: Annotated[float, Field(gt=0.5, allow_inf_nan=False)] = 1.0
    name: Annotated[str, Field(max_length=3)] = ""
    names: Annotated[tuple[str, ...], Field(max_length=2)] = ()
    on: bool = False

    @field_validator("name")
    @classmethod
    def _good(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("name is 'bad', expected a better one")
        return name


CASES = [
    ({"count": 0}, "count", "is '0', expected at least 1"),
    ({"count": 20_000}, "count", "is '20000', expected at most 10,000"),
    ({"count": "many"}, "count", "is 'many', expected a whole number"),
    ({"count": 1.5}, "count", "is '1.5', expected a whole number"),
    ({"kind": "odd"}, "kind", "is 'odd', expected one of 'linear' or 'cosine'"),
    ({"nothing": 256}, "nothing", "is '256', expected nothing there"),
    ({"sides": [0, [2, 2]]}, "sides", "is '[0, [2, 2]]', expected a whole number"),
    ({"share": 0.2}, "share", "is '0.2', expected more than 0.5"),
    ({"share": float("nan")}, "share", "is 'nan', expected a finite number"),
    ({"name": "long one"}, "name", "is 'long one', expected at most 3 characters"),
    ({"name": "bad"}, "name", "name is 'bad', expected a better one"),
    ({"names": ["a", "b", "c"]}, "names", "has 3 entries, expected at most 2"),
    ({"names": ["a", 7]}, "names.1", "is '7', expected a text"),
    ({"on": 7}, "on", "is '7', expected true or false"),
    ({"more": 1}, "more", "is '1', expected no entry of that name"),
    ([1], "", "is '[1]', expected a table"),
]


@pytest.mark.parametrize(("given", "field", "says"), CASES)
def test_a_finding_names_the_field_what_was_found_and_what_was_expected(given, field, says):
    with pytest.raises(ValidationError) as caught:
        Table.model_validate(given)
    problem = caught.value.errors()[0]
    assert (field_of(problem), reason(problem)) == (field, says)
