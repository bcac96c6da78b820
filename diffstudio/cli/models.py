"""`diffstudio models`: every checkpoint that is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from diffstudio.checkpoints.listing import Entry


@click.command(short_help="List every checkpoint that is found.")
@click.argument("folders", nargs=-1, metavar="[FOLDER]…", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a table.")
def models(folders: tuple[Path, ...], as_json: bool) -> None:
    """List every checkpoint that is found, also in the FOLDERs given.

    \b
    Example:
      diffstudio models ~/my-checkpoints
    """
    from diffstudio.checkpoints.catalog import default_catalog

    catalog = default_catalog([folder.resolve() for folder in folders])
    usual = {model.default.path for model in catalog.models()}
    rows = [_row(entry, entry.path in usual) for entry in catalog.entries if entry.card]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else _table(rows))
    for entry in catalog.entries:
        for note in entry.card.notes if entry.card else ():
            click.echo(f"diffstudio: {entry.spec}: {note}", err=True)
        if entry.problem:
            click.echo(f"diffstudio: {entry.problem}", err=True)


def _row(entry: Entry, usual: bool) -> dict[str, Any]:
    """usual: whether the bare name of the model means this checkpoint."""
    card = entry.card
    assert card is not None
    return {
        "name": card.name if usual else card.spec,
        "checkpoint": card.spec,
        "title": card.title,
        "modality": card.modality,
        "shape": list(card.shape),
        "parameters": card.parameters,
        "labels": list(card.labels),
        "path": str(entry.path),
        "card": card.model_dump(mode="json", exclude={"thumbnail"}),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    head = ("name", "modality", "shape", "parameters", "path")
    lines = [
        (r["name"], r["modality"], "×".join(map(str, r["shape"])), f"{r['parameters']:,}", r["path"]) for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    aligned = "<<<><"  # numbers to the right
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, aligned, widths, strict=True)).rstrip()
        for line in (head, *lines)
    )
