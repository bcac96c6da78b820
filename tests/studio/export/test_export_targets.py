"""Where an export goes: what a target can hold, how large it may be, and all or nothing."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from diffstudio.errors import BadFile, BadInput, NoRoom
from diffstudio.studio.export import layout
from diffstudio.studio.export.options import CLIPS
from diffstudio.studio.export.write import KINDS, SUFFIXES, ExportOptions, check_target, export, kinds_for, suffix_of


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def test_an_unknown_suffix_is_refused_with_the_known_ones(both, tmp_path):
    with pytest.raises(BadInput, match=r"'\.bmp' file: use \.png, \.jpg, .*\.npz, .*folder"):
        export(both, tmp_path / "a.bmp", ExportOptions())
    assert kinds_for(".PNG", "image") == ("picture", "strip", "animation")
    assert {kind for kinds in (*SUFFIXES.values(), *CLIPS.values()) for kind in kinds} == set(KINDS)
    assert kinds_for(".csv", "points") == ("samples",)
    (tmp_path / "v1.2").mkdir()
    assert suffix_of(tmp_path / "v1.2") == ""


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("a.jpg", "animation", r"a '\.jpg' file can't hold the animation: use \.png, \.webp, \.gif, \.apng"),
        ("a.png", "frames", r"a '\.png' file can't hold the numbered pictures: use a folder"),
        ("folder", "trace", r"a folder can't hold the trace: use \.trace"),
        ("a.csv", "samples", r"samples of image as a '\.csv' file"),
        ("no/a.png", "picture", "there is no folder .*no: make it first"),
        ("file", "frames", "is a file, expected a folder"),
        ("file/a.png", "picture", "there is no folder"),
    ],
)
def test_a_target_that_won_t_do(both, tmp_path, name, kind, message):
    (tmp_path / "file").touch()
    before = contents(tmp_path)
    with pytest.raises(BadInput, match=message):
        export(both, tmp_path / name, ExportOptions(kind))
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "kind", "shape", "scale", "message"),
    [
        ("a.webp", "picture", (1, 1, 300, 300), 60, r"18,000×18,000 pixels, a '\.webp' file holds at most 16,383"),
        ("a.jpg", "picture", (1, 1, 2, 1100), 64, r"70,400×128 pixels, a '\.jpg' file holds at most 65,500 a side"),
        ("a.png", "strip", (1, 1, 100, 4000), 8, "at most 100,000 a side"),
        ("a.png", "picture", (1, 1, 300, 300), 64, "19,200×19,200 pixels, .* at most 178,956,970 in all"),
        ("frames", "frames", (1, 1, 300, 300), 64, "at most 178,956,970 in all"),
        ("a.png", "picture", (4, 2), 64, "use a smaller scale"),
    ],
)
def test_a_picture_that_is_too_large_is_refused(make_trace, tmp_path, name, kind, shape, scale, message):
    trace = make_trace(np.zeros((4, *shape), np.float32))
    with pytest.raises(BadInput, match=message):
        export(trace, tmp_path / name, ExportOptions(kind, scale=scale))
    assert not (tmp_path / name).exists()


def test_an_animation_that_does_not_fit_into_memory_is_refused(both, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "free_memory", lambda: 1000)
    with pytest.raises(NoRoom, match=r"an animation of 5 pictures of .* needs .* only 1 kB is free"):
        export(both, tmp_path / "a.gif", ExportOptions("animation"))


# All or nothing

EVERYTHING = [
    ("a.png", "picture"), ("a.jpg", "picture"), ("a.webp", "picture"), ("a.tif", "picture"), ("a.png", "strip"),
    ("a.gif", "animation"), ("a.webp", "animation"), ("a.apng", "animation"), ("a.npz", "arrays"),
    ("a.trace", "trace"), ("folder", "frames"), ("folder", "samples"),
]  # fmt: skip


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(("name", "kind"), EVERYTHING)
def test_a_full_disk_leaves_everything_as_it_was(both, tmp_path, monkeypatch, name, kind, there):
    target = tmp_path / "out" / name
    target.parent.mkdir()
    if there and name == "folder":
        target.mkdir()
        (target / "0000.png").write_text("old")
    elif there:
        target.write_text("old")
    before = contents(tmp_path / "out")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match=r"can't write .*: No space left on device"):
        export(both, target, ExportOptions(kind))
    monkeypatch.undo()
    assert contents(tmp_path / "out") == before
    assert {p.name for p in target.parent.iterdir()} == ({target.name} if there else set())


@pytest.mark.parametrize("patience", [0, 1])
@pytest.mark.parametrize(("name", "kind"), EVERYTHING)
def test_stopping_leaves_nothing_behind(both, tmp_path, name, kind, patience):
    (tmp_path / "out").mkdir()
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > (0 if kind == "trace" else patience)  # a small trace is one step

    assert export(both, tmp_path / "out" / name, ExportOptions(kind), stop=stop) == []
    assert list((tmp_path / "out").iterdir()) == []
    assert len(asked) <= 2


@pytest.mark.parametrize(("name", "kind"), EVERYTHING)
def test_progress_ends_at_its_total(both, tmp_path, name, kind):
    seen = []
    export(both, tmp_path / name, ExportOptions(kind), progress=lambda done, total: seen.append((done, total)))
    total = {"picture": 1, "trace": 1, "arrays": 15, "samples": 6}.get(kind, 5)
    assert seen == [(i, total) for i in range(1, total + 1)]


def test_a_trace_that_is_cut_or_gone_is_one_sentence(both, tmp_path):
    os.truncate(both.path, 3000)
    for name, kind in EVERYTHING:
        with pytest.raises(BadFile, match=r"made-0\.trace"):
            export(both, tmp_path / name, ExportOptions(kind))
        assert not (tmp_path / name).exists()
    both.path.unlink()
    with pytest.raises(BadFile, match=r"made-0\.trace"):
        export(both, tmp_path / "a.trace", ExportOptions("trace"))
    assert {p.suffix for p in tmp_path.iterdir()} <= {""}


def test_check_target_alone_answers_before_a_run(tmp_path):
    check_target(tmp_path / "a.gif", "animation", "image")
    check_target(tmp_path / "a.csv", "samples", "points")
    with pytest.raises(BadInput):
        check_target(tmp_path / "a.gif", "picture", "image")
