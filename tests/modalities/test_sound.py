"""Resampling against sines that are known, and a place in a clip."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.modalities.sound import FADE, LOUDNESS, heard, in_turn, loudest, placed, resample


def tone(hertz: float, rate: int, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate)


@pytest.mark.parametrize("rate", [4000, 8000, 16_000, 22_050, 44_100, 48_000])
def test_a_tone_is_the_same_tone_at_another_rate(rate):
    out = resample(tone(440, rate, rate), rate, 8000)
    assert len(out) == 8000
    np.testing.assert_allclose(out[200:-200], tone(440, 8000, 8000)[200:-200], atol=1e-4)


@pytest.mark.parametrize("hertz", [4500, 7000, 12_000])
def test_what_the_lower_rate_cannot_hold_is_gone_not_folded_down(hertz):
    assert np.abs(resample(tone(hertz, 44_100, 44_100), 44_100, 8000))[200:-200].max() < 5e-3


def test_a_long_sound_is_resampled_as_its_parts(rng):
    noise = rng.normal(size=150_000)
    whole = resample(noise, 44_100, 8000)
    np.testing.assert_allclose(resample(noise[:44_100], 44_100, 8000)[:7900], whole[:7900], atol=1e-12)


def test_an_empty_and_an_equal_rate():
    assert len(resample(np.zeros(0), 48_000, 8000)) == 0
    np.testing.assert_array_equal(resample(np.arange(5.0), 8000, 8000), np.arange(5.0))


def test_heard_leaves_out_the_quiet_before_and_after():
    wave = np.concatenate([np.full(10, 0.001), [1.0, 0.0, -0.5], np.full(7, 0.001)])
    np.testing.assert_array_equal(heard(wave), [1.0, 0.0, -0.5])
    assert len(heard(np.zeros(9))) == 0
    assert len(heard(np.zeros(0))) == 0


def test_loudest_is_the_stretch_with_the_most_energy(rng):
    wave = 0.1 * rng.normal(size=500)
    wave[317:340] += 5
    part = loudest(wave, 23)
    np.testing.assert_array_equal(part, wave[317:340])
    np.testing.assert_array_equal(loudest(wave, 600), wave)


@pytest.mark.parametrize("length", [1, 2, 900, 1000])
def test_placed_is_centred_faded_and_of_one_loudness(rng, length):
    out = placed(3 + rng.normal(size=length), 1000)
    assert out.dtype == np.float32
    assert out.shape == (1000,)
    sounding = np.flatnonzero(out)
    assert abs((sounding[0] + sounding[-1]) / 2 - 499.5) <= 0.5
    if length >= 900:
        edge = round(FADE * 1000)
        assert np.abs(out[sounding[0]]) < 0.05 * np.abs(out[sounding[0] + edge :][:20]).mean()
        assert np.sqrt((out[sounding] ** 2).mean()) == pytest.approx(LOUDNESS, rel=0.02)


def test_sounds_take_their_turn():
    out = in_turn(np.stack([np.ones(40), 2 * np.ones(40)]).astype(np.float32), 100)
    assert out.tolist() == [1.0] * 40 + [0.0] * 25 + [2.0] * 40


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
