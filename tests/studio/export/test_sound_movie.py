"""The movie of a chain, decoded again by PyAV."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.studio.export.sound_movie import write_sound_movie

FRAMES = [np.full((33, 47, 3), shade, np.uint8) for shade in (10, 60, 110, 160, 210)]
SETTINGS = {"fps": 10.0, "hold_seconds": 0.0, "paper": (0, 0, 0), "found": {"request": {"seed": 5}}}


def test_pictures_then_the_sound_of_the_last_one():
    av = pytest.importorskip("av")
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4096) / 8000)
    stream = io.BytesIO()
    write_sound_movie(iter(FRAMES), tone, 8000, stream, **SETTINGS)
    stream.seek(0)
    with av.open(stream) as movie:
        shades = [frame.to_ndarray(format="rgb24")[10, 10, 0] for frame in movie.decode(video=0)]
        assert json.loads(movie.metadata["comment"])["request"] == {"seed": 5}
        assert (movie.streams.video[0].width, movie.streams.video[0].height) == (48, 34)
    np.testing.assert_allclose(shades[:5], [10, 60, 110, 160, 210], atol=6)
    np.testing.assert_allclose(shades[5:], 210, atol=6)
    assert len(shades) == 5 + 6  # 0.512 s at 10 pictures a second, rounded up
    stream.seek(0)
    with av.open(stream) as movie:
        wave = np.concatenate([frame.to_ndarray()[0] for frame in movie.decode(audio=0)])
        rate = movie.streams.audio[0].rate
    begins = round(0.4 * rate)  # the last picture appears after four tenths
    assert np.abs(wave[: begins - 2000]).max() < 0.02
    heard = wave[begins + 3000 : begins + 20_000]
    assert np.sqrt((heard**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    power = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert power.argmax() * rate / len(heard) == pytest.approx(1000, abs=5)


def test_without_the_extra_the_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match="extra 'video'"):
        write_sound_movie(iter(FRAMES), np.zeros(8), 8000, io.BytesIO(), **SETTINGS)
