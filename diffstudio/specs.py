"""Small specifications that a card, a recipe and a request share: a name from `options` with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffstudio import options

Finite = Annotated[float, Field(allow_inf_nan=False)]
MAX_BETAS = 100_000
MIN_BETA = 1e-12  # below it two steps of a table are the same in double precision


class PathSpec(BaseModel):
    """A path by name, with the parameters that differ from their defaults; `betas` is the table of a "vp_table"."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = "flow"
    params: dict[str, Finite] = {}
    betas: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _known(self) -> PathSpec:
        check_choice("path", self.name, options.PATHS)
        row = options.PATHS[self.name]
        check_params("path", self.name, self.params, row.params)
        if row.needs == "betas" and self.betas is None:
            raise ValueError(f"path '{self.name}' needs its table of betas")
        if row.needs != "betas" and self.betas is not None:
            raise ValueError(f"path '{self.name}' takes no table of betas: only 'vp_table' does")
        if self.betas is not None:
            check_betas(self.name, self.betas)
        return self

    @model_serializer(mode="wrap")
    def _short(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Most paths have no table, and their cards and pictures need not say so.
        return {key: value for key, value in write(self).items() if key != "betas" or value is not None}

    @property
    def training_steps(self) -> int | None:
        """How many integer training steps the path has; None for one that is continuous in t."""
        if self.betas is not None:
            return len(self.betas)
        row = options.PATHS[self.name]
        if not row.table:
            return None
        default = next(p.default for p in row.params if p.name == "n")
        return int(self.params.get("n", default))


def check_choice(what: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} '{name}': choose one of {', '.join(known)}")


def check_params(what: str, name: str, values: Mapping[str, float], params: tuple[options.Param, ...]) -> None:
    known = {p.name: p for p in params}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{what} '{name}' has no parameter '{key}': it takes {', '.join(known) or 'none'}")
        p = known[key]
        if not p.low <= value <= p.high:
            raise ValueError(f"{what} '{name}': {key} is {value:g}, expected {p.low:g} to {p.high:g}")
        if p.integer and value != int(value):
            raise ValueError(f"{what} '{name}': {key} is {value:g}, expected a whole number")


def check_betas(name: str, betas: Sequence[float]) -> None:
    """Each β is the share of variance that one step replaces by noise; only the last may replace all of it."""
    if not 2 <= len(betas) <= MAX_BETAS:
        raise ValueError(f"path '{name}': betas has {len(betas):,} entries, expected 2 to {MAX_BETAS:,}")
    for k, beta in enumerate(betas):
        if not MIN_BETA <= beta <= 1:
            raise ValueError(f"path '{name}': betas[{k}] is {beta:g}, expected {MIN_BETA:g} to 1")
        if beta == 1 and k < len(betas) - 1:
            raise ValueError(f"path '{name}': betas[{k}] is 1, expected less: only the last may take all signal")
