"""Sources and masks that would be waited for, fill the memory or start programs: each is a sentence, at once."""

from __future__ import annotations

import io
import os
import signal
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.data import spoken
from diffstudio.errors import BadFile, BadInput, DiffStudioError
from diffstudio.modalities import Meaning, clip_file, picture_file, sound_file, table_file, wave_file
from diffstudio.modalities.wave_file import wave_bytes
from diffstudio.studio import sources
from diffstudio.studio.masks import load_mask
from diffstudio.studio.provenance import read_settings
from diffstudio.studio.sources import inspect_source, is_known, load_source

MEANINGS = {
    "image": Meaning("image", (1, 8, 8)),
    "points": Meaning("points", (2,)),
    "video": Meaning("video", (3, 1, 8, 8)),
    "audio": Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump()}),
    "text": Meaning("text", (1, 8), {"text": {"vocabulary": list(" abc"), "process": "masked"}}),
}
KINDS = [
    ("image", "a.png"), ("image", "a.jpg"), ("image", "a.npy"), ("image", "a.npz"), ("image", "a.trace"),
    ("points", "a.csv"), ("text", "a.txt"), ("video", "a.gif"), ("video", "a.mp4"), ("audio", "a.wav"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _not_waited_for():
    def waited(*_):
        raise AssertionError("waited for somebody to write into the pipe")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_pipe_or_a_device_under_any_name_is_refused(tmp_path, kind, name):
    if name.endswith(".mp4"):
        pytest.importorskip("av")
    os.mkfifo(tmp_path / name)
    (tmp_path / f"device-{name}").symlink_to("/dev/zero")
    for path in (tmp_path / name, tmp_path / f"device-{name}"):
        for read in (
            lambda path: inspect_source(path, MEANINGS[kind]),
            lambda path: load_source(path, MEANINGS[kind], "crop"),
            lambda path: load_mask(path, (1, 8, 8)),
            read_settings,
        ):
            with pytest.raises(DiffStudioError, match=r"it is a pipe or a device|it is not a file"):
                read(path)


def refused(path, kind, error=BadInput, most=12 << 20):
    """The sentence; at most so many bytes of memory are needed for it."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            load_source(path, MEANINGS[kind], "crop")
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [("points", "a.csv", table_file.MAX_BYTES), ("audio", "a.wav", wave_file.MAX_BYTES),
     ("image", "a.png", picture_file.MAX_BYTES), ("points", "a.npy", sources.MAX_BYTES)],
)  # fmt: skip
def test_a_file_with_a_hole_of_gigabytes_is_not_read(tmp_path, kind, name, most):
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write(b"1,2\n")
        stream.truncate(50 << 30)
    assert f"has 53,687,091,200 bytes, expected at most {most:,}" in refused(path, kind)


def npy(shape, data=b"", dtype="<f4", fortran=False):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": fortran, "shape": shape})
    return out.getvalue() + data


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def test_an_array_is_judged_by_its_header(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy((1 << 24, 2), b"x" * 100))
    assert "is not an array file" in refused(tmp_path / "a.npy", "points", BadFile)
    (tmp_path / "a.npy").write_bytes(npy((4, 2), bytes(8 << 20), "<U262144"))
    assert "holds values of type <U262144, expected numbers" in refused(tmp_path / "a.npy", "points")
    hole = np.zeros((1 << 25, 2), np.uint8)  # 64 MB that are 64 kB in the archive
    assert "holds an array of 67,108,864 values" in refused(
        packed(tmp_path / "a.npz", ("a.npy", npy(hole.shape, hole.tobytes(), "|u1"))), "points"
    )


def test_an_archive_of_too_many_arrays_is_not_listed(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.npz", *((f"{i}.npy", b"") for i in range(30)))
    monkeypatch.setattr(sources, "MAX_MEMBERS", 29)
    assert "an archive of 30 files, expected at most 29" in refused(path, "points", BadFile)


@pytest.mark.parametrize("fortran", [False, True])
def test_of_our_own_arrays_the_last_state_is_read_whatever_came_before(tmp_path, monkeypatch, fortran):
    states = np.arange(24.0, dtype="<f4").reshape(3, 4, 2)
    data = npy(states.shape, states.tobytes("F" if fortran else "C"), fortran=fortran)
    monkeypatch.setattr(sources, "PIECE", 5)
    found = load_source(packed(tmp_path / "a.npz", ("xt.npy", data)), MEANINGS["points"])
    np.testing.assert_array_equal(found, states[-1])


def test_a_table_of_too_many_rows_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 50)
    monkeypatch.setattr(table_file, "MAX_ROWS", 49)
    assert "more than 49 rows" in refused(tmp_path / "a.csv", "points")


def gif(path, size, count):
    first, *others = [Image.fromarray(np.full(size, 3 * i, np.uint8)) for i in range(count)]
    first.save(path, save_all=True, append_images=others)
    return path


def test_an_animated_picture_is_judged_by_all_its_frames(tmp_path, monkeypatch):
    path = gif(tmp_path / "a.gif", (40, 40), 8)
    assert inspect_source(path, MEANINGS["video"]).size == (40, 40)
    monkeypatch.setattr(clip_file, "MAX_ANIMATION", 7 * 1600)
    assert "more than 11,200 pixels in all its frames of 40×40" in refused(path, "video")
    monkeypatch.setattr(clip_file, "MAX_ANIMATED_PIXELS", 1599)
    assert "frames of 40×40 pixels: make it smaller first" in refused(path, "video")


def test_a_picture_with_transparent_places_takes_twice_as_much_and_may_be_half_as_large(tmp_path, monkeypatch):
    Image.new("RGBA", (20, 20)).save(tmp_path / "a.png")
    Image.new("RGB", (20, 20)).save(tmp_path / "b.png")
    monkeypatch.setattr(picture_file, "MAX_TRANSPARENT", 399)
    assert "has 20×20 pixels, expected at most 399" in refused(tmp_path / "a.png", "image")
    assert load_source(tmp_path / "b.png", MEANINGS["image"], "crop").shape == (1, 1, 8, 8)


def test_a_mask_of_another_size_is_not_decoded(tmp_path, monkeypatch):
    Image.new("L", (3000, 3000)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(BadInput, match=r"is a mask of 3000×3000 pixels, the model needs 8×8"):
        load_mask(tmp_path / "a.png", (1, 8, 8))


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_what_would_start_a_program_is_no_picture(tmp_path, name):
    """Pillow gives EPS to Ghostscript, whatever the file is called."""
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / name).write_bytes(page)
    assert "is not a picture that can be read" in refused(tmp_path / name, "image", BadFile)


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", b"ffconcat version 1.0\nfile /etc/passwd\n"]
)
def test_a_list_of_other_files_is_no_movie(tmp_path, content):
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_bytes(content)
    assert "is not a video that can be read" in refused(tmp_path / "a.mp4", "video", BadFile, 64 << 20)


def test_a_sound_of_a_million_chunks_is_none(tmp_path):
    content = wave_bytes(np.zeros(100), 8000)
    (tmp_path / "a.wav").write_bytes(content[:12] + b"junk\0\0\0\0" * 1_000_000 + content[12:])
    assert "more than 1,000 chunks" in refused(tmp_path / "a.wav", "audio", BadFile)


def long_sound(path, rate, seconds, channels=1):
    """Quiet noise with a loud tone of half a second in its last third, 16 bits."""
    count = rate * seconds
    wave = np.random.default_rng(0).normal(0, 300, (count, channels))
    first = 2 * count // 3
    wave[first : first + rate // 2] += 20_000 * np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate)[:, None]
    data = wave.astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, channels, rate,
                       2 * rate * channels, 2 * channels, 16)  # fmt: skip
    path.write_bytes(head + b"data" + struct.pack("<I", len(data)) + data)


@pytest.mark.parametrize(("rate", "seconds", "channels"), [(8000, 120, 1), (44_101, 20, 2), (767_999, 8, 1)])
def test_of_a_long_sound_only_what_lies_around_its_loudest_stretch_is_resampled(
    tmp_path, monkeypatch, rate, seconds, channels
):
    path = tmp_path / "a.wav"
    long_sound(path, rate, seconds, channels)
    resampled, resample = [], sound_file.resample
    monkeypatch.setattr(
        sound_file, "resample", lambda wave, *rates: (resampled.append(len(wave)), resample(wave, *rates))[1]
    )
    tracemalloc.start()
    try:
        found = load_source(path, MEANINGS["audio"])
        assert tracemalloc.get_traced_memory()[1] < 220 << 20
    finally:
        tracemalloc.stop()
    assert found.shape == (1, 1, 64, 32)
    assert resampled[0] <= 3.01 * rate
    loudest = found[0, 0].mean(1).argmax()  # the band of the tone
    (tmp_path / "b.wav").write_bytes(wave_bytes(0.5 * np.sin(np.arange(4000) * 2 * np.pi * 440 / 8000), 8000))
    assert loudest == load_source(tmp_path / "b.wav", MEANINGS["audio"])[0, 0].mean(1).argmax()


@pytest.mark.parametrize("kind", ["video", "points", "audio"])
def test_what_is_not_wanted_any_more_is_not_read_on(tmp_path, kind):
    path = tmp_path / {"video": "a.gif", "points": "a.npz", "audio": "a.wav"}[kind]
    if kind == "video":
        gif(path, (8, 8), 9)
    elif kind == "points":
        packed(path, ("a.npy", npy((3, 2), bytes(24))))
    else:
        path.write_bytes(wave_bytes(np.ones(9), 8000))
    with pytest.raises(Cancelled), cancellable(lambda: True):
        load_source(path, MEANINGS[kind], "crop")


def test_a_file_is_looked_at_once_until_it_changes(tmp_path, monkeypatch):
    path, meaning = tmp_path / "a.png", MEANINGS["image"]
    Image.new("L", (8, 8)).save(path)
    assert not is_known(path, meaning)
    found = inspect_source(path, meaning)
    monkeypatch.setattr(sources, "_inspect", None)
    assert is_known(path, meaning) and inspect_source(path, meaning) is found
    assert not is_known(path, Meaning("image", (1, 9, 9)))
    monkeypatch.undo()
    Image.new("L", (9, 8)).save(path)
    assert not is_known(path, meaning) and not inspect_source(path, meaning).fits
    assert is_known(tmp_path / "none.png", meaning)  # that it is not there is seen at once
