"""`diffstudio runs`: the library without a screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diffstudio.cli.ending import say
from diffstudio.cli.streams import echo_json

if TYPE_CHECKING:
    from diffstudio.studio.library.library import Library
    from diffstudio.studio.library.run import Run

_FILTERS = """\b
QUERY is words and filters, all of which must hold:
  fox snow               words, or their beginnings, in names, notes, prompts …
  model:digits           also name note tag class prompt solver source device
  state:done             done, stopped, failed, interrupted, running, queued
  steps>20 seed:3        also samples guidance seconds mb calls, with < <= >= =
  date:today             or 2026-11-30, 2026-11, week, month; date>=2026-11-01
  star:yes -model:ring   - excludes
  sort:size              newest oldest name model seconds size steps seed star"""


class _Runs(click.Group):
    """Subcommands; everything else is a query."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [word for word in args if not word.startswith("--") and word != "-h"]
        if not words or words[0] not in self.commands:
            ctx.meta["query"] = [word for word in args if word not in ("--json", "--trash", "-h", "--help")]
            args = [word for word in args if word in ("--json", "--trash", "-h", "--help")]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Runs, invoke_without_command=True, epilog=_FILTERS, short_help="Every run there ever was: list, find, keep.",
    options_metavar="[QUERY] [OPTIONS]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON list, newest first, instead of a table.")
@click.option("--trash", is_flag=True, help="What was deleted instead.")
@click.pass_context
def runs(ctx: click.Context, as_json: bool, trash: bool) -> None:
    """List the runs of the library, or those that a QUERY finds.

    \b
    Examples:
      diffstudio runs model:digits solver:heun "steps>20"
      diffstudio runs show 4f2k
      diffstudio runs export state:done date:week --out week.runs
    """
    if ctx.invoked_subcommand is None:
        with _library() as library:
            found = _found(library, ctx.meta.get("query", []), trash)
            if as_json:
                echo_json([run.summary() for run in found], 2)
            else:
                click.echo(_table(found) if found else "no run is found")


@runs.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of lines.")
def show(run: str, as_json: bool) -> None:
    """Everything that is known of RUN, an id or the end of one."""
    with _library() as library:
        found = library.get(run)
        tree = [(other.id, other.parent, other.parent_step) for other in library.tree(found.id)]
        summary = found.summary() | {"branches": [key for key, parent, _ in tree if parent == found.id]}
        if as_json:
            echo_json(summary, 2)
            return
        if found.missing:
            say(f"its trace is not at {found.file} any more: open it from where it is now, and it is found again")
        width = max(map(len, summary))
        for key, value in summary.items():
            if value not in ("", None, [], {}):
                shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
                click.echo(f"{key:{width}}  {shown}")


@runs.command("star")
@click.argument("query", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take the star away.")
def star(query: tuple[str, ...], off: bool) -> None:
    """Mark runs as worth keeping: ids, or a QUERY."""
    with _library() as library:
        found = _chosen(library, query)
        library.star([run.id for run in found], not off)
        click.echo(f"{_count(found)} {'without' if off else 'with'} a star")


@runs.command("tag")
@click.argument("tag")
@click.argument("query", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Take the tag away.")
def tag(tag: str, query: tuple[str, ...], off: bool) -> None:
    """Give runs (ids, or a QUERY) a TAG."""
    with _library() as library:
        found = _chosen(library, query)
        library.tag([run.id for run in found], tag, not off)
        click.echo(f"{_count(found)} {'without' if off else 'with'} the tag {tag}")


@runs.command("delete")
@click.argument("query", nargs=-1)
@click.option("--undo", is_flag=True, help="Bring back from the trash instead.")
@click.option("--empty-trash", is_flag=True, help="Delete for good what is in the trash.")
def delete(query: tuple[str, ...], undo: bool, empty_trash: bool) -> None:
    """Put runs (ids, or a QUERY) into the trash, from which --undo brings them back."""
    from diffstudio.studio.library import trash

    if empty_trash == bool(query):
        raise click.UsageError("give ids or a query, or --empty-trash alone")
    with _library() as library:
        if empty_trash:
            freed = trash.empty_trash(library)
            click.echo(f"the trash is empty: {freed / 1e6:.1f} MB are free again")
            return
        found = _chosen(library, query, in_trash=undo)
        keys = [run.id for run in found]
        if undo:
            trash.restore(library, keys)
            click.echo(f"{_count(found)} brought back")
        else:
            taken = trash.delete(library, keys)
            click.echo(f"{len(taken)} of {_count(found)} in the trash, from which --undo brings them back")


@runs.command("export")
@click.argument("query", nargs=-1, required=True)
@click.option("--out", required=True, metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def export(query: tuple[str, ...], out: Path) -> None:
    """Write runs (ids, or a QUERY) with their traces, names, notes and tags into one FILE.runs."""
    from diffstudio.studio.library.bundle import pack

    with _library() as library:
        found = _chosen(library, query)
        for _ in pack(found, out):
            pass
        click.echo(f"{out}: {_count(found)}")


@runs.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(files: tuple[Path, ...]) -> None:
    """Take runs of a .runs file, or traces, into the library (a trace is copied)."""
    from diffstudio.studio.library.bundle import unpack
    from diffstudio.studio.library.intake import take_in
    from diffstudio.studio.library.library import SUFFIX

    with _library() as library:
        for file in files:
            found = [take_in(library, file, copy=True)] if file.suffix == SUFFIX else list(unpack(library, file))
            for run in found:
                click.echo(f"{run.id}  {run.title}")


@runs.command("reproduce")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="A JSON object instead of lines.")
def reproduce(run: str, as_json: bool) -> int:
    """Generate RUN again and compare it with what was recorded, byte for byte.

    RUN is an id of the library or the end of one, or the path of a .trace file. Where the two differ, the first step,
    tensor and sample are named, by how much they differ there and in the end, and which facts (versions, device,
    sha256 of weights, source and mask) are others now. Of a stopped run what it has is compared.

    \b
    Examples:
      diffstudio runs reproduce 4f2k
      diffstudio runs reproduce digits.trace --json

    \b
    Exit code:
      0  identical, byte for byte
      1  different
      2  it can't be made again, with one sentence on standard error
    """
    from diffstudio.bar import Bar
    from diffstudio.cli.finding import catalog
    from diffstudio.studio.engine import Engine
    from diffstudio.studio.library.reproduce import reproduce as generate

    path = _trace_of(run)
    with Bar(path.name) as bar:
        verdict = generate(Engine(catalog()), path, lambda done, total: bar.show(done, total, path.name))
    if as_json:
        echo_json(verdict.summary())
    else:
        click.echo(verdict.sentence)
        for fact in verdict.facts:
            click.echo(f"{fact.name}: {fact.then} then, {fact.now} now")
    return 0 if verdict.identical else 1


def _trace_of(run: str) -> Path:
    """Where the trace of an id lies, or the path itself. Raises: NotFound, BadInput."""
    from diffstudio.errors import BadInput
    from diffstudio.studio.library.library import SUFFIX
    from diffstudio.user_files import is_file

    if run.endswith(SUFFIX) or is_file(Path(run)):
        return Path(run)
    with _library() as library:
        found = library.get(run)
    if found.missing:
        raise BadInput(f"the trace of {found.id} is not at {found.file} any more, so there is nothing to compare with")
    return found.file


@contextmanager
def _library() -> Iterator[Library]:
    from diffstudio.studio.library.home import library_folder
    from diffstudio.studio.library.intake import recover
    from diffstudio.studio.library.library import Library

    library = Library(library_folder())
    try:
        if library.notice:
            say(library.notice)
        recover(library)
        yield library
    finally:
        library.close()


def _found(library: Library, words: list[str] | tuple[str, ...], in_trash: bool = False) -> list[Run]:
    from dataclasses import replace

    from diffstudio.studio.library.query import parse_query

    text = " ".join(f'"{word}"' if " " in word and ":" not in word else word for word in words)
    return library.find(replace(parse_query(text), trash=in_trash))


def _chosen(library: Library, words: tuple[str, ...], in_trash: bool = False) -> list[Run]:
    """The runs of ids, or of a query. Raises: NotFound."""
    from diffstudio.errors import NotFound

    try:
        return [library.get(word) for word in words]
    except NotFound:
        found = _found(library, words, in_trash)
        if not found:
            raise NotFound(f"no run is found by {' '.join(words)!r}: `diffstudio runs` lists them") from None
        return found


def _table(found: list[Run]) -> str:
    head = ("id", "when", "state", "model", "solver", "steps", "seed", "class or prompt", "name")
    lines = [
        (
            ("* " if r.star else "") + r.id, datetime.fromtimestamp(r.created).strftime("%Y-%m-%d %H:%M"), r.state,
            r.checkpoint or r.model, r.solver, str(r.steps), str(r.seed), (r.label or r.prompt)[:40], r.name[:40],
        )
        for r in found
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    rows = ("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in (head, *lines))
    return "\n".join(row.rstrip() for row in rows)


def _count(found: list[Run]) -> str:
    return "1 run" if len(found) == 1 else f"{len(found)} runs"
