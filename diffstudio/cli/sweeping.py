"""`diffstudio sweep`: one request over axes, a run for every cell, without a screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffstudio import options
from diffstudio.cli.ending import say
from diffstudio.cli.options import sweep_options
from diffstudio.cli.streams import echo_json

if TYPE_CHECKING:
    from diffstudio.studio.sweep.running import Running

_FILES = """\b
Into FOLDER go:
  sweep.json              what the sweep is, and how far each cell is
  cells/00000.trace …     the run of each cell, which opens in the window
  grid.png                the last step of every cell, labelled
  cells.csv               values, state, seconds, NFE, distance to the first
\b
Exit code:
  0  done
  2  refused, or a cell has failed, with a sentence on standard error
  3  done and written, but some values are not finite (NaN or ∞)
  130  interrupted; the same command goes on from there
"""


@click.command(epilog=_FILES, short_help="Generate over axes: solvers, steps, seeds, checkpoints …")
@sweep_options
@click.option("--forward", type=click.Choice(list(options.FORWARD_MODES)), help="The forward chain beside.  [fixed]")
@click.option(
    "--over", multiple=True, required=True, metavar="FIELD=VALUES",
    help="An axis, up to four: steps=4,8,16  seed=0..7  guidance=1..7:2  steps=4..64x2  label=each  model=digits@*",
)  # fmt: skip
@click.option("--out", required=True, metavar="FOLDER", help="Where the sweep goes, or goes on.")
def sweep(over: tuple[str, ...], out: str, **given: Any) -> int:
    """Run MODEL once for every combination of the values that --over gives; all other options are those of `sample`.

    The same command again goes on where it was interrupted or killed: what is done is not done again. The last axis
    runs along the columns of the grid, the one before it along the rows, others are blocks.

    \b
    Examples:
      diffstudio sweep digits --over solver=ddim,heun --over steps=4,8 --out s
      diffstudio sweep digits --over label=each --over guidance=1..7:2 --out g
      diffstudio sweep digits --over model=digits@* --over seed=0..3 --out m
      diffstudio sweep shapes-2d --over solver-param.eta=0,0.5,1 --out eta
    """
    from diffstudio.cli.finding import catalog, check_files
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.request.parse import parse_size
    from diffstudio.studio.sweep.axes import parse_axis
    from diffstudio.studio.sweep.folder import SweepFolder
    from diffstudio.studio.sweep.running import Running
    from diffstudio.studio.sweep.sweep import make_cells, make_sweep

    if not out.strip():
        raise click.UsageError("--out: give a folder")
    check_files(given)
    looks = {name: given.pop(name) for name in ("tensor", "scale", "budget", "as_json")}
    budget = parse_size(looks["budget"])
    engine = Engine(catalog())
    engine.catalog.find(given["model"])
    asked = make_sweep(
        {**given, "kind": "sample"}, tuple(parse_axis(text, engine.catalog, given["model"]) for text in over)
    )
    folder = SweepFolder(Path(out))
    folder.claim(asked)
    running = Running(engine, asked, make_cells(engine, asked), folder)
    _say_refused(running)
    code, note = _run(running, budget)
    files = []
    if not note:
        from diffstudio.studio.sweep.results import write_grid, write_table

        files = [write_table(running), write_grid(running, looks["tensor"], looks["scale"])]
        code = _judged(running)
    if looks["as_json"]:
        states = [state.model_dump(mode="json") for state in running.states]
        summary = {"out": str(folder.path), "files": [str(file) for file in files], "interrupted": bool(note)}
        echo_json(summary | {"axes": asked.model_dump(mode="json")["axes"], "cells": states})
    elif not note:
        click.echo(f"{folder.path}: {running.count('done'):,} of {asked.count:,} cells")
    if note:
        say(note)
    return code


def _run(running: Running, budget: int) -> tuple[int, str]:
    """Run what waits: the exit code, and a sentence where a signal has ended it."""
    from diffstudio.bar import Bar
    from diffstudio.interrupts import Interrupt, interruptible

    waiting, total = len(running.waiting), len(running.cells)
    if waiting:
        running.engine.warm_up()
        running.engine.calibrate()
    cost = running.begin(budget)
    if not waiting:
        return 0, ""
    done = running.count("done")
    before = f", {done:,} are done already" if done else ""
    say(f"{waiting:,} of {total:,} cells to run{before}: {cost.sentence}")
    interrupt = Interrupt()
    with Bar("sweep") as bar, interruptible(interrupt):
        for now in running.run(budget, interrupt):
            bar.show(int(now.done), int(now.total), f"cell {now.cells + 1}/{now.of}", now.left, now.rate)
    left = len([cell for cell in running.waiting if running.states[cell.number].state != "failed"])
    if interrupt() and left:
        kept = f"{running.count('done'):,} of {total:,} cells are done"
        return interrupt.exit_code, f"interrupted, {kept}: the same command goes on from there"
    return 0, ""


def _say_refused(running: Running) -> None:
    refused = [state for state in running.states if state.state == "refused"]
    if refused:
        cell = next(cell for cell in running.cells if cell.plan is None)
        say(
            f"{len(refused):,} of {len(running.cells):,} cells can't run and are left out, {cell.title}: {cell.problem}"
        )


def _judged(running: Running) -> int:
    """The exit code of what has run; says what went wrong."""
    from diffstudio.headless import NOT_FINITE

    failed = [
        (cell, state) for cell, state in zip(running.cells, running.states, strict=True) if state.state == "failed"
    ]
    if failed:
        cell, state = failed[0]
        return say(f"{len(failed):,} cells have failed, {cell.title}: {state.problem}")
    wild = [cell for cell, state in zip(running.cells, running.states, strict=True) if state.not_finite]
    if wild:
        return say(f"{len(wild):,} cells have values that are not finite, {wild[0].title}", NOT_FINITE)
    return 0
