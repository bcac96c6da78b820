"""How far a run is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from diffstudio.analysis.health import NotFinite


@dataclass(frozen=True)
class Work:
    """A chain's steps, and the network calls that all of them take; a guess where `known` is false."""

    chain: str
    steps: int
    calls: int
    known: bool = True


@dataclass(frozen=True)
class Progress:
    """How far a run is: steps, records in the trace, seconds, and what is left of them (None: unknown).

    done: steps so far, of `total`; only of chains that ask the network, where one does: the others cost no time.
    steps_per_second: of the chain that goes, lately.  chain, step, t: the newest state.
    not_finite: the first record with values that are not.  remark: what the solver could not do as it was asked; both
    stay once they are there.
    """

    done: int
    total: int
    records: int
    seconds: float
    eta: float | None
    steps_per_second: float
    chain: str = ""
    step: int = 0
    t: float = 0.0
    not_finite: NotFinite | None = None
    remark: str = ""


class Clock:
    """Time of a run: what is left and how fast it goes, by the network calls of each chain after its first.

    The first call waits for what is loaded and warms caches: it is left out.
    """

    def __init__(self, work: Sequence[Work]) -> None:
        """work: of all chains in their order. Where none asks the network, the steps are what costs time."""
        self._asking = any(part.calls for part in work)
        self._work = [part if part.calls else Work(part.chain, part.steps, part.steps) for part in work]
        self._work = [part for part, given in zip(self._work, work, strict=True) if given.calls or not self._asking]
        self._begun = time.monotonic()
        self._at, self._step, self._calls = 0, 0, 0  # the chain of `work` that goes, its newest step, calls in it
        self._first: tuple[float, int, int] | None = None  # seconds, step and calls when its counting began
        self.seconds_a_call: float | None = None  # None until there are two
        self.steps_per_second = 0.0

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._begun

    @property
    def done(self) -> int:
        """Steps that are made, of `total`."""
        return sum(part.steps for part in self._work[: self._at]) + self._step

    @property
    def total(self) -> int:
        """Steps of the run."""
        return sum(part.steps for part in self._work)

    @property
    def eta(self) -> float | None:
        """Seconds that are left; None until there is something to judge by."""
        if self.seconds_a_call is None:
            return None
        here = self._work[self._at]
        left = here.calls - self._calls
        if not here.known and self._step:
            left = self._calls * (here.steps - self._step) / self._step
        left += sum(part.calls for part in self._work[self._at + 1 :])
        return self.seconds_a_call * max(0, left)

    def count(self, chain: str, step: int, nfe: int) -> None:
        """A state is there: its chain and step, and the network calls that were made in that chain so far."""
        now, names = self.seconds, [part.chain for part in self._work]
        if chain not in names:
            return
        calls = nfe if self._asking else step
        if self._at != names.index(chain):
            self._at, self._first = names.index(chain), None
        if self._first is None:
            self._first = (now, step, calls) if calls or not self._asking else None
        elif calls > self._calls and now > self._first[0]:  # a step without a call, to the data, takes no time
            begun, first_step, first_calls = self._first
            self.steps_per_second = (step - first_step) / (now - begun)
            self.seconds_a_call = (now - begun) / (calls - first_calls)
        self._step, self._calls = step, calls
