"""What is printed goes through on every terminal, into every pipe: no code page ends a command."""

from __future__ import annotations

import codecs
import json
import sys
from typing import Any, TextIO


def make_tolerant() -> None:
    """Let standard output and error replace what their code page lacks, as x̂ on Windows' own, with a "?".

    In UTF-8, which has every letter, names of files that are no text are printed as the bytes that they are.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", "") in ("strict", "surrogateescape"):
            reconfigure(errors="surrogateescape" if _has_all(stream) else "replace")


def echo_json(value: Any, indent: int | None = None) -> None:
    """Print JSON: what the code page lacks is escaped, so that it reads back as it is."""
    import click

    click.echo(json.dumps(value, indent=indent, ensure_ascii=not _has_all(sys.stdout)))


def _has_all(stream: TextIO | None) -> bool:
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "ascii").name.startswith("utf")
    except LookupError:
        return False
