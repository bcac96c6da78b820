"""The card: what a checkpoint says of itself. Parsed with bounds, never trusted further than that."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diffstudio.specs import PathSpec

FORMAT_VERSION = 1
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=4000)]


class TrainingData(BaseModel):
    """Where the training data came from, under which licence, and who is credited."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dataset: ShortText  # a name in diffstudio.data, so that "data sample" works; "" if unknown
    title: ShortText = ""
    licence: ShortText = ""
    credit: LongText = ""


class Card(BaseModel):
    """One checkpoint. `shape` is one sample without the batch: (2,) points, (C, H, W) images."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format_version: Literal[1] = FORMAT_VERSION
    name: Annotated[str, Field(min_length=1, max_length=80)]
    title: ShortText = ""
    description: LongText = ""
    modality: Literal["points", "image"]
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=4)]
    path: PathSpec
    prediction: Literal["eps", "x0", "v", "flow"]
    network: ShortText
    network_args: dict[str, Any] = {}
    labels: Annotated[tuple[ShortText, ...], Field(max_length=10_000)] = ()
    data: TrainingData
    step: Annotated[int, Field(ge=0, le=10**9)]
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    loss: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    seed: int = 0
    licence: ShortText = ""
    parameters: Annotated[int, Field(ge=0, le=10**11)] = 0
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    defaults: dict[str, float | int | str] = {}  # the request fields that give a good result, e.g. steps, guidance
    thumbnail: Annotated[str, Field(max_length=40_000)] = ""  # a small PNG, base64
    measures: dict[str, float] = {}  # judged quality, e.g. {"class_agreement": 0.985}
