"""Stored results of the proofs, as `diffstudio verify --json` writes them; without torch."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import BadFile
from diffstudio.strangers import first_problem

MAX_BYTES = 4 << 20


class StoredRow(BaseModel):
    """One proven number; judged: whether it counts, times of a machine do not."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str
    measured: float
    expected: float
    within: float | None = None
    note: str = ""
    ok: bool
    judged: bool = True


class StoredProof(BaseModel):
    """A group of rows; skipped: why it was not run, or ""."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    title: str
    seconds: float = 0.0
    skipped: str = ""
    rows: tuple[StoredRow, ...] = Field((), max_length=10_000)


class Stored(BaseModel):
    """All proofs, when they were run and with what."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    date: str = ""
    versions: dict[str, str] = {}
    proofs: tuple[StoredProof, ...] = Field((), max_length=1000)


def read(path: Path) -> Stored:
    """The results of a file.

    Raises:
        BadFile: it is not there, or not what `verify --json` writes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(f"{path} is too large for results of the proofs: expected {MAX_BYTES:,} bytes at most")
        return Stored.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadFile(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        raise BadFile(f"{path} holds no results of the proofs: {first_problem(error.errors(), 'the file')}") from error
