"""How a command ends: what it says on standard error, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from diffstudio.headless import Outcome


def end(outcome: Outcome) -> int:
    """Say what was kept of an interrupted run; the exit code."""
    if outcome.note:
        say(outcome.note)
    return outcome.exit_code


def say(sentence: str, code: int = 2) -> int:
    """One sentence on standard error; gives the exit code back."""
    click.echo(f"diffstudio: {' '.join(sentence.split())}", err=True)
    return code
