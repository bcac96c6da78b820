"""Run a sweep: cell after cell in one engine, each into its trace; what is done already is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffstudio.errors import BadInput, DiffStudioError, NoRoom
from diffstudio.studio.app.memory import size
from diffstudio.studio.sweep.folder import CELLS, CellState, SweepFolder
from diffstudio.studio.sweep.sweep import Cell, Sweep

if TYPE_CHECKING:
    from diffstudio.studio.engine import Engine

SAVE_SECONDS = 1.0  # between two writes of sweep.json: it grows with the cells, the traces are the truth


@dataclass(frozen=True)
class Cost:
    """Of what is still to be run. calls: of the network, times samples.  seconds: about, None where it is not known."""

    cells: int
    calls: int
    network_calls: int
    bytes: int
    seconds: float | None

    @property
    def sentence(self) -> str:
        """In words."""
        about = "" if self.seconds is None else f", about {self.seconds:.0f} s"
        return f"{self.network_calls:,} network calls, {size(self.bytes)} on the disk{about}"


@dataclass(frozen=True)
class Now:
    """How far a sweep is. done, total: network calls × samples.  left: seconds, None where it is not known yet.

    cells: how many are done of this run, of `of`.  cell: the one that runs.
    """

    done: float
    total: float
    left: float | None
    cells: int
    of: int
    cell: Cell
    rate: float = 0.0  # of `done` a second


def cost(engine: Engine, cells: Sequence[Cell]) -> Cost:
    """What running these cells takes, from their plans."""
    plans = [cell.plan for cell in cells if cell.plan is not None]
    each = [engine.estimate_seconds(plan.request, plan) for plan in plans]
    known = [seconds for seconds in each if seconds is not None]
    return Cost(
        len(plans),
        sum(plan.network_calls * plan.request.samples for plan in plans),
        sum(plan.network_calls for plan in plans),
        sum(plan.total_bytes for plan in plans),
        sum(known) if len(known) == len(each) else None,
    )


class Running:
    """The cells of a sweep and their states while it runs."""

    def __init__(self, engine: Engine, sweep: Sweep, cells: Sequence[Cell], folder: SweepFolder) -> None:
        self.engine, self.sweep, self.cells, self.folder = engine, sweep, cells, folder
        self.states: list[CellState] = [folder.look(cell) for cell in cells]
        self._saved = 0.0

    @property
    def waiting(self) -> list[Cell]:
        """What is still to be run; the cells of a checkpoint follow each other, so that it is loaded once."""
        found = [cell for cell, state in zip(self.cells, self.states, strict=True) if state.state not in _ENDED]
        return sorted(found, key=lambda cell: str(cell.values.get("model", "")))

    def count(self, state: str) -> int:
        """How many cells are in a state."""
        return sum(one.state == state for one in self.states)

    def begin(self, budget: int) -> Cost:
        """Make the folder; says what the rest costs.

        Raises:
            NoRoom: the traces take more than the budget.  BadInput: the folder can't be made.
        """
        needed = cost(self.engine, self.waiting)
        if needed.bytes > budget:
            raise NoRoom(
                f"the traces of {needed.cells:,} cells take {size(needed.bytes)}, at most {size(budget)} are allowed: "
                "give a larger --budget, or --half, --every, --forward off, or fewer samples or cells"
            )
        try:
            (self.folder.path / CELLS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"can't make the folder {self.folder.path}: {error.strerror}") from error
        self.folder.keep(self.sweep, self.states)
        return needed

    def run(self, budget: int, stop: Callable[[], bool]) -> Iterator[Now]:
        """Run what waits, one cell after the other; a cell that fails says why and the rest goes on.

        Once `stop` is true the cell that runs keeps what it has, and nothing more is begun.
        """
        waiting = self.waiting
        weights = {cell.number: _weight(cell) for cell in waiting}
        total, done, begun = sum(weights.values()), 0.0, time.monotonic()
        for place, cell in enumerate(waiting):
            if stop() or cell.request is None:
                break
            problem = ""
            try:
                for now in self.engine.run(cell.request, self.folder.trace(cell), budget, stop):
                    part = done + weights[cell.number] * now.done / max(1, now.total)
                    spent = time.monotonic() - begun
                    rate = part / spent if spent else 0.0
                    left = (total - part) / rate if rate else None
                    yield Now(part, total, left, place, len(waiting), cell, rate)
            except DiffStudioError as error:
                problem = str(error)
            done += weights[cell.number]
            state = self.folder.look(cell)
            if problem:
                state = state.model_copy(update={"state": "failed", "problem": problem})
            self.states[cell.number] = state
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self.save()
        self.save()

    def save(self) -> None:
        """Write how far it is."""
        self.folder.keep(self.sweep, self.states)
        self._saved = time.monotonic()


_ENDED = ("done", "refused")


def _weight(cell: Cell) -> float:
    return 0.0 if cell.plan is None else float(max(1, cell.plan.network_calls) * cell.plan.request.samples)
