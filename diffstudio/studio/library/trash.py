"""The trash of the library, and how room is made: what is deleted can come back until the trash is emptied."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from diffstudio.errors import BadInput
from diffstudio.studio.library.library import TRACES, TRASH, Library
from diffstudio.studio.library.query import Query
from diffstudio.studio.library.run import Run


def delete(library: Library, keys: Sequence[str]) -> list[str]:
    """Put runs into the trash; those that are being recorded stay. Returns the ids of what was taken."""
    taken = []
    for key in keys:
        run = library.get(key)
        if run.trashed is not None or run.state == "running":
            continue
        library.table.update([run.id], {"trashed": time.time()})
        _move(library, run, library.folder / TRASH)
        taken.append(run.id)
    return taken


def restore(library: Library, keys: Sequence[str]) -> None:
    """Take runs out of the trash again."""
    for key in keys:
        run = library.get(key)
        if run.trashed is not None:
            _move(library, run, library.folder / TRACES)
            library.table.update([run.id], {"trashed": None})


def empty_trash(library: Library, before: float | None = None) -> int:
    """Delete for good what is in the trash (since before a time); returns the bytes that became free."""
    query = Query(trash=True)
    if before is not None:
        query = query.and_("trashed < ?", before)
    return purge(library, library.find(query))


def purge(library: Library, runs: Iterable[Run]) -> int:
    """Delete runs for good; returns the bytes that became free. A trace that lies elsewhere stays there."""
    freed = 0
    for run in runs:
        if library.table.is_own(run.file):
            with contextlib.suppress(OSError):
                freed += run.file.stat().st_size
                run.file.unlink()
        with library.table.writing() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
            connection.execute("DELETE FROM pictures WHERE id = ?", (run.id,))
    return freed


def room_plan(library: Library, budget: int, in_use: Iterable[str] = ()) -> list[Run]:
    """What would have to go so that the library takes no more than `budget` bytes: [] where it does not.

    The unstarred oldest first, stopped and failed runs before finished ones; never a starred one, one that is
    being recorded, or one `in_use`.
    """
    too_much = library.bytes() - budget
    if too_much <= 0:
        return []
    kept, plan = set(in_use), []
    order = "ORDER BY state = 'done', created"
    condition = "trashed IS NULL AND star = 0 AND bytes > 0 AND state NOT IN ('running', 'queued')"
    for run in library.table.rows(f"SELECT * FROM runs WHERE {condition} {order}", []):
        if too_much <= 0:
            break
        if run.id not in kept and library.table.is_own(run.file):
            plan.append(run)
            too_much -= run.bytes
    return plan


def _move(library: Library, run: Run, folder: Path) -> None:
    """Bring a run's trace into a folder of the library; what lies elsewhere stays there."""
    if not library.table.is_own(run.file) or not run.file.exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / run.file.name
        run.file.replace(target)
    except OSError as error:
        raise BadInput(f"can't move {run.file} into {folder}: {error.strerror}") from error
    library.update(run.id, file=target)
