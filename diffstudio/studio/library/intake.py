"""Traces that the library does not know yet: recorded by a process that died, moved, or brought from elsewhere."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from diffstudio.errors import BadFile, BadInput
from diffstudio.studio.library.library import SUFFIX, TRACES, Library
from diffstudio.studio.library.owner import is_alive
from diffstudio.studio.library.query import Query
from diffstudio.studio.library.run import Run, State, facts_of, new_id
from diffstudio.traces.glance import Glance, glance

_ID = re.compile(r"^(\d{8}-\d{6}-[0-9a-z]{4})[-.]")
_OLD_NAME = re.compile(r"^\d{8}-\d{6}-(\d+)-\d{4}-")  # of the cache that was before the library: it names the process
_TAKEN_OVER = "taken over:"
LATELY = 24 * 3600.0  # seconds


def recorded(seen: Glance) -> dict[str, Any]:
    """What is known of a run only when it has been recorded, as columns of the library."""
    seconds, calls = seen.last.get("seconds", 0.0), seen.last.get("nfe", 0.0)
    return {
        "records": seen.records,
        "bytes": seen.bytes,
        "seconds": seconds if math.isfinite(seconds) else 0.0,
        "nfe": int(calls) if math.isfinite(calls) else 0,
        "device": seen.header.device,
        "header": seen.digest,
        "sha256": seen.header.checkpoint_sha256,
    }


def recover(library: Library) -> list[Run]:
    """Note down what became of runs whose process died, and list traces that are in the folder alone.

    Cheap where there is nothing to do: a query, and the names in the folder. Returns the runs that are new or changed.
    """
    changed = []
    for run in library.find(Query().and_("state = 'running'")):
        if not is_alive(run.owner):
            changed.append(_interrupted(library, run))
    folder = library.folder / TRACES
    known = library.files()
    for file in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        if file.name not in known:
            try:
                changed.append(take_in(library, file))
            except BadFile:
                continue  # it begins to be recorded, or is no trace: it is left where it is
    return changed


def _interrupted(library: Library, run: Run) -> Run:
    try:
        seen = glance(run.file)
    except BadFile:  # not even its header was written
        library.finish(run.id, "interrupted", problem="nothing was recorded")
    else:
        state: State = "done" if seen.complete else "interrupted"
        library.finish(run.id, state, **recorded(seen))
    return library.get(run.id)


def take_in(library: Library, path: Path, copy: bool = False, move: bool = False) -> Run:
    """List a trace; a copy of it, or itself, is brought into the library's folder where that is asked for.

    A trace that the library knows and misses is found again: its run names the new place.

    Raises:
        BadFile: it is no trace.  BadInput: it can't be copied.
    """
    seen = glance(path)
    for run in library.by_header(seen.digest):
        if run.missing:
            library.update(run.id, file=path)
            return library.get(run.id)
        if run.file.samefile(path):
            return run
        if copy or move:  # it is there already
            if move:
                path.unlink()
            return run
    created = _created(seen)
    named = _ID.match(path.name)
    key = named.group(1) if named and not library.has(named.group(1)) else new_id(created)
    file = path
    if copy or move:
        file = _bring(path, library.folder / TRACES, f"{key}-{_safe(seen)}{SUFFIX}", move)
    request = seen.header.request
    parent, step = parent_of(library, request)
    state: State = "done" if seen.complete else "stopped"
    facts = facts_of(request, seen.header.card) | recorded(seen)
    run = Run(
        id=key, created=created, ended=seen.modified, state=state, file=file, request=dict(request), parent=parent,
        parent_step=step, **facts,
    )  # fmt: skip
    library.add(run)
    return run


def take_over(library: Library, cache: Path) -> int:
    """Move the traces of the cache that runs were kept in before there was a library; returns how many.

    Once: a folder that was taken over is left alone. A trace that a living window still records into stays.
    """
    key = f"{_TAKEN_OVER}{cache}"
    if not library.kept or library.fact(key) or not cache.is_dir():
        return 0
    count, left = 0, 0
    for file in sorted(cache.glob(f"*{SUFFIX}"), key=lambda path: path.name):
        named = _OLD_NAME.match(file.name)
        try:
            if named and not glance(file).complete and _lives(int(named.group(1))):
                left += 1
                continue
            take_in(library, file, move=True)
            count += 1
        except (BadFile, BadInput):
            continue  # it stays where it is
    if not left:
        library.set_fact(key, str(count))
    return count


def take_left(library: Library, folder: Path) -> int:
    """Move the traces of a folder that runs were recorded in while the library could not be written; how many.

    One that is not whole and was written to lately stays: another window may still record it.
    """
    count = 0
    for file in sorted(folder.glob(f"*{SUFFIX}")) if library.kept and folder.is_dir() else ():
        try:
            seen = glance(file)
            if seen.complete or time.time() - seen.modified > LATELY:
                take_in(library, file, move=True)
                count += 1
        except (BadFile, BadInput):
            continue  # it stays where it is
    return count


def _lives(number: int) -> bool:
    from diffstudio.studio.library.owner import exists

    return exists(number)


def _bring(path: Path, folder: Path, name: str, move: bool) -> Path:
    target = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if move:
            shutil.move(path, target)
        else:
            shutil.copyfile(path, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise BadInput(f"can't bring {path} into the library {folder}: {error.strerror}") from error
    return target


def _safe(seen: Glance) -> str:
    name = str(seen.header.card.get("name") or "run")
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in name)[-40:]


def _created(seen: Glance) -> float:
    try:
        return datetime.fromisoformat(seen.header.created).timestamp()
    except (ValueError, OverflowError, OSError):
        return seen.modified


def parent_of(library: Library, request: Mapping[str, Any]) -> tuple[str, int | None]:
    """The run that a fork goes on from: its request names the trace and the step."""
    file, step = request.get("source_file"), request.get("source_step")
    if request.get("source") != "step" or not isinstance(file, str) or not isinstance(step, int):
        return "", None
    found = library.by_name(Path(file).name)
    return (found.id, step) if found else ("", None)
