"""A Request: everything that decides what a run computes, as pure data (JSON)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from diffstudio import options
from diffstudio.modalities import Fit, Taking
from diffstudio.modalities.modality import MAX_PART
from diffstudio.modalities.region import MAX_REGION, parse_region
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
    source_sample: the one sample of the source that all start from, the first is 0; None: all of them in turn, and of a
    data set one for each seed.
    strength: the noise level t to which data or a file are noised, where the chain starts (SDEdit); 1 is all of it.
    prompt: what to draw, for a model that is told it; of a text the letters that stay as they are, "_" for one that is
    free.  negative_prompt: what guidance leads away from.  distilled_guidance: the strength of guidance that a network
    is told, which learned it from a guided one.
    source_range: the values of the file that are black and white.  source_part: which pages, seconds, array, rows of
    it; None of both is what is recognised (see `modalities.Taking`).
    mask: a file, white where the source is drawn anew.  mask_region: the same in words (see `modalities.region`); of
    both what lies in both.  keep_pixels: a latent model's pictures have the source's own pixels where it is kept.
    resample: how often each step is repeated (RePaint).
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
    source_sample: int | None = Field(None, ge=0)
    source_fit: Fit | None = None
    source_invert: bool = False
    source_range: tuple[Finite, Finite] | None = None
    source_part: str | None = Field(None, min_length=1, max_length=MAX_PART)
    strength: Finite = Field(1.0, gt=0, le=1)
    prompt: str = Field("", max_length=10_000)
    negative_prompt: str = Field("", max_length=10_000)
    distilled_guidance: Finite = Field(3.5, ge=0, le=100)
    mask: str | None = None
    mask_region: str | None = Field(None, min_length=1, max_length=MAX_REGION)
    keep_pixels: bool = True
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

    @field_validator("mask_region")
    @classmethod
    def _is_region(cls, region: str | None) -> str | None:
        if region is not None:
            parse_region(region)
        return region

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
        if self.source_range is not None and self.source_range[0] == self.source_range[1]:
            raise ValueError(f"the range of the source is {self.source_range[0]:g} alone: give two values that differ")
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
    def masked(self) -> bool:
        """Whether a part of the source is kept."""
        return self.mask is not None or self.mask_region is not None

    @property
    def taking(self) -> Taking:
        """How the source's file is taken."""
        return Taking(self.source_fit, self.source_range, self.source_part, self.source_invert)

    @property
    def grid_steps(self) -> int:
        """Steps of the grid: as many as asked for, or as the list of times has."""
        return self.steps if self.times is None else max(1, len(self.times) - 1)

    @property
    def t_start(self) -> float:
        """Where the chain starts: the level to which data are noised; 1 is the grid's own start.

        A run from a recorded step starts where that step is, which the request does not know.
        """
        return self.strength if self.from_data else 1.0

    @property
    def run_times(self) -> tuple[float, ...] | None:
        """The own list of times of a run: of data that are noised less than all the way what lies below their level."""
        if self.times is None or self.t_start == 1:
            return self.times
        return self.t_start, *(t for t in self.times if t < self.t_start)

    @property
    def steps_run(self) -> int:
        """Steps of a chain: those of the grid, or the share of them that the strength is, at least one."""
        if self.run_times is not None:
            return max(1, len(self.run_times) - 1)
        # Halves are rounded up, in whatever way the product of both has been rounded.
        return max(1, math.floor(self.steps * self.t_start + 0.5 + 1e-9))
