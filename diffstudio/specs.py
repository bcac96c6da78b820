"""Small specifications that a card, a recipe and a request share: a name from `options` with its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from diffstudio import options

Finite = Annotated[float, Field(allow_inf_nan=False)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]  # of a token's vector, about 1 long
MAX_STEPS = 100_000
MAX_BETAS = 100_000
MIN_BETA = 1e-12  # below it two steps of a table are the same in double precision


class PathSpec(BaseModel):
    """A path by name, with the parameters that differ from their defaults; `betas` is the table of a "vp_table"."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = "flow"
    params: dict[str, Finite] = {}
    betas: Annotated[tuple[float, ...], Field(fail_fast=True)] | None = None

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
        raise ValueError(
            f"path '{name}': the number of betas in the table is {len(betas):,}, expected 2 to {MAX_BETAS:,}"
        )
    for k, beta in enumerate(betas):
        if not MIN_BETA <= beta <= 1:
            raise ValueError(f"path '{name}': beta {k + 1} of the table is {beta:g}, expected {MIN_BETA:g} to 1")
        if beta == 1 and k < len(betas) - 1:
            raise ValueError(
                f"path '{name}': beta {k + 1} of the table is 1, expected less: only the last may take all signal"
            )


def grid_problem(
    grid: str,
    path: str,
    n: int | None,
    steps: int | None = None,
    *,
    t_start: float = 1.0,
    params: Mapping[str, float] | None = None,
    times: Sequence[float] | None = None,
    shape: Sequence[int] | None = None,
) -> str:
    """Why a grid does not suit a path or a run, in one sentence; "" if it does.

    path, n: the name of the path and its training steps (`PathSpec.training_steps`). steps: None before it is known.
    t_start: where the run starts. times: the list of a "custom" grid. shape: one sample, without the batch.
    """
    try:
        check_choice("grid", grid, options.GRIDS)
        check_params("grid", grid, params or {}, options.GRIDS[grid].params)
        _check_run(steps, t_start)
        needs = options.GRIDS[grid].needs
        numbers = {p.name: p.default for p in options.GRIDS[grid].params} | dict(params or {})
        if needs == "table":
            _check_table(grid, path, n, steps, t_start, numbers)
        elif numbers.get("levels") and steps is not None and steps > numbers["levels"]:
            return f"'{grid}' has {numbers['levels']:g} levels of a distillation, found {steps:,} steps: choose fewer"
        elif numbers.get("between"):
            spacing = {1: "leading", 2: "trailing"}[int(numbers["between"])]
            _check_table(spacing, path, n, steps, 1.0, {"steps_offset": numbers["steps_offset"]})
        elif needs == "times":
            _check_times(grid, times, steps, t_start)
        elif needs == "shape" and not shape:
            return f"'{grid}' counts the tokens of a sample, and its shape is not known"
        if needs != "times" and times is not None:
            return f"grid '{grid}' takes no list of times: only 'custom' does"
    except ValueError as problem:
        return str(problem)
    return ""


def _check_run(steps: int | None, t_start: float) -> None:
    if steps is not None and not (isinstance(steps, int) and 1 <= steps <= MAX_STEPS):
        raise ValueError(f"steps is {steps}, expected a whole number from 1 to {MAX_STEPS:,}")
    if not 0 < t_start <= 1:
        raise ValueError(f"the start is t = {t_start:g}, expected more than 0 and at most 1")


def _check_table(
    grid: str, path: str, n: int | None, steps: int | None, t_start: float, numbers: Mapping[str, float]
) -> None:
    """numbers: the parameters of the grid, those that it has."""
    if n is None:
        raise ValueError(f"'{grid}' counts integer training steps, and '{path}' has none: choose uniform or karras")
    up_to = f" up to t = {t_start:g}" if t_start < 1 else ""
    offset, spare, cut, original = (int(numbers.get(name, 0)) for name in ("steps_offset", "spare", "cut", "original"))
    if original > n:
        raise ValueError(f"'{grid}' has original {original:,}, expected at most {n:,}, the training steps of '{path}'")
    if steps is None:
        return
    stride = 1
    have = min(round(t_start * n), n - cut)
    if original and steps <= have:
        stride, have = distilled(n, t_start, steps, original)
    if steps + spare > have:
        left = f" without {cut:,} that are cut" if cut else ""
        more = " and a spare one" if spare else ""
        raise ValueError(
            f"'{grid}' has {max(0, have):,} training steps on '{path}'{up_to}{left}, found {steps:,} steps{more}: "
            "choose fewer or uniform"
        )
    ratio = have // (steps + spare)
    first = (steps + spare - 1) * ratio + offset
    if grid == "leading" and first >= have:
        raise ValueError(
            f"'{grid}' starts at training step {first:,} with steps_offset {offset}, "
            f"expected at most {have - 1:,} on '{path}'{up_to}"
        )
    lowest = round(have - (steps - 1) * trailing_stride(have, round(t_start * n), steps)) - 1
    before = {"leading": spare * ratio + offset, "linspace": spare, "trailing": lowest, "lcm": stride - 1}
    if numbers.get("end") and before[grid] < 1:
        raise ValueError(f"'{grid}' visits training step 0 itself, where end 1 would stand still: choose end 0")


def distilled(n: int, t_start: float, steps: int, original: int) -> tuple[int, int]:
    """Of `lcm`: training steps between two of a distillation in so many steps, and how many lie up to t_start.

    Where a run has more steps than that, the distillation is taken to have had as many.
    """
    count = min(n, max(original, math.ceil(steps / t_start)))
    return n // count, min(count, round(t_start * n) // (n // count))


def trailing_stride(have: int, n: int, steps: int) -> float:
    """Training steps between two of `trailing`: those of the whole table, as long as it has enough without its cut."""
    return n / steps if (steps - 1) * n / steps < have - 0.5 else have / steps


def _check_times(grid: str, times: Sequence[float] | None, steps: int | None, t_start: float) -> None:
    if times is None:
        raise ValueError(f"'{grid}' needs your list of times")
    if steps is not None and len(times) != steps + 1:
        raise ValueError(
            f"the number of times in the list is {len(times):,}, expected {steps + 1:,} for {steps:,} steps"
        )
    if not 2 <= len(times) <= MAX_STEPS + 1:
        raise ValueError(f"the number of times in the list is {len(times):,}, expected 2 to {MAX_STEPS + 1:,}")
    for k, t in enumerate(times):
        if not 0 <= t <= 1:
            raise ValueError(f"time {k + 1} of the list is {t:g}, expected 0 to 1")
        if k and t >= times[k - 1]:
            raise ValueError(
                f"time {k + 1} of the list is {t:g}, expected less than {times[k - 1]:g}, the one before it"
            )
    if t_start < 1 and abs(times[0] - t_start) > 1e-9:
        raise ValueError(f"the first time of the list is {times[0]:g}, expected {t_start:g}, where this run starts")


class AudioSpec(BaseModel):
    """How the states of an audio model become sound: their mel spectrogram's parameters.

    rate: samples a second. window, hop: samples. floor, ceiling: the amplitudes that −1 and +1 stand for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    rate: Annotated[int, Field(ge=1000, le=96_000)]
    window: Annotated[int, Field(ge=16, le=8192, multiple_of=4)]
    hop: Annotated[int, Field(ge=4, le=4096, multiple_of=4)]
    floor: Annotated[float, Field(ge=1e-6, le=0.1)]
    ceiling: Annotated[float, Field(gt=0, le=10)]

    @model_validator(mode="after")
    def _overlapping(self) -> AudioSpec:
        if self.hop * 2 > self.window:
            raise ValueError(f"hop is {self.hop}, expected at most half the window of {self.window}")
        if self.floor >= self.ceiling:
            raise ValueError(f"floor is {self.floor:g}, expected less than the ceiling of {self.ceiling:g}")
        return self


class TextSpec(BaseModel):
    """What the numbers of a text model stand for, and the process that it reverses.

    vocabulary: the tokens by number; the bundled models have one letter each.
    process: "masked", a token is lost to a mask (absorbing); "uniform", replaced by a random one; "embedding", Gaussian
    noise on the vectors of the tokens.  embedding: of that process, a vector for each token, (V, C).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    vocabulary: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(max_length=65_536)]
    process: Literal["masked", "uniform", "embedding"] = "masked"
    embedding: tuple[tuple[Coordinate, ...], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> TextSpec:
        if len(self.vocabulary) < 2 or len(set(self.vocabulary)) < len(self.vocabulary):
            raise ValueError(f"vocabulary has {len(self.vocabulary)} tokens, expected at least two, each once")
        if (self.process == "embedding") != bool(self.embedding):
            raise ValueError("an embedding belongs to process 'embedding': give both or neither")
        widths = {len(row) for row in self.embedding}
        if self.embedding and (len(self.embedding) != len(self.vocabulary) or len(widths) != 1 or widths == {0}):
            raise ValueError(f"embedding has {len(self.embedding)} vectors, expected one for each token, equally long")
        return self

    @property
    def mask(self) -> int:
        """The number of a masked cell."""
        return len(self.vocabulary)

    @property
    def discrete(self) -> bool:
        """Whether the states are the numbers of tokens."""
        return self.process != "embedding"


class PromptSpec(BaseModel):
    """What a model that is told a prompt can be told.

    tokens: the most of a prompt that it reads, with the tokens of its begin and end. distilled: it is also told a
    strength of guidance, which it learned from a guided model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    tokens: Annotated[int, Field(ge=4, le=4096)]
    distilled: bool = False
