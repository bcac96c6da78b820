"""Whether what is being read or computed is still wanted: asked between two pieces of it, wherever that is.

with cancellable(stop):
    load_source(path, meaning)  # raises Cancelled soon after `stop` has become true
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

Stop = Callable[[], bool]
_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


class Cancelled(BaseException):
    """Nobody wants the answer any more. No Exception, so that nobody takes it for a broken file."""


@contextlib.contextmanager
def cancellable(stop: Stop) -> Iterator[None]:
    """What is done within ends with `Cancelled` once `stop` is true."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def check_cancelled() -> None:
    """Go on, or not. Raises: Cancelled."""
    stop = _stop.get()
    if stop is not None and stop():
        raise Cancelled
