"""A trace from a stranger: what its header says of the states is judged once, before anything draws or reads them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import BadFile
from diffstudio.modalities import MODALITIES, Meaning
from diffstudio.specs import AudioSpec, Finite, TextSpec
from diffstudio.strangers import first_problem, shown
from diffstudio.traces.format import MAX_BATCH, MAX_NUMBERS, TraceHeader
from diffstudio.traces.reader import Trace

MAX_SIDE = 4096  # of a state, as in a card
STATES = ("xt", "x0_hat", "x0_cond", "x0_free")  # the fields that have the shape of a state
ShortText = Annotated[str, Field(max_length=200)]
Side = Annotated[int, Field(ge=1, le=16_384)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore")
    dataset: ShortText = ""


class _Card(BaseModel):
    """Of a card what is read in a trace, with the bounds of a card. Older and newer ones may lack or have others."""

    model_config = ConfigDict(extra="ignore")
    modality: ShortText = "image"
    name: ShortText = ""
    step: Annotated[int, Field(ge=0, le=10**9)] = 0
    shape: Annotated[tuple[Side, ...], Field(max_length=4)] = ()
    audio: AudioSpec | None = None
    text: TextSpec | None = None
    decoded: Annotated[tuple[Side, ...], Field(max_length=3)] = ()
    colours: Annotated[tuple[tuple[Finite, ...], ...], Field(max_length=3, fail_fast=True)] = ()
    labels: Annotated[tuple[ShortText, ...], Field(max_length=10_000, fail_fast=True)] = ()
    data: _Data | None = None


class _Request(BaseModel):
    """Of a request what is read without the request's own model, which judges the rest where it is run again."""

    model_config = ConfigDict(extra="ignore")
    model: Annotated[str, Field(max_length=4096)] = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    source: ShortText = ""
    forward: ShortText = ""
    prompt: Annotated[str, Field(max_length=10_000)] = ""
    steps: Annotated[int, Field(ge=1, le=100_000)] | None = None
    trace_every: Annotated[int, Field(ge=1, le=10**9)] = 1


def open_checked(path: str | os.PathLike[str]) -> Trace:
    """Open a trace that may be anybody's.

    Raises:
        BadFile: as `Trace.open`, and where the header does not fit the modality that it names.
    """
    return Trace.open(path, problem_of)


def problem_of(header: TraceHeader) -> str:
    """What in a header does not fit together, in one sentence; "" if everything does."""
    card = header.card
    try:
        known = _Card.model_validate(card)
        _Request.model_validate(header.request)
    except ValidationError as error:
        return f"the trace's card or request: {first_problem(error.errors(), 'all of it')}"
    if known.modality not in MODALITIES:
        return (
            f"it is a run of '{shown(known.modality)}', which is not known here: expected one of "
            f"{', '.join(MODALITIES)}; open it with a newer DiffStudio"
        )
    shapes = {spec.name: spec.shape for spec in header.fields}
    missing = [name for name in STATES[:2] if name not in shapes]
    if missing:
        return f"it has no field '{missing[0]}', which every run has: it has {', '.join(shapes)}"
    batch, *state = shapes["xt"]
    return (
        _of_sizes(header, batch)
        or _of_states(shapes, state, known)
        or _of_meaning(Meaning(known.modality, tuple(state), card), known, shapes, batch)
    )


def _of_sizes(header: TraceHeader, batch: int) -> str:
    if batch > MAX_BATCH:
        return f"it has {batch:,} samples, expected at most {MAX_BATCH:,}"
    large = next((spec for spec in header.fields if math.prod(spec.shape) > MAX_NUMBERS), None)
    if large:
        return f"field '{large.name}' has {math.prod(large.shape):,} numbers a record, expected at most {MAX_NUMBERS:,}"
    if header.labels and len(header.labels) != batch:
        return f"it has {len(header.labels):,} labels for {batch:,} samples"
    return ""


def _of_states(shapes: dict[str, tuple[int, ...]], state: Sequence[int], card: _Card) -> str:
    rank = MODALITIES[card.modality].rank
    if len(state) != rank or max(state) > MAX_SIDE:
        return (
            f"a state of shape {shown(tuple(state))}, expected {rank} sides of at most {MAX_SIDE:,} of {card.modality}"
        )
    if card.shape and tuple(card.shape) != tuple(state):
        return f"its states have the shape {tuple(state)}, those of its card {card.shape}"
    other = next((name for name in STATES if shapes.get(name, shapes["xt"]) != shapes["xt"]), None)
    if other:
        return f"field '{other}' has the shape {shown(shapes[other])}, 'xt' has {shown(shapes['xt'])}"
    if card.decoded and (card.modality != "image" or len(card.decoded) != 3 or card.decoded[0] not in (1, 3)):
        return f"decoded is {card.decoded}, expected the channels, height and width of a picture"
    return ""


def _of_meaning(meaning: Meaning, card: _Card, shapes: dict[str, tuple[int, ...]], batch: int) -> str:
    """What a modality itself needs: its specification, and its own fields as it records them."""
    if card.modality == "audio":
        if card.audio is None:
            return "it does not say how its states become sound: audio is missing"
        if meaning.shape[0] != 1:
            return f"sounds have 1 channel, found {meaning.shape[0]}"
    if card.modality == "text":
        if card.text is None:
            return "it does not say what its tokens are: text is missing"
        channels = 1 if card.text.discrete else len(card.text.embedding[0])
        if meaning.shape[0] != channels:
            return f"texts of process '{card.text.process}' have {channels} channels, found {meaning.shape[0]}"
    try:
        extras: dict[str, Any] = {extra.name: (batch, *extra.shape) for extra in meaning.kind.extras(meaning)}
    except BadFile as error:
        return str(error)
    for name, shape in extras.items():
        if shapes.get(name, shape) != shape:
            return f"field '{name}' has the shape {shown(shapes[name])}, expected {shape}"
    return ""
