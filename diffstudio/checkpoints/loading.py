"""Loading weights can take long: whoever reads them tells how far it is, and stops when nobody waits any more.

with watched(tell, stop):
    card_and_weights(path)
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

from diffstudio.cancelling import Cancelled, check_cancelled

BLOCK = 16 << 20  # bytes between two looks at whether the weights are still wanted
Tell = Callable[[float], None]
Stop = Callable[[], bool]
_watcher: ContextVar[tuple[Tell, Stop] | None] = ContextVar("watcher", default=None)


class Left(Cancelled):
    """Nobody wants the weights any more."""


@contextlib.contextmanager
def watched(tell: Tell, stop: Stop) -> Iterator[None]:
    """What is read within tells its share that is done, 0 to 1, and ends with `Left` once `stop` is true."""
    token = _watcher.set((tell, stop))
    try:
        yield
    finally:
        _watcher.reset(token)


def told(done: float, total: float) -> None:
    """So much is read. Raises: Left."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher[0](min(1.0, done / total) if total else 0.0)
        if watcher[1]():
            raise Left


def still_wanted() -> None:
    """Nothing new is read, but the weights may not be wanted any more. Raises: Left, Cancelled."""
    check_cancelled()
    watcher = _watcher.get()
    if watcher is not None and watcher[1]():
        raise Left


def read_bytes(path: Path) -> bytes:
    """All of a file. Raises: OSError, Left."""
    out = io.BytesIO()  # gives its bytes away without a copy
    with path.open("rb") as stream:
        size = path.stat().st_size
        while block := stream.read(BLOCK):
            out.write(block)
            told(out.tell(), size)
    return out.getvalue()
