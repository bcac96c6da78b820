"""Undo and redo of the sampling panel: the requests that were."""

from __future__ import annotations

import time
from collections.abc import Callable

from diffstudio.studio.request.request import Request

TOGETHER_SECONDS = 0.6  # changes that follow faster than this are one change: a slider that is dragged
DEPTH = 200


class RequestHistory:
    """The request that stands, those before it, and those that were taken back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: Request | None = None
        self._before: list[Request] = []
        self._after: list[Request] = []
        self._changed_at = -TOGETHER_SECONDS

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to make again."""
        return bool(self._after)

    def start(self, request: Request) -> None:
        """Begin here; what was before is forgotten."""
        self._now, self._before, self._after = request, [], []
        self.separate()

    def separate(self) -> None:
        """The next change is one of its own, however soon it comes."""
        self._changed_at = -TOGETHER_SECONDS

    def note(self, request: Request) -> None:
        """The request is another now."""
        if self._now is None or request == self._now:
            return
        at = self._clock()
        if at - self._changed_at > TOGETHER_SECONDS or not self._before:
            self._before = [*self._before, self._now][-DEPTH:]
        self._after.clear()
        self._now, self._changed_at = request, at

    def undo(self) -> Request | None:
        """The request before the last change; None if there is none."""
        return self._travel(self._before, self._after)

    def redo(self) -> Request | None:
        """The request after the change that was taken back last."""
        return self._travel(self._after, self._before)

    def _travel(self, back: list[Request], forth: list[Request]) -> Request | None:
        if not back or self._now is None:
            return None
        forth.append(self._now)
        self._now = back.pop()
        self.separate()
        return self._now
