"""The library: every run there ever was, an SQLite index beside the folder of their traces.

Several windows and the command line share it: each change is one short transaction (WAL), and who is killed leaves the
last one whole. The traces are the truth: an index that can't be used is left out (`notice` says why), and what lies in
the folder without being known is taken over. No Qt, no torch.
"""

from __future__ import annotations

import contextlib
import json
import time
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffstudio.errors import BadInput, NotFound
from diffstudio.studio.library import owner
from diffstudio.studio.library.query import SORTS, Query
from diffstudio.studio.library.run import Run, State, facts_of, new_id
from diffstudio.studio.library.table import LibraryProblem, Table

SUFFIX = ".trace"
TRACES, TRASH = "traces", "trash"
MAX_NOTE, MAX_NAME, MAX_TAG = 20_000, 200, 60


class Library:
    """A folder with the index, the traces, and the trash. Any thread may use it."""

    def __init__(self, folder: Path) -> None:
        """Open it, or make it. Never fails: `notice` is one sentence where the index can't be used as it is."""
        self.table = Table(folder)
        self.notice = self.table.opened.notice

    @property
    def folder(self) -> Path:
        """Where everything lies."""
        return self.table.folder

    @property
    def kept(self) -> bool:
        """Whether the index is on the disk; else it lasts as long as the process, and the traces stay."""
        return self.table.opened.on_disk

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        self.table.close()

    # ── a run from its beginning to its end ─────────────────────────────────────────────────────────────────────────

    def begin(
        self,
        request: Mapping[str, Any],
        card: Mapping[str, Any],
        state: State = "running",
        parent: str = "",
        parent_step: int | None = None,
        sweep: str = "",
        cell: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Run:
        """A new run, with the place where its trace is to be recorded.

        Raises:
            BadInput: the folder can't be made. (An index that can't be written is no reason: `notice` says so.)
        """
        now = time.time()
        key = new_id(now)
        folder = self.folder / TRACES
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"can't make the folder of the runs, {folder}: {error.strerror}") from error
        facts = facts_of(request, card)
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in facts["model"])[-40:]
        run = Run(
            id=key, created=now, state=state, file=folder / f"{key}-{safe}{SUFFIX}", request=dict(request),
            parent=parent, parent_step=parent_step, sweep=sweep, cell=dict(cell or {}), owner=owner.own(),
            name=name, **facts,
        )  # fmt: skip
        try:
            self.add(run)
        except LibraryProblem as problem:
            self.notice = str(problem)
        return run

    def add(self, run: Run) -> None:
        """Put a run into the index; one of that id is replaced. Raises: LibraryProblem."""
        self.table.put(run)

    def update(self, key: str, **changes: Any) -> None:
        """Change columns of a run.

        Raises:
            LibraryProblem: the index can't be written.
        """
        self.table.update([key], changes)

    def finish(self, key: str, state: State, **facts: Any) -> None:
        """What became of a run: its state, and what is known only now (bytes, seconds, records, nfe, device …).

        Never raises: a run that can't be noted down is found again by its trace.
        """
        try:
            self.table.update([key], {"state": state, "ended": time.time(), "owner": "", **facts})
        except LibraryProblem as problem:
            self.notice = str(problem)

    def forget(self, key: str) -> None:
        """Take a run out of the index that never recorded anything."""
        with contextlib.suppress(LibraryProblem), self.table.writing() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (key,))

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, key: str) -> Run:
        """A run by its id, or by an end or a beginning of it that no other has.

        Raises:
            NotFound: there is none, or more than one.
        """
        found = self.table.rows("SELECT * FROM runs WHERE id = ?", [key])
        if not found and key:
            pattern = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            either = "id LIKE ? ESCAPE '\\' OR id LIKE ? ESCAPE '\\'"
            found = self.table.rows(f"SELECT * FROM runs WHERE {either} LIMIT 2", [f"{pattern}%", f"%-{pattern}"])
        if len(found) != 1:
            what = "more than one run" if found else "no run"
            raise NotFound(f"there is {what} '{key}' in the library: `diffstudio runs` lists them")
        return found[0]

    def find(self, query: Query | None = None, offset: int = 0, limit: int | None = None) -> list[Run]:
        """The runs of a query in its order, all or a page of them."""
        query = query or Query()
        condition, values = query.sql()
        page = [] if limit is None else [limit, offset]
        order = SORTS[query.sort]
        end = "" if limit is None else " LIMIT ? OFFSET ?"
        if not query.grouped:
            return self.table.rows(
                f"SELECT * FROM runs WHERE {condition} ORDER BY {SORTS[query.sort]}{end}", values + page
            )
        # SQLite takes the other columns of a group from the row that has the maximum; whole rows are read for a page.
        columns = "row, checkpoint, name, created, seconds, bytes, steps, seed, star"
        newest = f"SELECT {columns}, max(created), count(*) AS alike FROM runs WHERE {condition} GROUP BY same_but_seed"
        page_of = f"SELECT row AS first, alike, row_number() OVER () AS place FROM ({newest} ORDER BY {order}{end})"
        return self.table.rows(f"SELECT * FROM ({page_of}) JOIN runs ON row = first ORDER BY place", values + page)

    def numbers(self, query: Query | None = None) -> array[int]:
        """The numbers of all runs of a query in its order: what a list holds of those that it does not show.

        Runs that differ by seed alone are listed one by one.
        """
        query = query or Query()
        condition, values = query.sql()
        statement = f"SELECT row FROM runs WHERE {condition} ORDER BY {SORTS[query.sort]}"
        return array("q", (row[0] for row in self.table.connection.execute(statement, values)))

    def at(self, numbers: Sequence[int]) -> dict[int, Run]:
        """The runs of such numbers, as far as they are there."""
        found: dict[int, Run] = {}
        for start in range(0, len(numbers), 500):
            some = list(numbers[start : start + 500])
            marks = ", ".join("?" * len(some))
            runs = self.table.rows(f"SELECT * FROM runs WHERE row IN ({marks}) ORDER BY row", some)
            rows = self.table.connection.execute(f"SELECT row FROM runs WHERE row IN ({marks}) ORDER BY row", some)
            found |= {row[0]: run for row, run in zip(rows.fetchall(), runs, strict=False)}
        return found

    def count(self, query: Query | None = None) -> int:
        """How many rows `find` would give."""
        query = query or Query()
        condition, values = query.sql()
        what = "count(DISTINCT same_but_seed)" if query.grouped else "count(*)"
        return int(self.table.connection.execute(f"SELECT {what} FROM runs WHERE {condition}", values).fetchone()[0])

    def values(self, column: str) -> list[str]:
        """What a column holds, the most frequent first: for the filters."""
        if column not in ("model", "modality", "solver", "state", "tags", "sweep"):
            raise KeyError(column)
        statement = (
            f"SELECT {column} FROM runs WHERE trashed IS NULL AND {column} != '' "
            f"GROUP BY {column} ORDER BY count(*) DESC LIMIT 200"
        )
        found = [row[0] for row in self.table.connection.execute(statement)]
        return list(dict.fromkeys(tag for row in found for tag in row.split())) if column == "tags" else found

    def children(self, key: str) -> list[Run]:
        """The branches that leave a run, the earliest step first."""
        order = "ORDER BY parent_step, created"
        return self.table.rows(f"SELECT * FROM runs WHERE parent = ? AND trashed IS NULL {order}", [key])

    def tree(self, key: str) -> list[Run]:
        """A run's whole family: the run that all branches come from, then every branch below it."""
        root, seen = self.get(key), {key}
        while root.parent and root.parent not in seen:
            seen.add(root.parent)
            try:
                root = self.get(root.parent)
            except NotFound:
                break
        found, waiting, known = [], [root], {root.id}
        while waiting:
            run = waiting.pop(0)
            found.append(run)
            waiting += [child for child in self.children(run.id) if child.id not in known]
            known |= {child.id for child in waiting}
        return found

    def by_file(self, path: Path) -> Run | None:
        """The run whose trace lies there."""
        found = self.table.rows("SELECT * FROM runs WHERE file = ?", [self.table.stored(path)])
        return found[0] if found else None

    def by_name(self, name: str) -> Run | None:
        """The run whose trace has that file name, wherever the library lay when it was recorded."""
        pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        statement = "SELECT * FROM runs WHERE file = ? OR file LIKE ? ESCAPE '\\' ORDER BY created DESC LIMIT 1"
        found = self.table.rows(statement, [name, f"%/{pattern}"])
        return found[0] if found else None

    def files(self) -> set[str]:
        """The file names of all traces, those in the trash too."""
        return {row[0].rpartition("/")[2] for row in self.table.connection.execute("SELECT file FROM runs")}

    def has(self, key: str) -> bool:
        """Whether there is a run of exactly that id."""
        return self.table.connection.execute("SELECT 1 FROM runs WHERE id = ?", (key,)).fetchone() is not None

    def fact(self, key: str) -> str:
        """Something that the library remembers of itself, "" where it does not."""
        row = self.table.connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def set_fact(self, key: str, value: str) -> None:
        """Remember something of the library itself."""
        with contextlib.suppress(LibraryProblem), self.table.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))

    def by_header(self, header: str) -> list[Run]:
        """The runs whose trace has this header: one that was moved is known by it."""
        return self.table.rows("SELECT * FROM runs WHERE header = ? AND header != ''", [header])

    @property
    def change(self) -> int:
        """Another number whenever somebody else has changed the library."""
        return int(self.table.connection.execute("PRAGMA data_version").fetchone()[0])

    def bytes(self, trash: bool = False) -> int:
        """What the traces of the library (or of its trash) take on the disk."""
        condition = "trashed IS NOT NULL" if trash else "trashed IS NULL"
        own = "file NOT LIKE '/%' AND file NOT LIKE '_:%'"  # not what lies elsewhere
        statement = f"SELECT coalesce(sum(bytes), 0) FROM runs WHERE {condition} AND {own}"
        return int(self.table.connection.execute(statement).fetchone()[0])

    # ── what a user does ────────────────────────────────────────────────────────────────────────────────────────────

    def star(self, keys: Sequence[str], on: bool) -> None:
        """Mark runs as worth keeping: nothing that makes room ever takes them."""
        self.table.update(keys, {"star": int(on)})

    def rename(self, key: str, name: str) -> None:
        """Another name; "" is none of its own."""
        self.table.update([key], {"name": " ".join(name.split())[:MAX_NAME]})

    def annotate(self, key: str, note: str) -> None:
        """Another note."""
        self.table.update([key], {"note": note[:MAX_NOTE]})

    def tag(self, keys: Sequence[str], tag: str, on: bool = True) -> None:
        """Give runs a tag, or take it away. A tag is one word.

        Raises:
            BadInput: it is none.
        """
        word = tag.strip().lstrip("#")
        if not word or len(word.split()) > 1 or len(word) > MAX_TAG:
            raise BadInput(f"'{tag:.80}' is not a tag: write one word of at most {MAX_TAG} letters")
        with self.table.writing() as connection:
            for key in keys:
                row = connection.execute("SELECT tags FROM runs WHERE id = ?", (key,)).fetchone()
                if row is not None:
                    tags = [found for found in row[0].split() if found != word] + [word] * on
                    connection.execute("UPDATE runs SET tags = ? WHERE id = ?", (" ".join(tags), key))

    def mark(self, key: str, marks: Mapping[str, Any]) -> None:
        """Keep the markers and ranges of a run."""
        self.table.update([key], {"marks": json.dumps(marks) if marks else ""})

    def picture(self, key: str) -> bytes | None:
        """The thumbnail of a run as PNG, None where nobody has drawn it."""
        row = self.table.connection.execute("SELECT png FROM pictures WHERE id = ?", (key,)).fetchone()
        return row[0] if row else None

    def pictures(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The thumbnails of several runs, as far as they are drawn."""
        marks = ", ".join("?" * len(keys))
        return dict(self.table.connection.execute(f"SELECT id, png FROM pictures WHERE id IN ({marks})", list(keys)))

    def set_picture(self, key: str, png: bytes) -> None:
        """Keep the thumbnail of a run."""
        with contextlib.suppress(LibraryProblem), self.table.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO pictures (id, png) VALUES (?, ?)", (key, png))
