"""The table of runs: connections, transactions, and rows as Runs."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from diffstudio.errors import DiffStudioError
from diffstudio.studio.library.run import Run
from diffstudio.studio.library.storage import Opened, open_index

_STORED = tuple(field.name for field in fields(Run) if field.name not in ("request", "alike"))
_JSON = ("cell", "marks")


class LibraryProblem(DiffStudioError):
    """The index can't be written; the runs themselves are recorded all the same."""


class Table:
    """The index of a folder. Any thread may use it: each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: Opened = open_index(folder)
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._lock:
            while self._all:
                self._all.pop().close()
        self.opened.close()
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's."""
        found = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self.opened.connect()
            with self._lock:
                self._all.append(found)
        return found

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction. Raises: LibraryProblem."""
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            raise LibraryProblem(
                f"the library {self.folder} can't be written: {error}. Runs are recorded all the same, and are listed "
                "when it can be written again"
            ) from error

    def put(self, run: Run) -> None:
        """Put a run into the index; one of that id is replaced. Raises: LibraryProblem."""
        with self.writing() as connection:
            self.put_in(connection, run)

    def put_in(self, connection: sqlite3.Connection, run: Run) -> None:
        """The same within a transaction that is under way."""
        row = self._row(run)
        update = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
        into = f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        statement = f"{into} ON CONFLICT (id) DO UPDATE SET {update} RETURNING row"
        number = connection.execute(statement, list(row.values())).fetchone()[0]
        connection.execute("INSERT OR REPLACE INTO requests VALUES (?, ?)", (number, json.dumps(run.request)))

    def update(self, keys: Sequence[str], changes: Mapping[str, Any]) -> None:
        """Change columns of runs, all or none of them. Raises: LibraryProblem."""
        unknown = set(changes) - set(_STORED)
        if unknown:
            raise KeyError(f"a run has no column {', '.join(sorted(unknown))} that can be changed")
        values = {name: json.dumps(v) if name in _JSON and not isinstance(v, str) else v for name, v in changes.items()}
        if "file" in values:
            values["file"] = self.stored(Path(values["file"]))
        text = ", ".join(f"{name} = ?" for name in values)
        with self.writing() as connection:
            connection.executemany(f"UPDATE runs SET {text} WHERE id = ?", [[*values.values(), key] for key in keys])

    def rows(self, statement: str, values: Sequence[Any]) -> list[Run]:
        """The Runs of a SELECT from `runs`, with their requests."""
        cursor = self.connection.execute(statement, list(values))
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor]
        requests = self._requests([row["row"] for row in found])
        return [self._run(row, requests.get(row["row"], "")) for row in found]

    def _requests(self, numbers: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        for start in range(0, len(numbers), 500):
            some = numbers[start : start + 500]
            marks = ", ".join("?" * len(some))
            found |= dict(self.connection.execute(f"SELECT run, request FROM requests WHERE run IN ({marks})", some))
        return found

    def _run(self, row: Mapping[str, Any], request: str) -> Run:
        values = {name: row[name] for name in _STORED}
        for name in _JSON:
            values[name] = _json(values[name])
        file = Path(values["file"])
        values["file"] = file if file.is_absolute() else self.folder / file
        values["tags"] = tuple(values["tags"].split())
        values["star"] = bool(values["star"])
        return Run(**values, request=_json(request), alike=row.get("alike", 1))

    def _row(self, run: Run) -> dict[str, Any]:
        row = {name: getattr(run, name) for name in _STORED}
        for name in _JSON:
            row[name] = json.dumps(row[name]) if row[name] else ""
        row["file"] = self.stored(run.file)
        row["tags"] = " ".join(run.tags)
        row["star"] = int(run.star)
        return row

    def stored(self, path: Path) -> str:
        """A file as the index has it: relative where it lies in the library, so that the folder can be moved."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow links, and a run keeps its own
        home = Path(os.path.abspath(self.folder))  # noqa: PTH100
        return absolute.relative_to(home).as_posix() if absolute.is_relative_to(home) else str(absolute)

    def is_own(self, path: Path) -> bool:
        """Whether a file lies in the library's folder."""
        return not Path(self.stored(path)).is_absolute()


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
