"""States of sounds: the spectrum against SciPy's, the inversion against SciPy's least squares and against the sound."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, signal

from diffstudio.data import spoken
from diffstudio.modalities import mel
from diffstudio.specs import AudioSpec

SPEC = AudioSpec(rate=8000, window=256, hop=128, floor=1e-3, ceiling=0.3)


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """(10, 4096): one held-out clip of each digit."""
    sounds, digits = spoken.carried("held-out")
    return sounds[[np.flatnonzero(digits == d)[0] for d in range(10)]]


def test_the_spectrum_is_scipys(clips):
    own = mel._stft(clips[:2], 256, 64)
    padded = np.pad(clips[:2], ((0, 0), (96, 96)))
    _, _, theirs = signal.stft(padded, window="hann", nperseg=256, noverlap=192, boundary=None, padded=False)
    np.testing.assert_allclose(own, 2 * theirs.transpose(0, 2, 1), atol=1e-5)


@pytest.mark.parametrize("hop", [32, 64, 128])
def test_the_inverse_of_a_spectrum_is_the_sound(clips, hop):
    back = mel._istft(mel._stft(clips, 256, hop), 256, hop, 4096)
    np.testing.assert_allclose(back, clips, atol=1e-5)


def test_a_sine_of_amplitude_one_has_magnitude_one():
    wave = np.sin(2 * np.pi * 1000 * np.arange(4096) / 8000)[None]
    assert np.abs(mel._stft(wave, 256, 128))[0, 16].max() == pytest.approx(1, rel=1e-3)


def test_mel_bands_are_averages_and_rise_in_frequency():
    matrix = mel.mel_matrix(64, 8000, 256)
    assert matrix.shape == (64, 129)
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert (matrix >= 0).all()
    centres = matrix @ np.linspace(0, 4000, 129)
    assert (np.diff(centres) > 0).all()
    mels = 2595 * np.log10(1 + centres[20:] / 700)  # wide enough to be told apart: even steps on the mel scale
    assert np.diff(mels).std() < 0.1 * np.diff(mels).mean()


def test_a_state_lies_in_its_range_and_silence_is_its_lower_end(clips):
    state = mel.to_state(clips, SPEC, 64)
    assert state.shape == (10, 1, 64, 32)
    assert state.dtype == np.float32
    assert (state.min(), state.max() <= 1) == (-1, True)
    assert (mel.to_state(np.zeros((1, 4096)), SPEC, 64) == -1).all()
    assert np.abs(mel.to_sound(np.full((1, 1, 64, 32), -1.0), SPEC)).max() < 1e-6


def test_the_amplitudes_of_a_state_are_those_of_the_bands(clips):
    magnitude = np.abs(mel._stft(clips, 256, 128))
    expected = (magnitude @ mel.mel_matrix(64, 8000, 256).T).transpose(0, 2, 1)
    amplitudes = mel.to_mel(mel.to_state(clips, SPEC, 64), SPEC)
    np.testing.assert_allclose(amplitudes, expected.clip(max=SPEC.ceiling), atol=2e-6, rtol=1e-4)


def test_the_frequencies_behind_the_bands_are_as_near_as_scipys_least_squares(clips):
    matrix = mel.mel_matrix(64, 8000, 256)
    amplitudes = mel.to_mel(mel.to_state(clips[:1], SPEC, 64), SPEC)
    own = mel._unmix(amplitudes, matrix)[0]
    for frame in range(8, 24):
        _, best = optimize.nnls(matrix, amplitudes[0, :, frame])
        assert np.linalg.norm(matrix @ own[frame] - amplitudes[0, :, frame]) <= best + 0.02 * np.linalg.norm(
            amplitudes[0, :, frame]
        )
    assert (own >= 0).all()


def test_sound_from_a_state_has_that_state_again(clips):
    state = mel.to_state(clips, SPEC, 64)
    sound = mel.to_sound(state, SPEC)
    assert sound.shape == clips.shape
    assert np.abs(mel.to_state(sound, SPEC, 64) - state).mean() < 0.06  # of a range of 2
    again = mel.to_sound(state[3:4], SPEC)  # alone as in a batch
    np.testing.assert_allclose(again[0], sound[3], atol=1e-4)
    assert (sound**2).mean() == pytest.approx((clips**2).mean(), rel=0.25)


def test_a_tone_is_heard_at_its_pitch_and_without_hum():
    wave = 0.1 * np.sin(2 * np.pi * 900 * np.arange(4096) / 8000)[None]
    sound = mel.to_sound(mel.to_state(wave, SPEC, 64), SPEC)[0]
    power = np.abs(np.fft.rfft(sound * np.hanning(4096))) ** 2
    hertz = np.fft.rfftfreq(4096, 1 / 8000)
    assert abs(hertz[power.argmax()] - 900) < 32  # a band's width
    assert power[hertz < 200].sum() < 1e-3 * power.sum()


def test_states_that_are_not_finite_or_out_of_range_still_give_a_sound():
    wild = np.array([np.nan, np.inf, -np.inf, 40.0] * 512, np.float32).reshape(1, 1, 64, 32)
    assert np.isfinite(mel.to_sound(wild, SPEC)).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [({"hop": 132}, "at most half the window"), ({"floor": 0.09, "ceiling": 0.05}, "less than the ceiling")],
)
def test_parameters_that_do_not_fit_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        AudioSpec(**SPEC.model_dump() | change)
