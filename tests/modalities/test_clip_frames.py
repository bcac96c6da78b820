"""Frames as they are meant: in the order of their numbers, upright, each for as long as it is shown."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning, Taking
from diffstudio.modalities.clip_file import evenly, read_clip
from diffstudio.modalities.clip_frames import natural, opened_frames

HEIGHT, WIDTH = 28, 40
UPRIGHT = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
UPRIGHT[:7], UPRIGHT[:, :5] = (255, 255, 255), (255, 0, 0)


def flat(levels, size=(8, 6)):
    return [Image.new("L", size, level) for level in levels]


def seen(path, length, part=None, size=(6, 8)):
    """The greys of the frames that are taken."""
    taken = read_clip(path, Meaning("video", (length, 1, *size)), Taking(part=part))
    return ((taken.rows[0, :, 0].mean((1, 2)) + 1) * 127.5).round().astype(int).tolist(), taken.info.note


def test_names_are_sorted_as_people_do():
    names = ["10", "9", "frame-2", "frame-10", "Frame-1", "a1b20", "a1b3", "02"]
    assert sorted(names, key=natural) == ["02", "9", "10", "a1b3", "a1b20", "Frame-1", "frame-2", "frame-10"]


def test_a_folder_is_read_by_number_without_the_systems_own_files(tmp_path):
    for number in range(1, 12):
        flat([20 * number])[0].save(tmp_path / f"{number}.png")
    (tmp_path / "._1.png").write_bytes(b"macOS")
    assert seen(tmp_path, 11)[0] == [20 * number for number in range(1, 12)]


def test_frames_in_a_folder_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(UPRIGHT))).save(tmp_path / "1.png", exif=exif)
    taken = read_clip(tmp_path, Meaning("video", (1, 3, HEIGHT, WIDTH)), Taking())
    np.testing.assert_allclose((taken.rows[0, 0].transpose(1, 2, 0) + 1) * 127.5, UPRIGHT, atol=0.01)


@pytest.mark.parametrize("name", ["a.webp", "a.png"])
def test_frames_of_an_animation_are_upright(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = [Image.fromarray(np.ascontiguousarray(np.rot90(UPRIGHT, 2))), Image.new("RGB", (WIDTH, HEIGHT))]
    own = {"lossless": True} if name == "a.webp" else {}
    tags = exif.tobytes()[6:] if name == "a.webp" else exif
    turned[0].save(tmp_path / name, save_all=True, append_images=turned[1:], duration=100, exif=tags, **own)
    taken = read_clip(tmp_path / name, Meaning("video", (2, 3, HEIGHT, WIDTH)), Taking())
    np.testing.assert_allclose((taken.rows[0, 0].transpose(1, 2, 0) + 1) * 127.5, UPRIGHT, atol=0.01)


# How a movie is stored that its display matrix (a, b, c, d) turns upright: (x, y) is shown at (ax + cy, bx + dy).
MATRICES = {
    (1, 0, 0, 1): UPRIGHT, (0, 1, -1, 0): np.rot90(UPRIGHT), (-1, 0, 0, -1): np.rot90(UPRIGHT, 2),
    (0, -1, 1, 0): np.rot90(UPRIGHT, -1), (-1, 0, 0, 1): UPRIGHT[:, ::-1], (1, 0, 0, -1): UPRIGHT[::-1],
    (0, 1, 1, 0): UPRIGHT.transpose(1, 0, 2), (0, -1, -1, 0): np.rot90(UPRIGHT, 2).transpose(1, 0, 2),
}  # fmt: skip


def movie(path, pictures, pix_fmt="yuv444p", aspect=None, pts=None):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as file:
        track = file.add_stream("libx264", rate=10, options={"crf": "1"})
        track.height, track.width, track.pix_fmt = *pictures[0].shape[:2], pix_fmt
        if aspect:
            track.codec_context.sample_aspect_ratio = aspect
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if pts is not None:
                frame.pts, frame.time_base = pts[number], Fraction(1, 10)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_movie_is_turned_and_mirrored_as_its_matrix_says(tmp_path, matrix):
    path = movie(tmp_path / "a.mp4", [MATRICES[matrix]] * 3)
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 4 + 40
    a, b, c, d = (v << 16 for v in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    taken = read_clip(path, Meaning("video", (3, 3, HEIGHT, WIDTH)), Taking())
    assert taken.info.size == (HEIGHT, WIDTH)
    np.testing.assert_allclose((taken.rows[0, 0].transpose(1, 2, 0) + 1) * 127.5, UPRIGHT, atol=12)


def test_pixels_that_are_no_squares_are_made_squares(tmp_path):
    path = movie(tmp_path / "a.mp4", [UPRIGHT[:, ::2]] * 2, aspect=Fraction(2, 1))
    assert read_clip(path, Meaning("video", (2, 3, HEIGHT, WIDTH)), Taking()).info.size == (HEIGHT, WIDTH)


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "length", "frames"),
    [
        ([0.1] * 9, 5, [0, 2, 4, 6, 8]),
        ([0.0] * 3, 5, [0, 0, 1, 2, 2]),  # nobody says: as if all lasted equally long
        ([0.3, 0.1, 0.1, 0.1], 6, [0, 0, 0, 1, 2, 3]),
        ([0.1, 0.3], 4, [0, 1, 1, 1]),
        ([1.0, 0.01, 0.01], 2, [0, 0]),  # what is shown for an instant falls between
        ([0.3, 0.1, 0.9], 3, [0, 1, 2]),  # of exactly that number each is taken
        ([0.033, 0.034, 0.033, 0.034], 4, [0, 1, 2, 3]),
    ],
)
def test_frames_are_taken_evenly_in_the_time_that_they_are_shown(seconds, length, frames):
    assert evenly(seconds, length) == frames


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_an_animation_whose_equal_frames_were_joined_is_the_clip_again(tmp_path, name):
    levels = [10, 80, 80, 80, 150, 150, 220, 250]
    first, *others = flat(levels)
    own = {"lossless": True} if name == "a.webp" else {}
    first.save(tmp_path / name, save_all=True, append_images=others, duration=100, **own)
    with opened_frames(tmp_path / name) as frames:
        assert len(list(frames)) in (5, 8)  # Pillow joins equal ones, a library below it may not
    assert seen(tmp_path / name, 8)[0] == levels


def test_a_movie_of_a_variable_rate_is_taken_by_its_times(tmp_path):
    pictures = [np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in (20, 90, 160, 230)]
    path = movie(tmp_path / "a.mkv", pictures, pts=[0, 6, 7, 8])
    levels, note = seen(path, 9, size=(HEIGHT, WIDTH))
    np.testing.assert_allclose(levels, [20] * 6 + [90, 160, 230], atol=3)
    assert note == "its 4 frames make 9, evenly spaced in time"


def test_frames_of_another_pace_are_told(tmp_path):
    first, *others = flat([10, 90, 200])
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[40, 1100, 40])
    levels, note = seen(tmp_path / "a.gif", 3)
    assert levels == [10, 90, 200]
    assert note == "its frames last 40 to 1,100 ms and are taken one by one"


def test_the_picture_that_is_shown_where_nothing_moves_is_no_frame(tmp_path):
    still, *frames = flat([250, 10, 100])
    still.save(tmp_path / "a.png", save_all=True, append_images=frames, default_image=True, duration=100)
    assert seen(tmp_path / "a.png", 2)[0] == [10, 100]


@pytest.mark.parametrize(("part", "levels"), [("3..5", [60, 80, 100]), ("9", [180] * 3), ("all", [20, 100, 200])])
def test_a_stretch_of_frames_can_be_chosen(tmp_path, part, levels):
    for number in range(1, 11):
        flat([20 * number])[0].save(tmp_path / f"{number}.png")
    found, note = seen(tmp_path, 3, part)
    assert found == levels and ("evenly" in note) == (part != "3..5")
    with pytest.raises(BadInput, match="has the frames 1 to 10, found '11'"):
        seen(tmp_path, 3, "11")


def test_disposal_and_transparency_of_a_gif_are_as_they_are_shown(tmp_path):
    """The second frame holds only what changed, and clears it again for the third."""
    base = Image.new("P", (8, 6), 0)
    base.putpalette([200, 200, 200, 40, 40, 40, 0, 0, 0])
    dot = base.copy()
    dot.paste(1, (2, 2, 4, 4))
    base.save(tmp_path / "a.gif", save_all=True, append_images=[dot, base], duration=100, disposal=2, optimize=False)
    clip = read_clip(tmp_path / "a.gif", Meaning("video", (3, 1, 6, 8)), Taking()).rows[0, :, 0]
    assert (clip[0] == clip[2]).all() and (clip[1] != clip[0]).sum() == 4
