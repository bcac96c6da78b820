"""The command line: the window, and the same work without a screen.

Nothing heavy is imported before a command needs it: `--help` and `models` know neither torch nor Qt, and the window
knows nothing of the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # it would search every installed package for them at each start


def run_cli(args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 with one sentence on stderr, 3 not finite, 130 interrupted."""
    from diffstudio.cli.ending import exit_code
    from diffstudio.cli.streams import make_tolerant

    make_tolerant()
    given = sys.argv[1:] if args is None else args

    def run() -> object:
        if not given:  # the window, without the commands: to import them is a twentieth of its start
            from diffstudio.cli.window import run_window

            return run_window([])
        from diffstudio.cli.commands import run_command

        return run_command(given)

    return exit_code(run)


def main() -> NoReturn:
    """The console command."""
    from diffstudio.interrupts import leave, leave_at_once

    code = run_cli()
    if code > 128:  # interrupted: libraries that were being loaded would wait, or abort, on a usual way out
        leave(code)
    leave_at_once()
    sys.exit(code)
