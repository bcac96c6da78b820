"""`diffstudio train` and `diffstudio tour`: what makes checkpoints and screenshots."""

from __future__ import annotations

from pathlib import Path

import click

from diffstudio.cli.ending import end
from diffstudio.errors import BadInput
from diffstudio.interrupts import leave_at_once


@click.command(short_help="Train a network from a recipe.")
@click.argument("recipe", metavar="RECIPE.toml")
@click.option("--out", required=True, metavar="FILE", help="The checkpoint, FILE.safetensors.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda:0, mps …")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads that may be used.  [torch decides]")
def train(recipe: str, out: str, device: str, threads: int | None) -> int:
    """Train a network as RECIPE.toml says and write its checkpoints.

    Those that the recipe saves on the way are written beside FILE as NAME@STEP. Ctrl+C keeps what is saved.

    \b
    Example:
      diffstudio train resources/recipes/digits.toml --out digits.safetensors
    """
    from diffstudio.headless import train as run

    outcome = run(Path(recipe), Path(out), device, threads or 0)
    for path in outcome.files:
        click.echo(path)
    return end(outcome)


@click.command(short_help="Drive the real window without a screen; write screenshots.")
@click.option("--out", required=True, metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def tour(out: Path) -> int:
    """Drive the real window through its main job, without a screen; write screenshots and timings.json into DIR.

    \b
    Example:
      diffstudio tour --out tour
    """
    from diffstudio.gui.shell.load_qt import load_qt

    leave_at_once()
    try:
        load_qt()
        from diffstudio.gui.tour import run_tour  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise BadInput(f"the window can't be opened here: {error}") from error
    return run_tour(out) or 0
