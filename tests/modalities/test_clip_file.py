"""Clips of the user's own: every way in, other sizes and lengths, and what can't be read."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Meaning, Taking, clip_file

MEANING = Meaning("video", (5, 3, 8, 12))


def read_clip(path, meaning, fit):
    """The clip, as a run has it."""
    return clip_file.read_clip(path, meaning, Taking(fit=fit)).required()


def inspect_clip(path, meaning, **taking):
    """What is said of it before."""
    return clip_file.read_clip(path, meaning, Taking(**taking)).info


def frames(count: int = 5, height: int = 8, width: int = 12) -> list[np.ndarray]:
    """Flat frames, each brighter than the one before; red, green and blue differ."""
    levels = np.linspace(20, 200, count).round()
    return [np.full((height, width, 3), (level, level / 2, 10), np.uint8) for level in levels]


def save(path, pictures: list[np.ndarray]):
    if path.suffix == "":
        path.mkdir()
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).save(path / f"{number:04d}.png")
    elif path.suffix == ".mp4":
        av = pytest.importorskip("av")
        with av.open(str(path), "w") as movie:
            track = movie.add_stream("mpeg4", rate=10, options={"qscale": "2"})
            track.height, track.width, track.pix_fmt = *pictures[0].shape[:2], "yuv420p"
            for picture in pictures:
                movie.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            movie.mux(track.encode())
    else:
        first, *others = [Image.fromarray(picture) for picture in pictures]
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=100,
            **({"lossless": True} if path.suffix == ".webp" else {}),
        )
    return path


@pytest.mark.parametrize(("name", "tolerance"), [("c.gif", 0), ("c.webp", 0), ("c.png", 0), ("c", 0), ("c.mp4", 6)])
def test_every_way_in_gives_the_same_clip(tmp_path, name, tolerance):
    path = save(tmp_path / name, frames())
    assert inspect_clip(path, MEANING).fits
    clip = read_clip(path, MEANING, None)
    assert clip.shape == (1, 5, 3, 8, 12)
    assert clip.dtype == np.float32
    expected = np.stack(frames()).transpose(0, 3, 1, 2) / 127.5 - 1
    np.testing.assert_allclose(clip[0], expected, atol=1e-6 + tolerance / 127.5)


@pytest.mark.parametrize(
    ("count", "taken"), [(9, [0, 2, 4, 6, 8]), (3, [0, 0, 1, 2, 2]), (1, [0] * 5), (6, [0, 1, 2, 4, 5])]
)
def test_of_another_length_frames_are_taken_evenly(tmp_path, count, taken):
    path = save(tmp_path / "c", frames(count))
    info = inspect_clip(path, MEANING)
    assert info.fits  # crop, pad and stretch would be the same
    assert info.note.endswith("evenly spaced in time")
    clip = read_clip(path, MEANING, None)
    np.testing.assert_array_equal(clip, read_clip(path, MEANING, "crop"))
    expected = np.stack(frames(count)).transpose(0, 3, 1, 2)[taken] / 127.5 - 1
    np.testing.assert_allclose(clip[0], expected, atol=1e-6)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_of_another_size_every_frame_is_fitted(tmp_path, fit):
    path = save(tmp_path / "c.gif", frames(5, 20, 20))
    info = inspect_clip(path, MEANING)
    assert not info.fits and "5 of 12×8" in info.sentence and "evenly" not in info.sentence
    longer = save(tmp_path / "d.gif", frames(9, 20, 20))
    assert "9 frames of 20×20" in inspect_clip(longer, MEANING).sentence
    assert "5 frames evenly spaced" in inspect_clip(longer, MEANING).sentence
    with pytest.raises(BadInput, match="the model needs 5 of 12×8: fit it"):
        read_clip(longer, MEANING, None)
    clip = read_clip(path, MEANING, fit)
    expected = np.stack(frames()).transpose(0, 3, 1, 2) / 127.5 - 1
    columns = slice(3, 9) if fit == "pad" else slice(None)  # beside them the paper of the clip's border
    np.testing.assert_allclose(clip[0][..., columns], expected[..., columns], atol=2.5 / 127.5)


def test_colour_becomes_grey_where_the_model_is_grey(tmp_path):
    path = save(tmp_path / "c", [np.full((8, 12, 3), level, np.uint8) for level in (0, 60, 120, 180, 255)])
    clip = read_clip(path, Meaning("video", (5, 1, 8, 12)), None)
    np.testing.assert_allclose(clip[0, :, 0, 0, 0], np.array([0, 60, 120, 180, 255]) / 127.5 - 1, atol=1e-6)


def test_files_of_a_folder_are_taken_by_name_and_others_left_alone(tmp_path):
    path = save(tmp_path / "c", frames())
    (path / "notes.txt").write_text("not a frame")
    assert read_clip(path, MEANING, None).shape == (1, 5, 3, 8, 12)


def test_an_empty_folder_holds_no_frame(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile, match="holds no frame"):
        inspect_clip(tmp_path / "empty", MEANING)


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut"])
def test_a_damaged_movie_is_one_sentence(tmp_path, damage):
    path = save(tmp_path / "c.mp4", frames(30))
    data = path.read_bytes()
    path.write_bytes({"garbage": b"no movie at all" * 50, "empty": b"", "cut": data[: len(data) // 3]}[damage])
    with pytest.raises(BadFile, match=r"c\.mp4 (is not a video that can be read|is damaged|holds no)"):
        inspect_clip(path, MEANING)


def test_a_movie_without_pictures_says_so(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as movie:
        track = movie.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        movie.mux(track.encode(sound))
        movie.mux(track.encode())
    with pytest.raises(BadFile, match="holds no video"):
        inspect_clip(path, MEANING)


def test_a_damaged_animation_is_one_sentence(tmp_path):
    path = save(tmp_path / "c.gif", frames())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises((BadFile, BadInput)):
        read_clip(path, MEANING, "crop")


def test_without_the_extra_a_movie_names_it_and_the_rest_works(tmp_path, monkeypatch):
    movie, animation = save(tmp_path / "c.mp4", frames()), save(tmp_path / "c.gif", frames())
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"reading c\.mp4 needs the extra 'video'.*diffstudio\[video\]"):
        read_clip(movie, MEANING, None)
    assert read_clip(animation, MEANING, None).shape == (1, 5, 3, 8, 12)
