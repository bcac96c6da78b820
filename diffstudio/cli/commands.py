"""The commands that the command line knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from diffstudio import __version__
from diffstudio.cli.carding import card
from diffstudio.cli.judging import likelihood, verify
from diffstudio.cli.making import tour, train
from diffstudio.cli.models import models
from diffstudio.cli.running import forward, sample
from diffstudio.cli.runs import runs
from diffstudio.cli.sweeping import sweep as sweep_command
from diffstudio.cli.window import run_window
from diffstudio.errors import BadInput
from diffstudio.scratch import sweep
from diffstudio.user_files import exists


class _Commands(click.Group):
    """Commands, or files to open in the window."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and (Path(args[0]).suffix or exists(Path(args[0]))):
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
def cli(ctx: click.Context) -> int | None:
    """A desktop microscope for diffusion models: generate, and look at every step of both chains.

    \b
    Examples:
      diffstudio                                  the window
      diffstudio models                           what can be sampled
      diffstudio sample digits --out digits.png   sixteen digits
    """
    return run_window([]) if ctx.invoked_subcommand is None else None


@click.command("open", hidden=True)
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def _open(files: tuple[Path, ...]) -> int:
    """Open files in the window."""
    return run_window(files)


for _command in (models, card, sample, forward, sweep_command, runs, likelihood, train, verify, tour):
    cli.add_command(_command)


def run_command(args: Sequence[str]) -> object:
    """Run a command; gives back what it returned.

    Raises:
        BadInput: click understands the words otherwise.  KeyboardInterrupt: also where click was asked and left.
    """
    sweep()
    try:
        return cli.main(args=list(args), prog_name="diffstudio", standalone_mode=False)
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        raise BadInput(error.format_message()) from error
