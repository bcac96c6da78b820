"""Sounds become files: WAV alone and in a folder, the movie of a chain, pictures; settings come back out of a WAV."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from diffstudio.data import spoken
from diffstudio.errors import BadFile, BadInput
from diffstudio.gui.controllers.opening import look_at
from diffstudio.modalities.mel import to_sound
from diffstudio.modalities.wave_file import read_wave, wave_bytes
from diffstudio.studio import provenance
from diffstudio.studio.export.write import ExportOptions, estimate, export, kind_of
from diffstudio.studio.sources import inspect_source, load_source

CARD = {"modality": "audio", "audio": spoken.SPEC.model_dump()}


@pytest.fixture
def clips() -> np.ndarray:
    """(2, 1, 64, 32): two held-out clips."""
    return spoken.DATASET.every("held-out")[0][:2]


@pytest.fixture
def trace(make_trace, clips):
    """Four records of each chain; the reverse chain ends in the clips."""
    forward = np.stack([clips + 0.1 * k for k in range(4)])
    return make_trace(forward[::-1].copy(), forward, card=CARD)


def test_a_wav_file_means_the_sounds_and_an_mp4_the_chain():
    assert kind_of(".wav", None, "reverse", "audio") == "samples"
    assert kind_of(".mp4", None, "reverse", "audio") == "animation"
    assert kind_of(".png", None, "reverse", "audio") == "picture"
    with pytest.raises(BadInput, match=r"can't write samples of image as a '\.wav' file"):
        kind_of(".wav", None, "reverse", "image")


def test_all_sounds_in_one_file_one_of_them_and_one_of_another_step(trace, clips, tmp_path):
    out, sounds = tmp_path / "a.wav", to_sound(clips, spoken.SPEC)
    options = ExportOptions("samples")
    assert export(trace, out, options) == [out]
    found = read_wave(out)
    np.testing.assert_allclose(found.samples[:4096, 0], sounds[0], atol=1e-4)
    assert len(found.samples) == 2 * 4096 + 2000
    export(trace, out, ExportOptions("samples", sample=1))
    np.testing.assert_allclose(read_wave(out).samples[:, 0], sounds[1], atol=1e-4)
    export(trace, out, ExportOptions("samples", sample=1, record=5))
    other = to_sound(trace.array(5, "xt", slice(1, 2)), spoken.SPEC)
    np.testing.assert_allclose(read_wave(out).samples[:, 0], other[0], atol=1e-4)
    assert 0.5 < estimate(trace, options, ".wav").bytes / 20_000 < 3


def test_a_folder_has_a_sound_for_each_sample(trace, clips, tmp_path):
    written = export(trace, tmp_path / "all", ExportOptions("samples"))
    assert [path.name for path in written] == ["sample-0000.wav", "sample-0001.wav"]
    for path, sound in zip(written, to_sound(clips, spoken.SPEC), strict=True):
        np.testing.assert_allclose(read_wave(path).samples[:, 0], sound, atol=1e-4)


def test_a_wav_carries_its_settings_and_dropping_it_offers_them(trace, tmp_path):
    out = tmp_path / "a.wav"
    export(trace, out, ExportOptions("samples"))
    found = provenance.read_settings(out)
    assert found is not None
    assert (found["model"], provenance.request_of(found).model) == ("known@7", "known")
    assert found["shown"]["step"] == 3
    assert look_at(out).kind == "settings"
    out.write_bytes(wave_bytes(np.ones(90), 8000))
    assert look_at(out).kind == "source"
    out.write_bytes(b"RIFF")
    with pytest.raises(BadFile, match="not a WAV file"):
        provenance.read_settings(out)


def test_noise_is_refused_as_a_sound(trace, tmp_path):
    with pytest.raises(BadInput, match="only x_t and x̂0"):
        export(trace, tmp_path / "a.wav", ExportOptions("samples", "eps_hat"))
    assert not (tmp_path / "a.wav").exists()


def test_the_movie_shows_every_step_and_plays_the_last_sound(trace, clips, tmp_path):
    av = pytest.importorskip("av")
    out = tmp_path / "a.mp4"
    options = ExportOptions("animation", sample=1, scale=1, fps=10, hold_seconds=0)
    assert estimate(trace, options, ".mp4").frames == 4
    assert export(trace, out, options) == [out]
    with av.open(str(out)) as movie:
        assert json.loads(movie.metadata["comment"])["shown"]["records"] == 4
        frames = [frame.to_ndarray(format="gray") for frame in movie.decode(video=0)]
    assert frames[0].shape == (64, 64)
    assert len(frames) == 4 + 6
    last = (127.5 * (clips[1, 0, ::-1].repeat(2, 1) + 1)).clip(0, 255)
    assert np.abs(frames[-1] - last).mean() < 8
    with av.open(str(out)) as movie:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in movie.decode(audio=0)])
    sound = to_sound(clips[1:], spoken.SPEC)[0]
    assert np.abs(wave[: round(0.25 * 48_000)]).max() < 0.02
    assert (wave**2).sum() / 48_000 == pytest.approx((sound**2).sum() / 8000, rel=0.1)


def test_the_film_strip_and_the_grid_are_pictures_of_spectrograms(trace, clips, tmp_path):
    export(trace, tmp_path / "a.png", ExportOptions(sample=0, scale=1))
    with Image.open(tmp_path / "a.png") as picture:
        found = np.asarray(picture, float)
    np.testing.assert_allclose(found, 127.5 * (clips[0, 0, ::-1].repeat(2, 1) + 1), atol=1)
    export(trace, tmp_path / "a.gif", ExportOptions("animation", scale=1))
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 4


def test_a_wav_of_the_users_own_is_a_source_with_a_note(trace, tmp_path):
    path = tmp_path / "own.wav"
    path.write_bytes(wave_bytes(0.5 * np.sin(np.arange(9000) / 5), 48_000))
    info = inspect_source(path, trace.meaning)
    assert (info.count, info.fits) == (1, True)
    assert "resampled to 8,000 Hz" in info.note
    assert load_source(path, trace.meaning).shape == (1, 1, 64, 32)
