"""The tables of the library, and how older ones become today's."""

from __future__ import annotations

import sqlite3

VERSION = 1

# Rows of `runs` are found by `id`; `file` is relative to the library's folder, absolute where a trace lies elsewhere.
# same_but_seed: equal for runs that differ by seed alone.  owner: the process that records a run, see `owner`.
# requests: beside the rows, which are searched whole, and so are short.
# trashed: when it was put into the trash, NULL for what is listed.  marks: markers and ranges, JSON.
TABLES = """
CREATE TABLE runs (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    ended REAL,
    state TEXT NOT NULL,
    file TEXT NOT NULL,
    same_but_seed TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '',
    star INTEGER NOT NULL DEFAULT 0,
    model TEXT NOT NULL DEFAULT '',
    checkpoint TEXT NOT NULL DEFAULT '',
    modality TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT 'sample',
    solver TEXT NOT NULL DEFAULT '',
    steps INTEGER NOT NULL DEFAULT 0,
    seed INTEGER NOT NULL DEFAULT 0,
    samples INTEGER NOT NULL DEFAULT 0,
    guidance REAL NOT NULL DEFAULT 1,
    label TEXT NOT NULL DEFAULT '',
    prompt TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    precision TEXT NOT NULL DEFAULT '',
    bytes INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    records INTEGER NOT NULL DEFAULT 0,
    nfe INTEGER NOT NULL DEFAULT 0,
    device TEXT NOT NULL DEFAULT '',
    problem TEXT NOT NULL DEFAULT '',
    parent TEXT NOT NULL DEFAULT '',
    parent_step INTEGER,
    sweep TEXT NOT NULL DEFAULT '',
    cell TEXT NOT NULL DEFAULT '',
    marks TEXT NOT NULL DEFAULT '',
    header TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    trashed REAL
);
CREATE INDEX runs_by_time ON runs (trashed, created);
CREATE INDEX runs_by_group ON runs (trashed, same_but_seed, created);
CREATE INDEX runs_by_model ON runs (trashed, checkpoint COLLATE NOCASE, created DESC);
CREATE INDEX runs_by_size ON runs (trashed, bytes DESC, created DESC);
CREATE INDEX runs_by_parent ON runs (parent);
CREATE INDEX runs_by_sweep ON runs (sweep);
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_header ON runs (header);
CREATE TABLE requests (run INTEGER PRIMARY KEY, request TEXT NOT NULL);
CREATE TRIGGER requests_removed AFTER DELETE ON runs BEGIN
    DELETE FROM requests WHERE run = old.row;
    DELETE FROM pictures WHERE id = old.id;
END;
CREATE TABLE pictures (id TEXT PRIMARY KEY, png BLOB NOT NULL);
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (
    name, note, tags, model, checkpoint, label, prompt, solver, source,
    content = 'runs', content_rowid = 'row', tokenize = "unicode61 remove_diacritics 2", prefix = '1 2 3'
);
CREATE TRIGGER runs_added AFTER INSERT ON runs BEGIN
    INSERT INTO words (rowid, name, note, tags, model, checkpoint, label, prompt, solver, source)
    VALUES (new.row, new.name, new.note, new.tags, new.model, new.checkpoint, new.label, new.prompt, new.solver,
            new.source);
END;
CREATE TRIGGER runs_removed AFTER DELETE ON runs BEGIN
    INSERT INTO words (words, rowid, name, note, tags, model, checkpoint, label, prompt, solver, source)
    VALUES ('delete', old.row, old.name, old.note, old.tags, old.model, old.checkpoint, old.label, old.prompt,
            old.solver, old.source);
END;
CREATE TRIGGER runs_changed AFTER UPDATE OF name, note, tags, model, checkpoint, label, prompt, solver, source ON runs
BEGIN
    INSERT INTO words (words, rowid, name, note, tags, model, checkpoint, label, prompt, solver, source)
    VALUES ('delete', old.row, old.name, old.note, old.tags, old.model, old.checkpoint, old.label, old.prompt,
            old.solver, old.source);
    INSERT INTO words (rowid, name, note, tags, model, checkpoint, label, prompt, solver, source)
    VALUES (new.row, new.name, new.note, new.tags, new.model, new.checkpoint, new.label, new.prompt, new.solver,
            new.source);
END;
"""

# How a library of version k becomes one of version k + 1: MIGRATIONS[k].
MIGRATIONS: dict[int, str] = {}


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a library, 0 of an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the tables, or change older ones, in one transaction. A newer library is left alone: see `version_of`."""
    version = version_of(connection)
    if version >= VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection)  # another window may have been faster
        steps = [TABLES] if version == 0 else [MIGRATIONS[k] for k in range(version, VERSION)]
        if version < VERSION:
            for script in steps:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """The statements of a script; `executescript` would commit between them."""
    found, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return found
