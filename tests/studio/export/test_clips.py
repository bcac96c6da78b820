"""Clips as files that play: every frame, every format, its settings, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning
from diffstudio.modalities.clip_file import read_clip
from diffstudio.studio import provenance
from diffstudio.studio.export import pictures
from diffstudio.studio.export.options import check_target, kinds_for
from diffstudio.studio.export.write import ExportOptions, estimate, export, kind_of

MEANING = Meaning("video", (4, 3, 6, 8))
CARD = {"modality": "video", "labels": ["0", "1"]}


@pytest.fixture
def clips(make_trace):
    """Three records of the reverse chain, two clips of four frames, every pixel another colour."""
    states = np.random.default_rng(0).uniform(-1, 1, (3, 2, *MEANING.shape)).astype(np.float32)
    return make_trace(states, card=CARD)


def expected(trace, sample, k=2, tensor="xt"):
    """(T, H, W, 3) uint8, as the rule for pictures says."""
    rows = trace.array(k, tensor, sample)
    return np.floor(rows * 127.5 + 128).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def played(path):
    with Image.open(path) as found:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(found)])


@pytest.mark.parametrize("name", ["clip.webp", "clip.apng"])
def test_formats_without_loss_hold_every_frame_of_one_clip(clips, tmp_path, name):
    assert kind_of(name[4:], None, "reverse", "video") == "clip"
    [out] = export(clips, tmp_path / name, ExportOptions("clip", sample=1, scale=3))
    np.testing.assert_array_equal(played(out)[:, ::3, ::3], expected(clips, 1))
    assert played(out).shape == (4, 18, 24, 3)
    with Image.open(out) as found:
        found.load()
        assert found.info["duration"] == 100


def test_a_gif_is_exact_where_the_colours_are_few(make_trace, tmp_path):
    few = np.random.default_rng(1).choice([-1.0, -0.2, 0.6], (1, 2, *MEANING.shape)).astype(np.float32)
    trace = make_trace(few, card=CARD)
    [out] = export(trace, tmp_path / "clip.gif", ExportOptions("clip", sample=0, scale=1))
    np.testing.assert_array_equal(played(out), expected(trace, 0, 0))


def test_an_mp4_is_near_and_reads_back_as_a_source(make_trace, tmp_path):
    pytest.importorskip("av")
    smooth = np.zeros((1, 2, *MEANING.shape), np.float32) + np.linspace(-0.8, 0.8, 4)[:, None, None, None]
    trace = make_trace(smooth.astype(np.float32), card=CARD)
    [out] = export(trace, tmp_path / "clip.mp4", ExportOptions("clip", sample=0, scale=4))
    back = read_clip(out, MEANING, "stretch")
    np.testing.assert_allclose(back[0], smooth[0, 0], atol=0.05)


def test_odd_sides_of_an_mp4_are_made_even(make_trace, tmp_path):
    av = pytest.importorskip("av")
    trace = make_trace(np.zeros((1, 2, 4, 3, 7, 5), np.float32), card=CARD)
    [out] = export(trace, tmp_path / "clip.mp4", ExportOptions("clip", sample=0, scale=1, fps=5))
    with av.open(str(out)) as movie:
        track = movie.streams.video[0]
        assert (track.width, track.height, float(track.average_rate)) == (6, 8, 5.0)
        assert sum(1 for _ in movie.decode(track)) == 4


@pytest.mark.parametrize("name", ["clip.gif", "clip.webp", "clip.apng", "clip.mp4"])
def test_every_clip_carries_its_settings(clips, tmp_path, name):
    if name.endswith("mp4"):
        pytest.importorskip("av")
    [out] = export(clips, tmp_path / name, ExportOptions("clip", tensor="x0_hat"))
    found = provenance.read_settings(out)
    assert found is not None
    assert found["shown"]["tensor"] == "x0_hat"
    assert found["shown"]["step"] == 2
    assert found["request"]["model"] == "known"


def test_a_folder_holds_the_frames_of_one_step(clips, tmp_path):
    out = export(clips, tmp_path / "frames", ExportOptions("clip", sample=0, scale=1, record=1))
    assert [path.name for path in out] == [f"frame-{i:04d}.png" for i in range(4)]
    np.testing.assert_array_equal(
        np.stack([np.asarray(Image.open(p).convert("RGB")) for p in out]), expected(clips, 0, 1)
    )
    np.testing.assert_allclose(read_clip(tmp_path / "frames", MEANING, None)[0], clips.array(1, "xt", 0), atol=1 / 127)


def test_all_clips_play_at_once(clips, tmp_path):
    [out] = export(clips, tmp_path / "all.apng", ExportOptions("clip", scale=1))
    both = played(out)
    assert both.shape == (4, 13, 8, 3)
    np.testing.assert_array_equal(both[:, :6], expected(clips, 0))
    np.testing.assert_array_equal(both[:, 7:], expected(clips, 1))


def test_a_folder_of_samples_holds_clips_that_play(clips, tmp_path):
    out = export(clips, tmp_path / "samples", ExportOptions("samples"))
    assert [path.name for path in out] == ["sample-0000.gif", "sample-0001.gif"]
    assert played(out[0]).shape[0] == 4


def test_a_picture_shows_the_frames_side_by_side(clips, tmp_path):
    [out] = export(clips, tmp_path / "step.png", ExportOptions("picture", sample=1, scale=1))
    row = np.asarray(Image.open(out).convert("RGB"))
    assert row.shape == (6, 4 * 9 - 1, 3)
    for frame, pixels in enumerate(expected(clips, 1)):
        np.testing.assert_array_equal(row[:, 9 * frame : 9 * frame + 8], pixels)


def test_the_film_strip_shows_the_middle_frame(clips):
    small = pictures.thumbnail(clips, 2, "xt", 1, 8)
    np.testing.assert_array_equal(small[1:7], expected(clips, 1)[2])


def test_the_size_is_known_before(clips, tmp_path):
    found = estimate(clips, ExportOptions("clip", scale=2), ".gif")
    assert (found.width, found.height, found.frames) == (16, 26, 4)


def test_pictures_have_no_clip(both, tmp_path):
    with pytest.raises(BadInput, match=r"can't write samples of image as a '\.mp4'"):
        check_target(tmp_path / "x.mp4", "clip", "image")
    assert kinds_for(".gif", "image") == ("animation",)
    with pytest.raises(BadInput, match="samples of image have no clip"):
        export(both, tmp_path / "x", ExportOptions("clip"))


def test_the_chain_of_a_forward_run_is_an_animation_and_mp4_the_clip():
    assert kind_of(".gif", None, "forward", "video") == "animation"
    assert kind_of(".mp4", None, "reverse", "video") == "clip"
    assert kind_of("", None, "reverse", "video") == "samples"
    assert kind_of(".webp", "animation", "both", "video") == "animation"


def test_without_the_extra_an_mp4_names_it(clips, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"writing an MP4 needs the extra 'video'.*diffstudio\[video\]"):
        export(clips, tmp_path / "clip.mp4", ExportOptions("clip"))
    assert not (tmp_path / "clip.mp4").exists()
    assert export(clips, tmp_path / "clip.gif", ExportOptions("clip"))
