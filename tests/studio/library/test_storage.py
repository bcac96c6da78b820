"""A library file that can't be used as it is: nothing is lost, and one sentence says so."""

import os
import sqlite3

import pytest

from diffstudio.studio.library.intake import recover
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.query import parse_query
from diffstudio.studio.library.storage import BACKUP, INDEX


def test_a_damaged_library_is_kept_and_its_runs_are_listed_anew(library, record, tmp_path):
    run = record()
    library.close()
    file = library.folder / INDEX
    (library.folder / BACKUP).unlink()
    file.write_bytes(b"no database at all, but some text that is long enough to be read as a header" * 50)
    again = Library(library.folder)
    assert "damaged" in again.notice
    (kept,) = library.folder.glob("library.db.damaged-*")
    assert kept.name in again.notice
    assert again.kept
    recover(again)
    assert [found.id for found in again.find()] == [run.id]
    again.close()
    third = Library(library.folder)
    assert third.notice == ""
    third.close()


def test_stars_and_notes_come_back_from_the_copy(library, record):
    run = record()
    library.star([run.id], True)
    library.close()  # which writes the copy
    file = library.folder / INDEX
    file.write_bytes(file.read_bytes()[:100] + os.urandom(8000))
    again = Library(library.folder)
    assert "last copy" in again.notice
    assert again.get(run.id).star
    again.close()


def test_a_newer_library_is_left_alone(library, record):
    record()
    library.close()
    with sqlite3.connect(library.folder / INDEX) as file:
        file.execute("PRAGMA user_version = 999")
    file.close()
    again = Library(library.folder)
    assert "newer DiffStudio (version 999" in again.notice
    assert not again.kept
    run = again.begin({"seed": 1}, {"name": "m"})  # it goes on without
    assert [found.id for found in again.find()] == [run.id]
    again.close()
    with sqlite3.connect(library.folder / INDEX) as file:
        assert file.execute("SELECT count(*) FROM runs").fetchone()[0] == 1
    file.close()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_library_that_can_not_be_written_is_said(library, record):
    record()
    library.close()
    for path in (library.folder / INDEX, library.folder):
        path.chmod(0o500)
    again = Library(library.folder)
    library.folder.chmod(0o700)
    assert "can't be used" in again.notice
    again.close()


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "library").write_text("not a folder")
    library = Library(tmp_path / "library")
    assert "can't be used" in library.notice
    assert library.find(parse_query("")) == []
    library.close()


def test_a_full_disk_while_a_run_is_noted_down_is_no_failure_of_the_run(library, monkeypatch):
    size = library.table.connection.execute("PRAGMA page_count").fetchone()[0]
    library.table.connection.execute(f"PRAGMA max_page_count = {size}")  # what a full disk is to SQLite
    runs = [library.begin({"seed": k, "prompt": "x" * 2000}, {"name": "m"}) for k in range(20)]
    assert "full" in library.notice
    assert all(run.file.parent.is_dir() for run in runs)
    library.finish(runs[-1].id, "done")
    library.set_picture(runs[0].id, b"x" * 10_000)
