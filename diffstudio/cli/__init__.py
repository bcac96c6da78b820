"""The command line: the window, and the same work without a screen.

Nothing heavy is imported before a command needs it: `--help` and `models` know neither torch nor Qt.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from diffstudio import __version__
from diffstudio.cli.ending import say
from diffstudio.cli.judging import likelihood, verify
from diffstudio.cli.making import tour, train
from diffstudio.cli.models import models
from diffstudio.cli.running import forward, sample
from diffstudio.errors import BadInput, DiffStudioError


class _Commands(click.Group):
    """Commands, or files to open in the window."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and (Path(args[0]).suffix or Path(args[0]).exists()):
            return "open", _open, args
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without a command the window opens, with FILEs (traces, checkpoints, pictures) in it: diffstudio run.trace",
)
@click.version_option(__version__, prog_name="diffstudio", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A desktop microscope for diffusion models: generate, and look at every step of both chains.

    \b
    Examples:
      diffstudio                                  the window
      diffstudio models                           what can be sampled
      diffstudio sample digits --out digits.png   sixteen digits
    """
    if ctx.invoked_subcommand is None:
        _window([])


@click.command("open", hidden=True)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def _open(files: tuple[Path, ...]) -> None:
    """Open files in the window."""
    _window(files)


def _window(files: Sequence[Path]) -> NoReturn:
    from diffstudio.gui.display import missing_display
    from diffstudio.gui.load_qt import load_qt

    if reason := missing_display():
        raise BadInput(
            f"there is no display: {reason}; `diffstudio tour --out DIR` takes pictures of the window without one, "
            "the commands work without a screen"
        )
    gc.disable()  # nothing of a start is garbage; `run_app` enables it again
    try:
        load_qt()
        from diffstudio.gui.startup import run_app
    except ImportError as error:
        raise BadInput(f"the window can't be opened here: {error}") from error
    sys.exit(run_app([str(path) for path in files]))


for _command in (models, sample, forward, likelihood, train, verify, tour):
    cli.add_command(_command)


def run_cli(args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 with one sentence on stderr, or 130 when interrupted."""
    try:
        code = cli.main(args=None if args is None else list(args), prog_name="diffstudio", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return say("interrupted", 130)
    except click.ClickException as error:
        return say(error.format_message())
    except DiffStudioError as error:
        return say(str(error))
    except MemoryError:
        return say("there is not enough memory: use fewer samples or a smaller scale")
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The console command."""
    sys.exit(run_cli())
