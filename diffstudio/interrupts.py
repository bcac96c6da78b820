"""Ctrl+C, a request to end (SIGTERM) and a terminal that is closed (SIGHUP): what they do, from the first moment on.

A command is interrupted where it stands, so that what it holds is let go; within `interruptible` it is only asked to
stop, so that what is finished is kept. A second signal ends it at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Handler = Callable[[int, FrameType | None], None]
_received: list[int] = []  # the signals since `raising` began


class Interrupted(KeyboardInterrupt):
    """A signal has come."""


class Interrupt:
    """Whether a signal has come within `interruptible`; called, it answers."""

    def __init__(self) -> None:
        self.signal = 0

    def __call__(self) -> bool:
        return self.signal > 0

    @property
    def exit_code(self) -> int:
        """What a shell expects: 130 for Ctrl+C."""
        return 128 + self.signal

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        note(number)
        if self.signal:
            raise Interrupted
        self.signal = number


def note(number: int) -> None:
    """Somebody else, such as an event loop, has heard a signal."""
    _received.append(number)


def received() -> int:
    """The signal that has come, 0 without one."""
    return _received[0] if _received else 0


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Within, a signal raises `Interrupted` wherever the program is; while a module is loaded it ends the process.

    It is remembered, should somebody swallow that: an exception in a callback of the interpreter's own goes nowhere.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        note(number)
        if _importing(frame):
            sys.stderr.write("diffstudio: interrupted\n")
            leave(128 + number)
        raise Interrupted

    def unraisable(found: sys.UnraisableHookArgs) -> None:
        if not isinstance(found.exc_value, Interrupted):
            before(found)

    _received.clear()
    before, sys.unraisablehook = sys.unraisablehook, unraisable
    try:
        with _handled(handle):
            yield
    finally:
        sys.unraisablehook = before


@contextlib.contextmanager
def interruptible(interrupt: Interrupt | None = None) -> Iterator[Interrupt]:
    """Within, a signal only asks to stop, so that nothing is torn in the middle of a write; so does an earlier one."""
    interrupt = interrupt or Interrupt()
    interrupt.signal = interrupt.signal or received()
    with _handled(interrupt.handle):
        yield interrupt


@contextlib.contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """The handler of every signal that ends a program, unless whoever started it ignores them (nohup)."""
    heard = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    try:
        before = {number: signal.signal(number, handler) for number in heard}
    except ValueError:  # not in the main thread, where no signal comes
        before = {}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being loaded: a library in C++ that gets an exception there aborts the process."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def leave_at_once() -> None:
    """From now on a signal ends the process where it stands: an exception while Qt is loaded would abort it."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, frame: leave(128 + number))


def leave(code: int) -> NoReturn:
    """End the process now: what is temporary is removed, nothing else is waited for, no thread and no library."""
    scratch = sys.modules.get("diffstudio.scratch")
    if scratch is not None:
        scratch.remove_own()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)
