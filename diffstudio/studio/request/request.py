"""A Request: everything that decides what a run computes, as pure data (JSON)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from diffstudio import options
from diffstudio.specs import Finite, PathSpec, check_choice, check_params

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Params = dict[str, Finite]
MAX_STEPS = 100_000


class Request(BaseModel):
    """One run.

    label: an index into the card's labels, "each" the classes in turn, None any (unconditional).
    times: the levels that grid "custom" visits, falling from the first t.  noise: None is the solver's own way.
    guidance_interval: (low, high] in σ = s/a, None everywhere.  negative: the class that guidance leads away from, None
    any.  guidance_model: a weaker checkpoint to be led away
    from instead (autoguidance).  record_split: also record both halves of guidance.
    strength: the share of the chain that a run from data or a file goes through (SDEdit), 1 all of it.
    prompt: what to draw, for a model that is told it; of a text the letters that stay as they are, "_" for one that is
    free.  negative_prompt: what guidance leads away from.  distilled_guidance: the strength of guidance that a network
    is told, which learned it from a guided one.
    mask: a picture, white where the source is repainted.  resample: how often each step is repeated (RePaint).
    interpolate: the seed of the other end, the samples lie between (spherical).
    precision: of the network's weights; the chain itself is always float32.
    variation: how far the noise of the samples is from that of the seed towards noise of variation_seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["sample", "forward"] = "sample"
    model: str = "digits"
    source: Literal["noise", "data", "file", "step"] = "noise"
    source_file: str | None = None
    source_step: int | None = Field(None, ge=0)
    source_fit: Literal["crop", "pad", "stretch"] | None = None
    source_invert: bool = False
    strength: Finite = Field(1.0, gt=0, le=1)
    prompt: str = Field("", max_length=10_000)
    negative_prompt: str = Field("", max_length=10_000)
    distilled_guidance: Finite = Field(3.5, ge=0, le=100)
    mask: str | None = None
    resample: int = Field(1, ge=1, le=100)
    label: Annotated[int, Field(ge=0)] | Literal["each"] | None = None
    solver: str = "dpmpp_2m"
    solver_params: Params = {}
    noise: Literal["fresh", "brownian"] | None = None
    steps: int = Field(30, ge=1, le=MAX_STEPS)
    grid: str = "uniform"
    grid_params: Params = {}
    times: tuple[Finite, ...] | None = None
    path: PathSpec | None = None
    clip: str = "none"
    clip_params: Params = {}
    forward: Literal["fixed", "markov", "invert", "invert_heun", "off"] = "fixed"
    seed: Seed = 0
    interpolate: Seed | None = None
    variation: Finite = Field(0.0, ge=0, le=1)
    variation_seed: Seed = 0
    samples: int = Field(16, ge=1, le=1_000_000)
    guidance: Finite = Field(1.0, ge=0, le=100)
    guidance_interval: tuple[Finite, Finite] | None = None
    guidance_rescale: Finite = Field(0.0, ge=0, le=1)
    guidance_model: str | None = None
    negative: int | None = Field(None, ge=0)
    record_split: bool = False
    device: str = "auto"
    precision: Literal["float32", "half"] = "float32"
    trace_every: int = Field(1, ge=1)
    trace_dtype: Literal["float32", "float16"] = "float32"

    @model_validator(mode="after")
    def _known(self) -> Request:
        check_choice("solver", self.solver, options.SOLVERS)
        check_choice("grid", self.grid, options.GRIDS)
        check_choice("clip", self.clip, options.CLIPS)
        check_params("solver", self.solver, self.solver_params, options.SOLVERS[self.solver].params)
        check_params("grid", self.grid, self.grid_params, options.GRIDS[self.grid].params)
        check_params("clip", self.clip, self.clip_params, options.CLIPS[self.clip].params)
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Request:
        if self.source in ("file", "step") and not self.source_file:
            raise ValueError(f"source '{self.source}' needs a source_file")
        if self.source == "step" and self.source_step is None:
            raise ValueError("source 'step' needs a source_step")
        if (self.grid == "custom") != (self.times is not None):
            raise ValueError("a list of times and grid 'custom' go together: give both or neither")
        if self.guidance_interval and not 0 <= self.guidance_interval[0] < self.guidance_interval[1]:
            low, high = self.guidance_interval
            raise ValueError(f"the guidance interval is {low:g} to {high:g}, expected 0 ≤ low < high in σ")
        if self.noise and not options.SOLVERS[self.solver].stochastic:
            raise ValueError(f"solver '{self.solver}' draws no noise: leave the noise out")
        if self.interpolate is not None and self.variation > 0:
            raise ValueError("interpolation and variation are two ways to choose the noise: give one of them")
        return self

    @property
    def from_data(self) -> bool:
        """Whether the reverse chain starts from noised data: samples of the data set, or the user's file."""
        return self.source in ("data", "file")

    @property
    def grid_steps(self) -> int:
        """Steps of the grid: as many as asked for, or as the list of times has."""
        return self.steps if self.times is None else max(1, len(self.times) - 1)

    @property
    def steps_run(self) -> int:
        """Steps of a chain: those of the grid, or the part that the strength keeps, at least one."""
        return max(1, round(self.grid_steps * self.strength)) if self.from_data else self.grid_steps
