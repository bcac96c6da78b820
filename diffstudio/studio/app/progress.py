"""How far a run is."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a run is: computed steps of both chains, records in the trace, seconds, and what is left (None: unknown).

    done: steps computed so far, of `total`. steps_per_second: of the reverse chain, lately.
    """

    done: int
    total: int
    records: int
    seconds: float
    eta: float | None
    steps_per_second: float


class Clock:
    """Time of a run: what is left and how fast it goes."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = time.monotonic()
        self._first: tuple[float, int] | None = None

    def since_first_call(self, nfe: int) -> float | None:
        """Seconds a network call, leaving the first ones (which warm caches) out; None until there are two."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, nfe)
            return None
        begun, calls = self._first
        return (now - begun) / (nfe - calls) if nfe > calls else None

    def progress(self, done: int, records: int) -> Progress:
        seconds = time.monotonic() - self._begun
        rate = done / seconds if seconds > 0 else 0.0
        eta = (self._total - done) / rate if rate > 0 and done >= 2 else None
        return Progress(done, self._total, records, seconds, eta, rate)
