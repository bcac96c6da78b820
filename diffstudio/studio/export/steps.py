"""The steps of an export: counted, told, and stopped between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


class Stopped(Exception):
    """The user stopped the export."""


class Steps:
    """Counts what is done, tells progress, and stops."""

    def __init__(self, progress: Callable[[int, int], None] | None, stop: Callable[[], bool]) -> None:
        self._progress, self._stop = progress, stop
        self.done = 0
        self.total = 1

    def over(self, items: Sequence[int]) -> Iterator[int]:
        """The items, one step each."""
        self.total = len(items)
        for item in items:
            if self._stop():
                raise Stopped
            yield item
            self.tick()

    def tick(self) -> None:
        """One more is done."""
        if self._stop():
            raise Stopped
        self.done += 1
        if self._progress:
            self._progress(min(self.done, self.total), self.total)
