"""Small specifications that a card, a recipe and a request share: a name from `options` with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from diffstudio import options

Finite = Annotated[float, Field(allow_inf_nan=False)]


class PathSpec(BaseModel):
    """A path by name, with the parameters that differ from their defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = "flow"
    params: dict[str, Finite] = {}

    @model_validator(mode="after")
    def _known(self) -> PathSpec:
        check_choice("path", self.name, options.PATHS)
        check_params("path", self.name, self.params, options.PATHS[self.name].params)
        return self


def check_choice(what: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} '{name}': choose one of {', '.join(known)}")


def check_params(what: str, name: str, values: dict[str, float], params: tuple[options.Param, ...]) -> None:
    known = {p.name: p for p in params}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{what} '{name}' has no parameter '{key}': it takes {', '.join(known) or 'none'}")
        p = known[key]
        if not p.low <= value <= p.high:
            raise ValueError(f"{what} '{name}': {key} is {value:g}, expected {p.low:g} to {p.high:g}")
        if p.integer and value != int(value):
            raise ValueError(f"{what} '{name}': {key} is {value:g}, expected a whole number")
