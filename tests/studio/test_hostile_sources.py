"""Sources and masks that would be waited for, fill the memory or start programs: each is a sentence, at once."""

from __future__ import annotations

import os
import re
import signal
import struct
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hostile import MEANINGS, fit_of, npy, packed, refused
from PIL import Image

from diffstudio.cancelling import Cancelled, cancellable
from diffstudio.errors import BadFile, BadInput, DiffStudioError
from diffstudio.modalities import clip_frames, picture_file, sound_file, table_file, wave_file
from diffstudio.modalities.wave_file import wave_bytes
from diffstudio.studio import array_file, made_of
from diffstudio.studio.app.opening import look_at
from diffstudio.studio.masks import load_mask, mask_for
from diffstudio.studio.provenance import read_settings
from diffstudio.studio.sources import inspect_source, load_source

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
            lambda path: load_source(path, MEANINGS[kind], fit_of(kind)),
            lambda path: load_mask(path, (1, 8, 8)),
            read_settings,
        ):
            with pytest.raises(DiffStudioError, match=r"it is a pipe or a device|it is not a file"):
                read(path)


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [("points", "a.csv", table_file.MAX_BYTES), ("audio", "a.wav", wave_file.MAX_BYTES),
     ("image", "a.png", picture_file.MAX_BYTES), ("points", "a.npy", array_file.MAX_BYTES)],
)  # fmt: skip
def test_a_file_with_a_hole_of_gigabytes_is_not_read(tmp_path, kind, name, most):
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write(b"1,2\n")
        stream.truncate(50 << 30)
    assert f"has 53,687,091,200 bytes, expected at most {most:,}" in refused(path, kind)


def gif(path, size, count):
    first, *others = [Image.fromarray(np.full(size, 3 * i, np.uint8)) for i in range(count)]
    first.save(path, save_all=True, append_images=others)
    return path


def test_an_animated_picture_is_judged_by_all_its_frames(tmp_path, monkeypatch):
    path = gif(tmp_path / "a.gif", (40, 40), 8)
    assert inspect_source(path, MEANINGS["video"]).size == (40, 40)
    monkeypatch.setattr(clip_frames, "MAX_ANIMATION", 7 * 1600)
    assert "more than 11,200 pixels in all its frames of 40×40" in refused(path, "video")
    monkeypatch.setattr(clip_frames, "MAX_ANIMATED_PIXELS", 1599)
    assert "frames of 40×40 pixels: make it smaller first" in refused(path, "video")


def test_a_picture_with_transparent_places_takes_twice_as_much_and_may_be_half_as_large(tmp_path, monkeypatch):
    Image.new("RGBA", (20, 20)).save(tmp_path / "a.png")
    Image.new("RGB", (20, 20)).save(tmp_path / "b.png")
    monkeypatch.setattr(picture_file, "MAX_TRANSPARENT", 399)
    assert "has 20×20 pixels, expected at most 399" in refused(tmp_path / "a.png", "image")
    assert load_source(tmp_path / "b.png", MEANINGS["image"], "crop").shape == (1, 1, 8, 8)


def test_a_mask_of_another_size_is_not_decoded(tmp_path, monkeypatch):
    Image.new("L", (3000, 2000)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(BadInput, match=r"is a mask of 3000×2000 pixels, the model needs 8×8"):
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
        load_source(path, MEANINGS[kind], fit_of(kind))


def test_the_pages_of_a_tiff_are_counted_no_further_than_allowed(tmp_path, monkeypatch):
    first, *others = [Image.new("L", (8, 8), i) for i in range(6)]
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    found = inspect_source(tmp_path / "a.tif", MEANINGS["image"])
    assert found.parts == ("1", "2", "3", "4", "5", "6", "all")
    monkeypatch.setattr(picture_file, "MAX_LISTED", 5)
    assert "more than 5 pages" in refused(tmp_path / "a.tif", "image")


def test_a_large_picture_is_read_strip_by_strip(tmp_path):
    """Sixteen million transparent pixels: Pillow's own copies apart, no more than a strip of numbers."""
    picture = Image.new("RGBA", (4000, 4000), (200, 10, 10, 128))
    picture.save(tmp_path / "a.png", compress_level=1)
    Image.fromarray(np.full((4000, 4000), 4000, np.uint16)).save(tmp_path / "deep.png", compress_level=1)
    for name, most in (("a.png", 24 << 20), ("deep.png", 80 << 20)):
        tracemalloc.start()
        try:
            load_source(tmp_path / name, MEANINGS["image"], "crop")
            assert tracemalloc.get_traced_memory()[1] < most
        finally:
            tracemalloc.stop()


def test_pixels_that_are_no_squares_do_not_make_a_frame_of_any_width(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=10)
        track.height, track.width, track.pix_fmt = 64, 64, "yuv420p"
        track.codec_context.sample_aspect_ratio = Fraction(2, 1)
        file.mux(track.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        file.mux(track.encode())
    monkeypatch.setattr(clip_frames, "MAX_FRAME_PIXELS", 127 * 64)
    sentence = refused(path, "video", BadInput, 64 << 20)
    assert "has frames of 128×64 pixels: make it smaller first" in sentence


def test_a_codec_that_nobody_knows_is_one_sentence(tmp_path):
    pytest.importorskip("av")
    known = wave_bytes(np.ones(900), 8000)
    (tmp_path / "a.wav").write_bytes(known[:20] + struct.pack("<H", 0x5555) + known[22:])
    assert "compressed sound" in refused(tmp_path / "a.wav", "audio", BadFile, 64 << 20)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.m4a", "a.wma", "a.aac"])
def test_a_list_of_other_files_is_no_sound(tmp_path, name):
    pytest.importorskip("av")
    (tmp_path / name).write_bytes(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n" + b"#\n" * 99)
    says = r"is not a sound that can be read|holds no sound|rate of 0 Hz|is damaged"
    assert re.search(says, refused(tmp_path / name, "audio", BadFile, 64 << 20))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_neither_hashed_nor_looked_at(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert made_of.file_sha256(tmp_path / "a.png") == ""
    with pytest.raises(BadInput, match="it is a pipe or a device"):
        look_at(tmp_path / "a.png")
    with pytest.raises(BadInput, match=r"can't read|there is no file"):
        look_at(tmp_path / ("x" * 300))
    with pytest.raises(BadInput, match="there is no file"):
        load_source(tmp_path / ("x" * 300 + ".png"), MEANINGS["image"])


def test_what_is_not_wanted_any_more_is_not_hashed_on(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    with pytest.raises(Cancelled), cancellable(lambda: True):
        made_of.file_sha256(tmp_path / "a.bin")


def test_a_mask_is_read_once_until_it_changes(tmp_path, monkeypatch):
    """It is asked for at every change of a request, on the window's thread."""
    path = tmp_path / "a.png"
    Image.new("L", (8, 8), 255).save(path)
    found = load_mask(path, (1, 8, 8))
    assert not found.flags.writeable
    with monkeypatch.context() as patch:
        patch.setattr(Image, "open", None)
        assert load_mask(path, (1, 8, 8)) is found
    Image.new("L", (8, 8), 51).save(path)
    os.utime(path, ns=(1, 1))
    assert load_mask(path, (1, 8, 8)).max() == pytest.approx(0.2)
    assert load_mask(path, (1, 4, 4)).shape == (1, 4, 4)


def test_a_mask_of_a_folder_is_read_again_when_a_frame_of_it_changes(tmp_path):
    for number in range(3):
        Image.new("L", (8, 8), 255).save(tmp_path / f"{number}.png")
    before = mask_for(tmp_path, MEANINGS["video"])
    assert mask_for(tmp_path, MEANINGS["video"]) is before
    with (tmp_path / "1.png").open("r+b") as stream:  # in its place: the folder itself stays as it was
        Image.new("L", (8, 8), 0).save(stream, "png")
        stream.truncate()
    os.utime(tmp_path / "1.png", ns=(1, 1))
    assert mask_for(tmp_path, MEANINGS["video"]).mean((1, 2, 3)).tolist() == [1, 0, 1]
