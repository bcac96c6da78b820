"""How a command ends: what it says on standard error, and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from diffstudio.errors import DiffStudioError

if TYPE_CHECKING:
    from diffstudio.headless import Outcome


def end(outcome: Outcome) -> int:
    """Say what was kept of an interrupted run; the exit code."""
    if outcome.note:
        say(outcome.note)
    return outcome.exit_code


def say(sentence: str, code: int = 2) -> int:
    """One sentence on standard error; gives the exit code back."""
    import click  # the window starts without it

    click.echo(f"diffstudio: {' '.join(sentence.split())}", err=True)
    return code


def exit_code(run: Callable[[], object]) -> int:
    """Run and give the exit code: 0 or what it returned, 2 with one sentence on stderr, or 130 when interrupted."""
    try:
        code = run()
    except KeyboardInterrupt:
        return say("interrupted", 130)
    except DiffStudioError as error:
        return say(str(error))
    except MemoryError:
        return say("there is not enough memory: use fewer samples or a smaller scale")
    return code if isinstance(code, int) else 0
