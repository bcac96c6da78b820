"""What a killed process leaves is swept by the next that starts; what belongs to a living one, or to others, is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from diffstudio import processes, scratch
from diffstudio.files import atomic_folder, atomic_write
from diffstudio.processes import is_gone, own_mark
from diffstudio.scratch import scratch_folder, sweep, temporary_file, temporary_folder

posix = pytest.mark.skipif(os.name == "nt", reason="a process can't be killed so there")
CHILD = """
import os, sys, time
from pathlib import Path
from diffstudio.files import atomic_folder, atomic_write
from diffstudio.scratch import scratch_folder, temporary_file, temporary_folder
there = Path(sys.argv[1])
with scratch_folder() as own, atomic_folder(there / "new") as folder, atomic_write(there / "a.png") as stream:
    (own / "weights").write_bytes(b"x")
    (folder / "0000.png").write_bytes(b"x")
    stream.write(b"half of it")
    stream.flush()
    (temporary_folder(there, "run") / "run.trace").write_bytes(b"x")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "diffstudio" / "scratch"
    scratch.forget()


@pytest.fixture
def there(tmp_path):
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


@pytest.fixture
def writing(there):
    """A process in the middle of writing everything that can be written."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(there)], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@posix
def test_what_a_killed_process_left_is_swept_and_nothing_else(writing, there, home):
    (there / "mine.tmp").write_bytes(b"")
    (there / ".mine.png.abcd.tmp").write_bytes(b"")
    assert len(names(there)) == 2 + 3 and len(names(home)) == 2
    assert sweep() == []  # it lives
    writing.kill()
    writing.wait()
    assert len(sweep()) == 4
    assert names(there) == [".mine.png.abcd.tmp", "mine.tmp"]
    assert names(home) == []


@posix
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_ends_leaves_nothing(there, home, how):
    code = CHILD.replace(
        "import os, sys, time", "import os, signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(3))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(there)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    child.send_signal(how)
    child.wait()
    child.stdout.close()
    # What nobody but the test was to remove is left: the folder that no `with` holds.
    assert [name for name in names(there) if not name.startswith(".run.")] == []
    assert [name for name in names(home) if name.endswith(".list")] == []


def test_a_list_is_believed_only_for_what_is_named_so_and_belongs_to_the_user(there, home, monkeypatch):
    gone = f"{os.getpid()}-1-{processes._host()}-{processes._boot()}"
    assert is_gone(gone)
    home.mkdir(parents=True)
    other = f".b.{own_mark()}.0000.tmp"
    mine = [there / f".a.{gone}.0000.tmp", there / "thesis.tex", there / f"a.{gone}.tex", there / other]
    (there / "folder").mkdir()
    (there / "folder" / "x").write_bytes(b"")
    for path in mine:
        path.write_bytes(b"")
    link = there / f".l.{gone}.0000.tmp"
    link.symlink_to(there / "folder")
    listed = [*mine, link, there / "none", there / "folder"]
    (home / f"{gone}.list").write_bytes(b"\0".join(os.fsencode(path) for path in listed) + b"\0relative\0\xff")
    assert sweep() == [mine[0]]
    assert names(there) == sorted([*(path.name for path in mine[1:]), link.name, "folder"])
    assert names(there / "folder") == ["x"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no such owner there")
def test_what_belongs_to_another_user_is_left(there, home, monkeypatch):
    gone = f"{os.getpid()}-1-{processes._host()}-{processes._boot()}"
    home.mkdir(parents=True)
    path = there / f".a.{gone}.0000.tmp"
    path.write_bytes(b"")
    (home / f"{gone}.list").write_bytes(os.fsencode(path))
    monkeypatch.setattr("os.getuid", lambda: 123_456)
    assert sweep() == []
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(home.parent.parent))
    assert sweep() == [path]


def test_only_a_process_that_has_surely_ended_is_gone():
    number, began, host, boot = own_mark().split("-")
    assert not is_gone(own_mark())
    assert is_gone(f"{number}-{int(began, 16) + 1:x}-{host}-{boot}")  # the number was given anew
    assert is_gone(f"{2**22 + 1}-{began}-{host}-{boot}")  # there is no such process
    assert is_gone(f"{number}-{began}-{host}-{'0' * 8}")  # before the machine was started anew
    assert not is_gone(f"{number}-{int(began, 16) + 1:x}-{'0' * 8}-{boot}")  # on another machine
    for strange in ("", "a", "1-2-3-4", f"{own_mark()}x", f"../{own_mark()}"):
        assert not is_gone(strange)


@posix
def test_a_child_of_this_process_has_a_mark_of_its_own():
    code = "from diffstudio.processes import own_mark; print(own_mark())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert said != own_mark() and is_gone(said)


@pytest.mark.parametrize("name", ["a.png", "é" * 100, "why?*:<>|.png", "", "..", "a" * 250])
def test_names_are_short_and_possible_whatever_the_file_is_called(there, name):
    descriptor, path = temporary_file(there, name)
    os.close(descriptor)
    folder = temporary_folder(there, name)
    for made in (path, folder):
        assert made.parent == there and made.name.startswith(".") and len(os.fsencode(made.name)) < 255
        assert not set(made.name) & set('?*:<>|"\\/')
        assert scratch.is_temporary(made)
    assert not scratch.is_temporary(there)


def test_where_nothing_can_be_remembered_files_are_written_all_the_same(there, monkeypatch, tmp_path):
    (tmp_path / "cache").write_bytes(b"")  # no folder can be made there
    with atomic_write(there / "a") as stream:
        stream.write(b"x")
    with atomic_folder(there / "b"):
        pass
    assert names(there) == ["a", "b"]
    assert sweep() == []
    with pytest.raises(OSError), scratch_folder():
        pass
