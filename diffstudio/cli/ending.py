"""How a command ends: what it says on standard error, and its exit code."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from diffstudio.errors import DiffStudioError
from diffstudio.interrupts import raising, received

if TYPE_CHECKING:
    from diffstudio.headless import Outcome


def end(outcome: Outcome) -> int:
    """Say what was kept of an interrupted run; the exit code."""
    if outcome.note:
        say(outcome.note)
    return outcome.exit_code


def say(sentence: str, code: int = 2) -> int:
    """One sentence on standard error, if that is still there; gives the exit code back."""
    import click  # the window starts without it

    with contextlib.suppress(OSError):  # the terminal was closed
        click.echo(f"diffstudio: {' '.join(sentence.split())}", err=True)
    return code


def exit_code(run: Callable[[], object]) -> int:
    """Run and give the exit code: 0 or what it returned, 2 with one sentence on stderr, or 128 + the signal.

    A signal is one whatever became of it: libraries take the exception for a broken file, or for a module that is
    missing.
    """
    with raising():
        try:
            code = run()
        except BaseException as error:
            if received() or isinstance(error, KeyboardInterrupt):
                return say("interrupted", 128 + (received() or signal.SIGINT))
            if isinstance(error, DiffStudioError):
                return say(str(error))
            if isinstance(error, MemoryError):
                return say("there is not enough memory: use fewer samples or a smaller scale")
            raise
        ended = code if isinstance(code, int) else 0
        if received() and ended <= 128:  # somebody has swallowed the exception
            return say("interrupted", 128 + received())
        return ended
