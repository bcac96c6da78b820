"""`diffstudio models`: every checkpoint that is found."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diffstudio.cli.streams import echo_json
from diffstudio.errors import DiffStudioError

if TYPE_CHECKING:
    from diffstudio.checkpoints.catalog import Catalog
    from diffstudio.checkpoints.listing import Entry, Listing


@click.command(short_help="List every checkpoint that is found.")
@click.argument("folders", nargs=-1, metavar="[FOLDER]…", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def models(folders: tuple[Path, ...], as_json: bool) -> None:
    """List every checkpoint that is found: what comes with DiffStudio, your own, the folders in the window's list, what
    Hugging Face's libraries have downloaded, and what lies in the FOLDERs given.

    The first column is what `sample`, `forward` and `likelihood` take: NAME is the last checkpoint of a training,
    NAME@STEP another, NAME@STEP:ema_0.9999 other weights of that step. So is the path in the last column.

    \b
    Example:
      diffstudio models ~/my-checkpoints
    """
    from diffstudio.checkpoints.catalog import Catalog
    from diffstudio.cli.finding import catalog

    given = {str(folder.resolve()): folder for folder in folders}
    known = catalog([Path(folder) for folder in given])
    others = Catalog([folder for folder in known.folders if folder[0] not in given], known.cache)
    others.at_rest = True
    listing = known.listing
    rows = [_row(entry, listing, others, given) for entry in listing.entries if entry.card]
    if as_json:
        echo_json(rows, 2)
    else:
        click.echo(_table(rows))
    for entry in listing.entries:
        for note in entry.card.notes if entry.card else ():
            click.echo(f"diffstudio: {entry.spec}: {note}", err=True)
    for sentence in (*(entry.problem for entry in listing.entries if entry.problem), *listing.remarks):
        click.echo(f"diffstudio: {sentence}", err=True)


def _row(entry: Entry, listing: Listing, others: Catalog, given: Mapping[str, Path]) -> dict[str, Any]:
    """name: of the model where its bare name means this checkpoint, else of the checkpoint.

    spec: what a command finds it by.  others: all folders but those given, as another command looks at them.
    """
    card = entry.card
    assert card is not None
    name = card.name if listing.by_name[card.name].default is entry else entry.spec
    return {
        "name": name,
        "checkpoint": entry.spec,
        "spec": _spec(entry, name, others, given[entry.group]) if entry.group in given else name,
        "variant": entry.variant,
        "title": card.title,
        "modality": card.modality,
        "shape": list(card.shape),
        "parameters": card.parameters,
        "labels": list(card.labels),
        "path": str(entry.path),
        "sha256": entry.sha256,
        "card": card.model_dump(mode="json", exclude={"thumbnail"}),
    }


def _spec(entry: Entry, name: str, others: Catalog, folder: Path) -> str:
    """What another command finds a checkpoint in a folder that was given by: its name, if it can, or with the folder.

    folder: as it was given.
    """
    if entry.path == folder.resolve():
        return str(folder)
    base, _, step = name.partition("@")
    nearest = folder / entry.path.parent.relative_to(folder.resolve())
    training = f"{nearest}@{step}" if step else str(nearest)
    inside = f"./{name}" if nearest == Path() else str(nearest / name)
    ways = (training, inside) if nearest.name == base else (inside, training)
    for spec in (name, *ways):
        try:
            if others.find(spec).identity == entry.identity:
                return spec
        except DiffStudioError:
            continue
    return str(entry.path)


def _table(rows: list[dict[str, Any]]) -> str:
    head = ("name", "modality", "shape", "parameters", "path")
    lines = [
        (shlex.quote(r["spec"]), r["modality"], "×".join(map(str, r["shape"])), f"{r['parameters']:,}", r["path"])
        for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    aligned = "<<<><"  # numbers to the right
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, aligned, widths, strict=True)).rstrip()
        for line in (head, *lines)
    )
