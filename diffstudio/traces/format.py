"""The trace file: what is in it and where.

    magic (8) · header length (u32) · header crc32 (u32) · header (JSON) · record · record · …
    record = magic (4) · payload length (u32) · payload crc32 (u32) · zero (u32) · payload
    payload = the scalars as float64, then each field's array in its dtype, little-endian, C order

Every record has the same length, so record k is found by arithmetic; a torn tail is a record that is not complete.
"""

from __future__ import annotations

import itertools
import math
import struct
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from diffstudio.errors import BadFile
from diffstudio.strangers import bounded_json, first_problem

MAGIC = b"DSTRACE1"
RECORD_MAGIC = b"STEP"
PREFIX = struct.Struct("<8sII")
RECORD = struct.Struct("<4sIII")
MAX_HEADER = 4 << 20
MAX_MASK = 1 << 20  # characters
MAX_PARTS = 1_500_000  # of its JSON: a million samples have as many labels
MAX_PAYLOAD = 2**32 - 1
ITEM_BYTES = {"float32": 4, "float16": 2}

# What every step carries. chain: 0 forward, 1 reverse; step: its true number in the chain; dx_norm, x0_change: RMS over
# the batch of ‖x_k − x_{k−1}‖ and ‖x̂0_k − x̂0_{k−1}‖; eps_norm: of ‖ε̂‖; seconds: wall time since the run began.
SCALARS = ("chain", "step", "t", "a", "s", "log_snr", "nfe", "dx_norm", "eps_norm", "x0_change", "seconds")
NOT_FINITE = "not_finite"  # how many samples have a value in this record, as it is stored, that is not finite
RECORDED = (*SCALARS, NOT_FINITE)  # what is written today; a header without a list has the scalars above

MAX_RECORDS = 200_002  # of a chain: a run has at most 100,000 steps
MAX_BATCH = 1_000_000
MAX_NUMBERS = 1 << 25  # of one field of a record: more can't be shown, and a run of more is refused before it begins

_STRICT = ConfigDict(frozen=True, extra="forbid")
ShortText = Annotated[str, Field(max_length=1000)]
Label = Annotated[int, Field(ge=-(10**6), le=10**6)]
Count = Annotated[int, Field(ge=1, le=10**9)]


class FieldSpec(BaseModel):
    """One array of every record; `shape` includes the batch: (16, 1, 28, 28)."""

    model_config = _STRICT
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    shape: Annotated[tuple[Count, ...], Field(min_length=1, max_length=8)]
    dtype: Literal["float32", "float16"] = "float32"
    unit: ShortText = ""

    @property
    def nbytes(self) -> int:
        """Size of the array in a record."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


class MaskSpec(BaseModel):
    """What of the states was drawn anew: levels of 0 to 255 as base64 of their zlib stream.

    shape: without the batch where it is the same for all samples, else with it; it broadcasts to the states, of a
    latent model to its pictures.
    """

    model_config = _STRICT
    shape: Annotated[tuple[Count, ...], Field(min_length=1, max_length=6)]
    levels: Annotated[str, Field(max_length=MAX_MASK)]


class ChainSpec(BaseModel):
    """A chain that the run records, and how many records it will have when complete."""

    model_config = _STRICT
    name: Literal["forward", "reverse"]
    records: Annotated[int, Field(ge=1, le=MAX_RECORDS)]


class TraceHeader(BaseModel):
    """What a trace says of itself: enough to show it without the model.

    sha256: of the files that made it: "checkpoint", "guide", "source", "mask".  notes: what was done to the source.
    """

    model_config = _STRICT
    format_version: Literal[1] = 1
    created: ShortText
    request: dict[str, Any]
    card: dict[str, Any]
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1, max_length=16)]
    scalars: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-zA-Z0-9_ ]{1,40}$")], ...], Field(max_length=64)] = (
        SCALARS
    )
    chains: Annotated[tuple[ChainSpec, ...], Field(min_length=1, max_length=2)]
    versions: Annotated[dict[str, ShortText], Field(max_length=100)] = {}
    device: ShortText = ""
    checkpoint_sha256: ShortText = ""
    sha256: Annotated[dict[str, ShortText], Field(max_length=100)] = {}
    notes: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=20)] = ()
    mask: MaskSpec | None = None
    labels: Annotated[tuple[Label | None, ...], Field(max_length=MAX_BATCH, fail_fast=True)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> TraceHeader:
        missing = {"chain", "step", "t", "a", "s", "log_snr"} - set(self.scalars)
        if missing:
            raise ValueError(f"the scalars lack {', '.join(sorted(missing))}")
        for what, names in (
            ("fields", [f.name for f in self.fields]),
            ("scalars", self.scalars),
            ("chains", [c.name for c in self.chains]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} share a name")
        if len({f.shape[0] for f in self.fields}) > 1:
            raise ValueError("the fields have different batch sizes")
        if self.payload_bytes > MAX_PAYLOAD:
            raise ValueError(f"a record would take {self.payload_bytes} bytes, expected at most {MAX_PAYLOAD}")
        return self

    @property
    def order(self) -> tuple[int, ...]:
        """Where each chain's records end: record k is of the first chain for which k is less."""
        return tuple(itertools.accumulate(c.records for c in self.chains))

    @property
    def payload_bytes(self) -> int:
        """Size of a record without its 16 bytes of framing."""
        return 8 * len(self.scalars) + sum(f.nbytes for f in self.fields)

    @property
    def record_bytes(self) -> int:
        """Stride of the records."""
        return RECORD.size + self.payload_bytes

    @property
    def total_records(self) -> int:
        """Records of all chains when the run is complete."""
        return sum(c.records for c in self.chains)

    @property
    def total_bytes(self) -> int:
        """Size of all records when the run is complete."""
        return self.total_records * self.record_bytes

    def offset_of(self, name: str) -> int:
        """Where a field begins in the payload.

        Raises:
            KeyError: no such field.
        """
        offset = 8 * len(self.scalars)
        for spec in self.fields:
            if spec.name == name:
                return offset
            offset += spec.nbytes
        raise KeyError(f"this trace has no field '{name}': it has {', '.join(f.name for f in self.fields)}")


def parse_header(raw: bytes, where: str) -> TraceHeader:
    """The header from its JSON.

    Raises:
        BadFile: not JSON, a newer format, or a field out of its bounds.
    """
    try:
        found = bounded_json(raw, MAX_PARTS)
    except ValueError as error:
        raise BadFile(f"{where}: the trace header is not JSON; the file is damaged") from error
    version = found.get("format_version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > 1:
        raise BadFile(f"{where}: trace format {version}, expected 1: open it with a newer DiffStudio")
    try:
        return TraceHeader.model_validate(found)
    except ValidationError as error:
        raise BadFile(f"{where}: {first_problem(error.errors(), 'header')}") from error
