"""What a row of the tables holds. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...


Row = TypeVar("Row", bound=Named)


@dataclass(frozen=True)
class Param:
    """One number of an option, with its bounds (inclusive) and one sentence for the tooltip."""

    name: str
    label: str
    default: float
    low: float
    high: float
    tip: str
    step: float = 0.05
    integer: bool = False


@dataclass(frozen=True)
class SolverOption:
    """A reverse-chain solver.

    order: the convergence order that it shows, None for one that draws noise.
    evals_per_step: network calls of a step; None where the solver decides (adaptive).
    evals_at_start: calls that a multistep method makes on top of these, once, to start at its order.
    noise: how a stochastic one draws by default, None for a deterministic one.
    needs: what the network must give: "range", a learned variance beside x̂0; "tokens", the chances of each token.
    """

    name: str
    label: str
    tip: str
    order: int | None
    evals_per_step: int | None = 1
    stochastic: bool = False
    params: tuple[Param, ...] = ()
    noise: Literal["fresh", "brownian"] | None = None
    needs: Literal["range", "tokens"] | None = None
    evals_at_start: int = 0


@dataclass(frozen=True)
class PathOption:
    """A family x_t = a(t)·x_0 + s(t)·ε.

    table: it has integer training steps (a table of betas or of α), which some grids need.
    needs: "betas", a table that comes with the path's name and numbers.
    """

    name: str
    label: str
    tip: str
    params: tuple[Param, ...] = ()
    table: bool = False
    needs: Literal["betas"] | None = None


@dataclass(frozen=True)
class GridOption:
    """Which times the steps visit.

    needs: "table", a path with integer training steps; "times", the user's own list; "shape", that of one sample.
    """

    name: str
    label: str
    tip: str
    params: tuple[Param, ...] = ()
    needs: Literal["table", "times", "shape"] | None = None


@dataclass(frozen=True)
class NetworkOption:
    """What stands behind a denoiser.

    trained: False for a distribution that is known exactly, with nothing to learn.
    foreign: another tool's network, whose checkpoints are opened but not trained here.
    """

    name: str
    label: str
    tip: str
    trained: bool = True
    foreign: bool = False


@dataclass(frozen=True)
class Choice:
    """A named alternative with nothing to set, or with a few numbers."""

    name: str
    label: str
    tip: str
    params: tuple[Param, ...] = ()


def by_name(*rows: Row) -> dict[str, Row]:
    """The rows as a table, in their order."""
    return {row.name: row for row in rows}
