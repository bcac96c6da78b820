"""The file of the index: opened, made, repaired, or left out where it can't be used."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffstudio.studio.library.schema import VERSION, bring_up_to_date, version_of

INDEX, BACKUP = "library.db", "library.backup.db"
BACKUP_EVERY = 24 * 3600.0
BUSY_MS = 10_000  # how long another window may hold the file before we give up


@dataclass(frozen=True)
class Opened:
    """An index. connect: a connection of its own for each thread.  notice: what is not as it should be, "" for nothing.

    on_disk: False of one that lasts as long as the process.
    """

    connect: Callable[[], sqlite3.Connection]
    on_disk: bool
    notice: str
    close: Callable[[], None]


def open_index(folder: Path) -> Opened:
    """The index in a folder; one in memory where that can't be used, with a sentence that says why.

    A damaged file is kept beside, and the last copy takes its place; a newer one is left as it is.
    """
    file = folder / INDEX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        version = _prepare(file)
        notice = ""
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            return _repaired(file)
        return _in_memory(_sentence(file, str(error)))
    except OSError as error:
        return _in_memory(_sentence(file, error.strerror or str(error)))
    if version > VERSION:
        return _in_memory(
            f"The library {file} was made by a newer DiffStudio (version {version}, expected at most {VERSION}). Runs "
            "are recorded beside it, and that one will list them."
        )
    return Opened(lambda: _connect(file), True, notice, lambda: _back_up(file))


def _prepare(file: Path) -> int:
    """Make or bring up to date; its version. Raises: sqlite3.Error."""
    connection = _connect(file)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version_of(connection) <= VERSION:
            bring_up_to_date(connection)
            connection.execute("SELECT row FROM runs LIMIT 1").fetchone()
            connection.execute("BEGIN IMMEDIATE")  # a file that can't be written is found now, not after a run
            connection.execute("COMMIT")
        return version_of(connection)
    finally:
        connection.close()


def _connect(file: Path | str, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, uri=uri)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; a power cut at most the last changes
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "malformed" in str(error)


def _repaired(file: Path) -> Opened:
    """Put a damaged index aside, and take the last copy of it, or begin anew: the traces bring themselves in."""
    kept = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        file.replace(kept)
        for end in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                file.with_name(file.name + end).replace(kept.with_name(kept.name + end))
        copy = file.with_name(BACKUP)
        what = "listed anew from their traces"
        if copy.exists():
            with contextlib.closing(sqlite3.connect(copy)) as old, contextlib.closing(sqlite3.connect(file)) as new:
                old.backup(new)
            what = "taken from its last copy; what is newer is listed from the traces"
        try:
            _prepare(file)
        except sqlite3.DatabaseError:
            file.unlink(missing_ok=True)
            what = "listed anew from their traces"
            _prepare(file)
    except (OSError, sqlite3.Error) as error:
        return _in_memory(_sentence(file, str(error)))
    notice = f"The library was damaged and is kept as {kept.name}. Its runs are {what}."
    return Opened(lambda: _connect(file), True, notice, lambda: _back_up(file))


def _in_memory(notice: str) -> Opened:
    name = f"file:library-{uuid.uuid4().hex}?mode=memory&cache=shared"
    held = _connect(name, uri=True)  # lasts until the last connection is closed
    bring_up_to_date(held)
    return Opened(lambda: _connect(name, uri=True), False, notice, held.close)


def _sentence(file: Path, reason: str) -> str:
    return (
        f"The library {file} can't be used: {reason}. Runs are recorded all the same, and are listed when it can be "
        "written again."
    )


def _back_up(file: Path) -> None:
    """A copy of the index once a day, from which a damaged one is repaired: stars and notes are nowhere else."""
    copy = file.with_name(BACKUP)
    temporary = copy.with_name(copy.name + ".tmp")
    try:
        if copy.exists() and time.time() - copy.stat().st_mtime < BACKUP_EVERY:
            return
        with contextlib.closing(sqlite3.connect(file)) as old, contextlib.closing(sqlite3.connect(temporary)) as new:
            old.backup(new)
        temporary.replace(copy)
    except (OSError, sqlite3.Error):
        temporary.unlink(missing_ok=True)  # the next end of the program tries again
