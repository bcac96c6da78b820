"""A Request: everything that decides what a run computes, as pure data (JSON)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from diffstudio import options
from diffstudio.specs import Finite, PathSpec, check_choice, check_params


class Request(BaseModel):
    """One run. `label`: an index into the card's labels, "each" the classes in turn, None any (unconditional)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["sample", "forward"] = "sample"
    model: str = "digits"
    source: Literal["noise", "data", "file", "step"] = "noise"
    source_file: str | None = None
    source_step: int | None = Field(None, ge=0)
    source_fit: Literal["crop", "pad", "stretch"] | None = None
    source_invert: bool = False
    label: Annotated[int, Field(ge=0)] | Literal["each"] | None = None
    solver: str = "dpmpp_2m"
    solver_params: dict[str, Finite] = {}
    steps: int = Field(30, ge=1, le=100_000)
    grid: str = "uniform"
    path: PathSpec | None = None
    forward: Literal["fixed", "markov", "off"] = "fixed"
    seed: int = Field(0, ge=0, lt=2**63)
    samples: int = Field(16, ge=1, le=1_000_000)
    guidance: Finite = Field(1.5, ge=0, le=100)
    device: str = "auto"
    trace_every: int = Field(1, ge=1)
    trace_dtype: Literal["float32", "float16"] = "float32"

    @model_validator(mode="after")
    def _consistent(self) -> Request:
        check_choice("solver", self.solver, options.SOLVERS)
        check_choice("grid", self.grid, options.GRIDS)
        check_params("solver", self.solver, self.solver_params, options.SOLVERS[self.solver].params)
        if self.source in ("file", "step") and not self.source_file:
            raise ValueError(f"source '{self.source}' needs a source_file")
        if self.source == "step" and self.source_step is None:
            raise ValueError("source 'step' needs a source_step")
        return self
