"""Writing: the old file or the new one, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
import sys

import pytest

from diffstudio.errors import BadInput
from diffstudio.files import atomic_folder, atomic_write, check_can_write, write_bytes

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def old(tmp_path):
    """A file that is to be replaced."""
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    return file


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_a_new_file_has_exactly_what_was_written(tmp_path):
    file = tmp_path / "new.bin"
    with atomic_write(file) as stream:
        stream.write(b"\x00one")
        stream.write(b"two\r\n")
    assert file.read_bytes() == b"\x00onetwo\r\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_longer_old_file_is_replaced_as_a_whole(old):
    old.write_bytes(b"x" * 1000)
    write_bytes(str(old), b"new")
    assert old.read_bytes() == b"new"


def test_until_the_end_readers_see_the_old_file(old):
    with atomic_write(old) as stream:
        stream.write(b"new" * 100_000)
        stream.flush()
        assert old.read_bytes() == b"old"
    assert old.read_bytes() == b"new" * 100_000


def test_an_open_reader_keeps_what_it_opened(old):
    with old.open("rb") as reader:
        write_bytes(old, b"new")
        assert reader.read() == b"old"


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_an_exception_while_writing_leaves_the_old_file_and_passes_on(old, failure):
    with pytest.raises(type(failure)) as caught, atomic_write(old) as stream:
        stream.write(b"half of the n")
        raise failure
    assert caught.value is failure
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_an_exception_while_writing_a_new_file_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="no"), atomic_write(tmp_path / "new.bin") as stream:
        stream.write(b"half")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_leaves_the_old_file_and_is_said(old, at, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(at, full)
    with pytest.raises(BadInput, match=r"^can't write .*settings\.json: No space left on device$"):
        write_bytes(old, b"new")
    monkeypatch.undo()
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")  # noqa: PTH110
def test_a_device_that_is_really_full_is_noticed_too(old, monkeypatch):
    """The bytes wait in a buffer: the error comes at the flush, not at the write."""
    real = os.fdopen

    def onto_full_device(descriptor, mode):
        os.close(descriptor)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr("os.fdopen", onto_full_device)
    with pytest.raises(BadInput, match=r"settings\.json: No space left on device"):
        write_bytes(old, b"new")
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_everything_is_on_the_disk_before_the_name_changes(old, monkeypatch):
    """Otherwise a power cut could leave the name on an empty file. The folder, which holds the name, comes last."""
    done, fsync, replace = [], os.fsync, type(old).replace

    def noted_fsync(descriptor):
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else f"{os.fstat(descriptor).st_size} bytes"
        done.append(kind)
        fsync(descriptor)

    def noted_replace(self, target):
        done.append("replace")
        return replace(self, target)

    monkeypatch.setattr("os.fsync", noted_fsync)
    monkeypatch.setattr("pathlib.Path.replace", noted_replace)
    write_bytes(old, b"12345")
    assert done == ["5 bytes", "replace"] + (["folder"] if os.name != "nt" else [])


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_mode_is_that_of_any_new_file_of_the_user(tmp_path, mask, mode, umask):
    umask(mask)
    write_bytes(tmp_path / "ours", b"")
    (tmp_path / "theirs").write_bytes(b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "theirs")]
    assert modes == [mode, mode]
    assert os.umask(mask) == mask  # and the umask is as it was


@POSIX
def test_while_it_is_written_nobody_else_can_read_it(tmp_path):
    with atomic_write(tmp_path / "private") as stream:
        assert stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == 0o600


def test_a_missing_folder_is_said_with_the_path(tmp_path):
    with pytest.raises(BadInput, match=r"^can't write .*nowhere.x\.json: No such file or directory$"):
        write_bytes(tmp_path / "nowhere" / "x.json", b"")


def test_a_folder_in_the_way_is_said_and_kept(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    with pytest.raises(BadInput, match=r"can't write .*x: "):
        write_bytes(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@POSIX
@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_a_folder_without_permission_is_said(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(BadInput, match="Permission denied"):
            write_bytes(tmp_path / "x", b"new")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("name", ["é" * 100, "a" * 250, "ü b.json", ".hidden"])
def test_any_name_that_a_file_can_have_will_do(tmp_path, name):
    write_bytes(tmp_path / name, b"new")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_two_writers_at_once_leave_one_of_the_two(old):
    with atomic_write(old) as first, atomic_write(old) as second:
        first.write(b"first" * 1000)
        second.write(b"second" * 1000)
    assert old.read_bytes() == b"first" * 1000  # whose end came last
    assert list(old.parent.iterdir()) == [old]


# -- what a file system can't do


def refusing(number, only=lambda *_: True):
    """A call of the system that answers so."""

    def refuse(*args, **_):
        if only(*args):
            raise OSError(number, os.strerror(number), str(args[0]))
        return

    return refuse


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EIO])
@pytest.mark.parametrize("at", ["os.chmod", "pathlib.Path.chmod"])
def test_a_mode_that_can_not_be_set_is_no_reason_to_lose_a_file(tmp_path, monkeypatch, at, number):
    monkeypatch.setattr(at, refusing(number))
    write_bytes(tmp_path / "a.bin", b"new")
    with atomic_folder(tmp_path / "folder") as folder:
        (folder / "b").write_bytes(b"x")
    monkeypatch.undo()
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert (tmp_path / "folder" / "b").read_bytes() == b"x"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM])
def test_a_flush_that_the_file_system_does_not_know_is_left_out(old, monkeypatch, number):
    monkeypatch.setattr("os.fsync", refusing(number))
    write_bytes(old, b"new")
    with atomic_folder(old.parent / "folder") as folder:
        (folder / "b").write_bytes(b"x")
    assert old.read_bytes() == b"new"


@POSIX
@pytest.mark.parametrize("number", [errno.EACCES, errno.EINVAL, errno.EIO])
def test_a_folder_that_can_not_be_flushed_has_the_file_all_the_same(old, monkeypatch, number):
    real = os.open
    opened = refusing(number, lambda path, *_: os.path.isdir(path))  # noqa: PTH112
    monkeypatch.setattr("os.open", lambda path, *more, **named: opened(path) or real(path, *more, **named))
    write_bytes(old, b"new")
    assert old.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EXDEV, errno.EBUSY, errno.EINVAL, errno.ENOTSUP])
@pytest.mark.parametrize("copied", [False, True])
def test_what_can_not_take_its_name_is_kept_under_another(old, monkeypatch, number, copied):
    monkeypatch.setattr("pathlib.Path.replace", refusing(number))
    if copied:
        monkeypatch.setattr("pathlib.Path.rename", refusing(number))
    for kept in ("settings (kept 1).json", "settings (kept 2).json"):
        with pytest.raises(BadInput, match=r"can't write .*settings\.json: .*; what was made is kept as ") as caught:
            write_bytes(old, b"new")
        assert str(caught.value).endswith(str(old.parent / kept))
        assert (old.parent / kept).read_bytes() == b"new"
    assert old.read_bytes() == b"old"
    assert len(list(old.parent.iterdir())) == 3


def test_a_folder_that_can_not_take_its_name_is_kept_under_another(tmp_path, monkeypatch):
    rename = type(tmp_path).rename
    refuse = refusing(errno.EACCES, lambda _, target: target.name == "samples")
    monkeypatch.setattr("pathlib.Path.rename", lambda self, target: refuse(self, target) or rename(self, target))
    with pytest.raises(BadInput, match="what was made is kept as"), atomic_folder(tmp_path / "samples") as folder:
        (folder / "b").write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["samples (kept 1)"]
    assert (tmp_path / "samples (kept 1)" / "b").read_bytes() == b"x"


def test_with_no_room_beside_it_is_kept_in_the_users_own_folder(old, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr("pathlib.Path.home", lambda: home)
    refuse = refusing(errno.EACCES, lambda _, target: target.parent == old.parent)
    replace = type(old).replace
    monkeypatch.setattr("pathlib.Path.replace", lambda self, target: refuse(self, target) or replace(self, target))
    monkeypatch.setattr("pathlib.Path.rename", refusing(errno.EXDEV))
    monkeypatch.setattr("shutil.copyfile", lambda a, b: refuse(a, b) or b.write_bytes(a.read_bytes()))
    with pytest.raises(BadInput, match="kept as"):
        write_bytes(old, b"new")
    assert (home / "settings (kept 1).json").read_bytes() == b"new"
    assert list(old.parent.iterdir()) == [old]


# -- before anything is computed


def test_what_can_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "there.png").write_bytes(b"old")
    for name in ("new.png", "there.png", ".", "a" * 255, "é" * 127):
        check_can_write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]
    assert (tmp_path / "there.png").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a" * 252 + ".png", "can't write .*png: File name too long"),
        ("é" * 128, "File name too long"),
        ("none/a.png", "there is no folder .*none: make it first"),
        ("a" * 300 + "/a.png", "there is no folder"),
        ("a\0b", "can't write"),
    ],
)
def test_what_can_not_be_written_is_said(tmp_path, name, says):
    with pytest.raises(BadInput, match=says):
        check_can_write(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_a_pipe_and_a_device_are_no_place_for_a_result(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", type(tmp_path)("/dev/null")):
        with pytest.raises(BadInput, match="it is a pipe or a device"):
            check_can_write(path)


def test_a_name_that_the_file_system_does_not_take_is_said(tmp_path, monkeypatch):
    real = os.open
    refuse = refusing(errno.EINVAL, lambda path: "?" in str(path))
    monkeypatch.setattr("os.open", lambda path, *more, **named: refuse(path) or real(path, *more, **named))
    with pytest.raises(BadInput, match=r"can't write .*why\?\.png: Invalid argument"):
        check_can_write(tmp_path / "why?.png")
