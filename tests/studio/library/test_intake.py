"""Traces that the library does not know: cut runs, moved files, the old cache, files of others."""

import os

import pytest

from diffstudio.errors import BadFile
from diffstudio.studio.library import trash
from diffstudio.studio.library.bundle import pack, unpack
from diffstudio.studio.library.intake import recover, take_in, take_over
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.owner import is_alive, own


def test_a_run_whose_process_died_is_interrupted_with_what_it_has(library, write):
    dead = own().rsplit(":", 2)[0] + ":999999999:1"
    cut, whole, empty = (library.begin({"seed": k}, {"name": "m"}) for k in range(3))
    write(cut.file, records=2)
    write(whole.file, records=3, request={"seed": 2})
    for run in (cut, whole, empty):
        library.update(run.id, owner=dead)
    living = library.begin({"seed": 9}, {"name": "m"})
    assert {run.id for run in recover(library)} == {cut.id, whole.id, empty.id}
    assert [(library.get(run.id).state, library.get(run.id).records) for run in (cut, whole, empty)] == [
        ("interrupted", 2), ("done", 3), ("interrupted", 0),
    ]  # fmt: skip
    assert library.get(empty.id).problem == "nothing was recorded"
    assert library.get(living.id).state == "running"
    assert recover(library) == []


def test_who_is_alive():
    host, number, begun = own().rsplit(":", 2)
    assert is_alive(own())
    assert not is_alive(f"{host}:{number}:{begun}0")  # a number that was used again
    assert is_alive(f"elsewhere:{number}:{begun}")
    assert not is_alive("")
    assert not is_alive(f"{host}:999999999:")


def test_traces_in_the_folder_that_nobody_listed(library, write, tmp_path):
    write(library.folder / "traces" / "20260102-030405-ab12-digits.trace", records=2)
    (library.folder / "traces" / "begun.trace").write_bytes(b"")
    (run,) = recover(library)
    assert (run.id, run.state, run.records, run.label) == ("20260102-030405-ab12", "stopped", 2, "one")
    assert run.seconds == 1.0
    assert recover(library) == []


def test_a_trace_that_was_moved_is_found_again(library, write, tmp_path):
    run = library.begin({"seed": 1}, {"name": "m"})
    write(run.file)
    (library.folder / "traces" / "x").mkdir()
    library.finish(run.id, "done", header=take_in(library, write(tmp_path / "copy.trace")).header)
    moved = tmp_path / "moved.trace"
    run.file.rename(moved)
    (tmp_path / "copy.trace").unlink()
    found = take_in(library, moved)
    assert found.file == moved
    assert not found.missing


def test_the_same_trace_is_listed_once(library, write, tmp_path):
    first = take_in(library, write(tmp_path / "a.trace"))
    assert take_in(library, tmp_path / "a.trace").id == first.id
    assert len(library.find()) == 1
    for path, words in ((tmp_path / "none.trace", "No such file"), (write(tmp_path / "b.trace"), "")):
        if words:
            with pytest.raises(BadFile, match=words):
                take_in(library, path)


def test_the_old_cache_is_taken_over_once(library, write, tmp_path):
    cache = tmp_path / "cache"
    trunk = write(cache / "20251001-101010-999999999-0001-digits.trace", created="2025-10-01T10:10:10+00:00")
    fork = {
        "source": "step",
        "source_file": "/home/before/20251001-101010-999999999-0001-digits.trace",
        "source_step": 2,
    }
    write(cache / "20251001-101011-999999999-0002-digits.trace", request=fork, created="2025-10-01T10:10:11+00:00")
    mine = f"20251001-101012-{os.getpid()}-0001-digits.trace"  # of a window that still records
    write(cache / mine, records=1, created="2025-10-01T10:10:12+00:00")
    assert take_over(library, cache) == 2
    assert [path.name for path in cache.iterdir()] == [mine]
    assert not trunk.exists()
    child, parent = library.find()
    assert child.parent in ("", parent.id)
    assert parent.file.parent == library.folder / "traces"
    write(cache / mine, created="2025-10-01T10:10:12+00:00")
    assert take_over(library, cache) == 1
    write(cache / "20251001-101013-999999999-0004-x.trace", created="2025-10-01T10:10:13+00:00")
    assert take_over(library, cache) == 0


def test_runs_travel_with_what_stands_beside_them(library, record, tmp_path):
    run, other = record(name="best"), record()
    library.star([run.id], True)
    library.tag([run.id], "paper")
    library.annotate(run.id, "look at the eights")
    run = library.get(run.id)
    assert list(pack([run, other], tmp_path / "two.runs")) == [1, 2]
    there = Library(tmp_path / "there")
    found = list(unpack(there, tmp_path / "two.runs"))
    assert [(r.id, r.name, r.star, r.tags, r.note) for r in found] == [
        (run.id, "best", True, ("paper",), "look at the eights"), (other.id, "", False, (), ""),
    ]  # fmt: skip
    assert found[0].file.read_bytes() == run.file.read_bytes()
    list(unpack(there, tmp_path / "two.runs"))  # again: nothing is there twice
    assert len(there.find()) == 2
    assert sorted(path.suffix for path in (there.folder / "traces").iterdir()) == [".trace", ".trace"]
    there.close()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"hello"])
def test_what_is_no_bundle_is_said(library, tmp_path, content):
    (tmp_path / "x.runs").write_bytes(content)
    with pytest.raises(BadFile, match="not a file of exported runs"):
        list(unpack(library, tmp_path / "x.runs"))


def test_a_run_in_the_trash_is_not_taken_in_again(library, record):
    run = record()
    trash.delete(library, [run.id])
    assert recover(library) == []
