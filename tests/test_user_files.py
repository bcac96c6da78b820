"""Only regular files are read, and no more of them than there should be."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.errors import BadFile, BadInput
from diffstudio.user_files import open_regular, read_regular, read_text

posix = pytest.mark.skipif(os.name == "nt", reason="this system has no such files")


@pytest.fixture(autouse=True)
def _not_waited_for():
    """A pipe that is waited for fails the test instead of the whole run."""

    def waited(*_):
        raise AssertionError("waited for somebody to write into the pipe")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert read_regular(tmp_path / "a", 3) == b"abc"
    assert read_text(tmp_path / "a", 3) == "abc"
    with open_regular(tmp_path / "a") as stream:
        assert stream.read() == b"abc"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", "there is no file"),
        (".", "it is a folder, expected a file"),
        ("x" * 300, "can't read"),
        ("\0", "can't"),
    ],
)
def test_what_is_no_file_is_a_sentence(tmp_path, name, says):
    with pytest.raises(BadInput, match=says):
        read_regular(tmp_path / name, 10)
    with pytest.raises(BadInput, match=r"^can't read the mask "):
        open_regular(tmp_path / name, 10, "the mask ")


@posix
@pytest.mark.parametrize("make", ["pipe", "link to a pipe", "device", "loop"])
def test_what_never_ends_is_not_waited_for(tmp_path, make):
    path = tmp_path / "a.png"
    if make == "device":
        path.symlink_to("/dev/zero")
    elif make == "loop":
        path.symlink_to(path)
    else:
        os.mkfifo(tmp_path / "pipe" if "link" in make else path)
        if "link" in make:
            path.symlink_to(tmp_path / "pipe")
    with pytest.raises(BadInput, match="Too many levels" if make == "loop" else "it is a pipe or a device"):
        read_regular(path, 10)


@posix
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for_either(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    os.mkfifo(path)
    (tmp_path / "file").write_bytes(b"abc")
    stat = type(path).stat
    monkeypatch.setattr(type(path), "stat", lambda self: stat(tmp_path / "file"))
    with pytest.raises(BadInput, match="it is a pipe or a device"):
        open_regular(path)


def test_too_much_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a").open("wb") as stream:
        stream.truncate(1 << 40)  # a hole: nothing is written
    with pytest.raises(BadInput, match="has 1,099,511,627,776 bytes, expected at most 100"):
        read_regular(tmp_path / "a", 100)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no such file")
def test_a_file_that_says_it_is_empty_is_read_no_further_than_allowed():
    with pytest.raises(BadInput, match="has more than 10 bytes"):
        read_regular(Path("/proc/self/status"), 10)


def test_what_is_not_wanted_any_more_is_not_read_on(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(Cancelled), cancellable(lambda: True):
        read_regular(tmp_path / "a", 10)


def test_another_kind_of_text_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"ab\xff")
    with pytest.raises(BadFile, match=r"not a UTF-8 text \(byte 2\)"):
        read_text(tmp_path / "a", 10)
