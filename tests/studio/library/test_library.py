"""The library: what a run leaves there, what the user adds to it, and that several share it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diffstudio.errors import BadInput, NotFound
from diffstudio.studio.library import trash
from diffstudio.studio.library.library import Library
from diffstudio.studio.library.query import Query, parse_query


def test_a_run_is_there_while_it_is_recorded_and_afterwards(library):
    request = {"model": "digits@400", "solver": "ddim", "steps": 20, "seed": 2**63 - 1, "label": 1}
    run = library.begin(request, {"name": "digits", "modality": "image", "labels": ["zero", "one"]})
    assert run.file.parent == library.folder / "traces"
    assert library.get(run.id) == run
    assert (run.state, run.label, run.checkpoint, run.seed) == ("running", "one", "digits@400", 2**63 - 1)
    library.finish(run.id, "done", bytes=1000, seconds=2.5, nfe=20, records=21, device="cpu")
    done = library.get(run.id)
    assert (done.state, done.bytes, done.seconds, done.nfe, done.records) == ("done", 1000, 2.5, 20, 21)
    assert done.ended >= done.created
    assert done.request == request
    assert done.owner == ""


def test_an_id_is_known_by_its_end_and_its_beginning(library, record):
    run = record()
    assert library.get(run.id[-4:]).id == run.id
    assert library.get(run.id[:10]).id == run.id
    record()
    with pytest.raises(NotFound, match="more than one"):
        library.get(run.id[:8])
    for key in ("", "%", "nothing"):
        with pytest.raises(NotFound, match="no run"):
            library.get(key)


def test_what_a_user_adds_stays(library, record, tmp_path):
    run = record()
    library.star([run.id], True)
    library.rename(run.id, "  my   best ")
    library.annotate(run.id, "the eights are good")
    library.tag([run.id], "#paper")
    library.tag([run.id], "figure")
    library.tag([run.id], "paper")
    library.mark(run.id, {"markers": [{"chain": "reverse", "step": 3, "name": "here"}]})
    library.set_picture(run.id, b"png")
    library.close()
    again = Library(tmp_path / "library")
    found = again.get(run.id)
    assert (found.star, found.name, found.note, found.tags) == (
        True,
        "my best",
        "the eights are good",
        ("figure", "paper"),
    )
    assert found.marks["markers"][0]["name"] == "here"
    assert again.pictures([run.id, "other"]) == {run.id: b"png"}
    assert [r.id for r in again.find(parse_query("eights tag:paper"))] == [run.id]
    again.tag([run.id], "paper", False)
    assert again.find(parse_query("tag:paper")) == []
    again.close()


def test_a_tag_is_one_word(library, record):
    run = record()
    for word in ("", "two words", "x" * 61):
        with pytest.raises(BadInput, match="is not a tag"):
            library.tag([run.id], word)


def test_a_folder_that_was_moved_is_whole(library, record, tmp_path):
    run = record()
    library.close()
    (tmp_path / "library").rename(tmp_path / "elsewhere")
    again = Library(tmp_path / "elsewhere")
    assert again.get(run.id).file.read_bytes()
    again.close()


def test_a_trace_that_is_gone_is_missing(library, record):
    run = record()
    assert not run.missing
    run.file.unlink()
    assert library.get(run.id).missing


def test_the_tree_of_branches(library, record):
    trunk = record(name="trunk")
    late, early = (record(name=n, parent=trunk.id, parent_step=s) for n, s in (("late", 9), ("early", 4)))
    leaf = record(name="leaf", parent=late.id, parent_step=12)
    record(name="another")
    assert [run.name for run in library.children(trunk.id)] == ["early", "late"]
    for run in (trunk, early, leaf):
        assert [found.name for found in library.tree(run.id)] == ["trunk", "early", "late", "leaf"]
    library.update(trunk.id, parent=leaf.id)  # a circle, which only a damaged library has
    assert len(library.tree(leaf.id)) == 4


def test_what_is_deleted_comes_back(library, record):
    run, other, going = record(name="a"), record(name="b"), record(name="c", state="running")
    assert trash.delete(library, [run.id, going.id]) == [run.id]
    assert not run.file.exists()
    assert [found.name for found in library.find(Query(trash=True))] == ["a"]
    assert {found.name for found in library.find()} == {"b", "c"}
    trash.restore(library, [run.id])
    assert library.get(run.id).file == run.file
    assert run.file.exists()
    trash.delete(library, [run.id])
    size = library.get(run.id).file.stat().st_size
    assert trash.empty_trash(library) == size
    assert list((library.folder / "trash").iterdir()) == []
    with pytest.raises(NotFound):
        library.get(run.id)
    assert other.file.exists()


def test_a_trace_that_lies_elsewhere_is_never_deleted(library, write, tmp_path):
    from diffstudio.studio.library.intake import take_in

    mine = write(tmp_path / "mine.trace")
    run = take_in(library, mine)
    trash.delete(library, [run.id])
    trash.empty_trash(library)
    assert mine.exists()


def test_room_is_made_of_the_least_valuable_first(library, record):
    old, starred, stopped, new = record(name="old"), record(name="starred"), record("stopped"), record(name="new")
    record("running")
    library.star([starred.id], True)
    size = old.bytes
    assert trash.room_plan(library, 10 * size) == []
    order = [stopped.id, old.id, new.id]
    for count in range(1, 4):
        kept = library.bytes() - count * size
        assert [run.id for run in trash.room_plan(library, kept)] == order[:count]
    assert [run.id for run in trash.room_plan(library, 0, in_use=[old.id])] == [stopped.id, new.id]


def test_several_processes_write_at_once_and_a_window_sees_it(library, tmp_path):
    code = (
        "import sys; from pathlib import Path; from diffstudio.studio.library.library import Library\n"
        "library = Library(Path(sys.argv[1]))\n"
        "for k in range(40):\n"
        "    run = library.begin({'seed': k}, {'name': sys.argv[2]}); library.finish(run.id, 'done')\n"
    )
    before = library.change
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "library"), f"m{n}"], stderr=subprocess.PIPE)
        for n in range(3)
    ]
    for child in children:
        assert child.communicate()[1] == b""
    assert library.change != before
    assert library.count(parse_query("state:done")) == 120
    assert library.count(parse_query("model:m1")) == 40


def test_a_killed_process_loses_nothing_that_was_finished(tmp_path):
    code = (
        "import sys, itertools; from pathlib import Path; from diffstudio.studio.library.library import Library\n"
        "library = Library(Path(sys.argv[1]))\n"
        "for k in itertools.count():\n"
        "    run = library.begin({'seed': k}, {'name': 'm'})\n"
        "    library.finish(run.id, 'done'); print(run.id, flush=True)\n"
    )
    said = []
    for _ in range(4):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "l")], stdout=subprocess.PIPE, text=True)
        said += [child.stdout.readline().strip() for _ in range(25)]
        child.kill()
        said += [line.strip() for line in child.stdout if line.endswith("\n")]
        child.wait()
        child.stdout.close()
    library = Library(tmp_path / "l")
    assert library.notice == ""
    assert {run.id for run in library.find(parse_query("state:done"))} >= set(said)
    assert library.table.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    library.close()


def test_the_summary_is_plain_json(library, record):
    run = record(cell={"steps": 20})
    found = json.loads(json.dumps(run.summary()))
    assert {"id", "request", "state", "path"} <= found.keys()
    assert Path(found["path"]) == run.file
    assert found["cell"] == {"steps": 20}
