"""The folder of a sweep: sweep.json with what it is and how far it is, and a trace for each cell in cells/.

The traces are the truth: a cell is done when its trace is whole and of its request, whoever was killed when.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.errors import BadFile, BadInput
from diffstudio.files import write_bytes
from diffstudio.strangers import bounded_json, first_problem
from diffstudio.studio.sweep.axes import MAX_CELLS
from diffstudio.studio.sweep.sweep import Cell, Sweep
from diffstudio.traces.format import NOT_FINITE
from diffstudio.traces.reader import Trace
from diffstudio.user_files import exists, is_folder, read_regular

SWEEP, CELLS, GRID, TABLE = "sweep.json", "cells", "grid.png", "cells.csv"
MAX_BYTES = 64 << 20
MAX_PARTS = 2_000_000
State = Literal["waiting", "done", "interrupted", "failed", "refused"]


class CellState(BaseModel):
    """What became of a cell. file: its trace, within the folder.  problem: why it can't run, or has failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    values: dict[str, bool | int | float | str]
    state: State = "waiting"
    file: str = ""
    seconds: float | None = None
    nfe: int | None = None
    not_finite: bool = False
    problem: str = ""


class Kept(BaseModel):
    """The file sweep.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format_version: Literal[1] = 1
    sweep: Sweep
    cells: Annotated[tuple[CellState, ...], Field(max_length=MAX_CELLS)] = ()


@dataclass(frozen=True)
class SweepFolder:
    """Where a sweep lies."""

    path: Path

    def claim(self, sweep: Sweep) -> None:
        """See that the folder may be this sweep's: there is none yet, it is empty of sweeps, or it has this very one.

        Raises:
            BadInput: it has another sweep, or files of that name that are not one's.  BadFile: it can't be read.
        """
        file = self.path / SWEEP
        if not exists(file):
            if exists(self.path) and not is_folder(self.path):
                raise BadInput(f"--out: {self.path} is a file: a sweep is written into a folder")
            there = [name for name in (CELLS, GRID, TABLE) if exists(self.path / name)]
            if there:
                raise BadInput(f"--out: {self.path} has a {there[0]} already, but no {SWEEP}: choose another folder")
            return
        kept = _read(file)
        if kept.sweep != sweep:
            raise BadInput(
                f"--out: {self.path} has another sweep ({_unlike(kept.sweep, sweep)}): choose another folder"
            )

    def trace(self, cell: Cell) -> Path:
        """Where the trace of a cell lies."""
        return self.path / CELLS / f"{cell.number:05}.trace"

    def look(self, cell: Cell) -> CellState:
        """What is there of a cell."""
        if cell.plan is None:
            return CellState(values=cell.values, state="refused", problem=cell.problem)
        weights, request = cell.plan.entry.sha256, cell.plan.request.model_dump(mode="json")
        path = self.trace(cell)
        found = CellState(values=cell.values, file=f"{CELLS}/{path.name}")
        if not exists(path):
            return found
        try:
            with Trace.open(path) as trace:
                header = trace.header
                if not len(trace) or header.request != request:
                    return found
                if weights and header.checkpoint_sha256 not in ("", weights):  # a checkpoint that was trained on
                    return found
                last = len(trace) - 1
                facts: dict[str, Any] = {"seconds": round(trace.scalar(last, "seconds"), 4)}
                facts["nfe"] = int(trace.scalar(last, "nfe"))
                if trace.has_scalar(NOT_FINITE):
                    facts["not_finite"] = bool(trace.scalars(NOT_FINITE).any())
                return found.model_copy(update={"state": "done" if trace.complete else "interrupted", **facts})
        except BadFile:  # torn in its header: it is run again
            return found

    def keep(self, sweep: Sweep, states: Sequence[CellState]) -> None:
        """Write sweep.json. Raises: BadInput: it can't be written."""
        kept = Kept(sweep=sweep, cells=tuple(states))
        text = json.dumps(kept.model_dump(mode="json", exclude_defaults=True) | {"format_version": 1}, indent=1)
        write_bytes(self.path / SWEEP, text.encode())


def _read(file: Path) -> Kept:
    raw = read_regular(file, MAX_BYTES)
    try:
        found = bounded_json(raw, MAX_PARTS)
    except ValueError as error:
        raise BadFile(f"{file} is not JSON: it is damaged; choose another folder") from error
    version = found.get("format_version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > 1:
        raise BadFile(f"{file}: a sweep of version {version}, expected 1: go on with a newer DiffStudio")
    try:
        return Kept.model_validate(found)
    except ValidationError as error:
        raise BadFile(f"{file}: {first_problem(error.errors(), 'sweep')}") from error


def _unlike(kept: Sweep, asked: Sweep) -> str:
    """What tells two sweeps apart, in some words."""
    for what, sweep, other in (("has", kept, asked), ("lacks", asked, kept)):
        for axis in sweep.axes:
            if axis not in other.axes:
                return f"it {what} the axis {axis.field}={','.join(axis.labels)[:60]}"
    names = [name for name in {**kept.base, **asked.base} if kept.base.get(name) != asked.base.get(name)]
    return f"its {names[0]} is {kept.base.get(names[0])!r:.60}" if names else "its axes are in another order"
