"""The record of the modality: own files in, sounds and pictures out."""

from __future__ import annotations

import io

import numpy as np
import pytest

from diffstudio.data import spoken
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities import Making, Meaning, Shown, Taking
from diffstudio.modalities.mel import spec_of, to_sound, to_state
from diffstudio.modalities.wave_file import read_wave, wave_bytes

MEANING = Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump()})
KIND = MEANING.kind


@pytest.fixture
def own(tmp_path):
    """own(samples, rate) → the path of a WAV file."""

    def own(samples: np.ndarray, rate: int):
        path = tmp_path / "own.wav"
        from scipy.io import wavfile

        wavfile.write(path, rate, samples.astype(np.float32))
        return path

    return own


def tone(rate: int, seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 700 * np.arange(round(rate * seconds)) / rate)


def test_a_clip_of_the_models_own_kind_is_read_as_it_is(tmp_path):
    sound = spoken.carried("held-out")[0][3]
    (tmp_path / "own.wav").write_bytes(wave_bytes(sound, 8000))
    info, state = KIND.read(tmp_path / "own.wav", MEANING, Taking())
    assert state.shape == (1, 1, 64, 32)
    direct = to_state(sound[None], spoken.SPEC, 64)
    assert np.abs(state - direct).mean() < 0.02  # faded once more at its edges
    assert (info.fits, info.note) == (True, "")


def test_a_stereo_file_of_48_kHz_is_mixed_and_resampled_and_says_so(own):
    left = tone(48_000, 0.3)
    path = own(np.stack([left, 0.5 * left], 1), 48_000)
    info, state = KIND.read(path, MEANING, Taking())
    assert info.fits
    done = "mixed to mono, resampled to 8,000 Hz, made 8 dB softer, as the model's sounds are"
    assert info.note == f"stereo, 48,000 Hz, 0.30 s: {done}"
    sounding = state[0, 0, :, 16]
    assert abs(int(sounding.argmax()) - 23) <= 1  # the band at 700 Hz
    assert (state[0, 0, :, 0] == -1).all()  # in the middle of half a second


def test_of_a_long_file_the_loudest_part_is_used_and_that_is_said(own):
    wave = 0.05 * np.ones(8000 * 3) * np.sign(np.sin(np.arange(8000 * 3)))
    wave[12_000:16_096] = tone(8000, 0.512)
    info = KIND.read(own(wave, 8000), MEANING, Taking()).info
    used = "its loudest 0.51 s are used (--part chooses others), made 11 dB softer, as the model's sounds are"
    assert info.note == f"mono, 8,000 Hz, 3.00 s: {used}"
    state = KIND.read(own(wave, 8000), MEANING, Taking()).rows[0, 0]
    assert abs(int(state[:, 16].argmax()) - 23) <= 1


@pytest.mark.parametrize(
    ("samples", "says"),
    [(np.zeros(0), "is empty"), (np.zeros(900), "is silent"), (np.full(900, 1e-6), "is silent")],
)
def test_an_empty_and_a_silent_file_are_one_sentence(own, samples, says):
    path = own(samples, 8000)
    with pytest.raises((BadInput, BadFile), match=says):
        KIND.read(path, MEANING, Taking())


def test_what_is_no_wav_file_is_a_sentence(tmp_path):
    path = tmp_path / "own.wav"
    path.write_bytes(b"ID3\x04 not a wave")
    with pytest.raises(BadFile, match="not a WAV file"):
        KIND.read(path, MEANING, Taking())


def test_the_sounds_are_written_one_after_the_other_with_the_settings(tmp_path):
    states = to_state(spoken.carried("held-out")[0][:2], spoken.SPEC, 64)
    stream = io.BytesIO()
    KIND.write(stream, ".wav", MEANING, Shown(states), Making(settings={"diffstudio": 1, "seed": 4}))
    path = tmp_path / "out.wav"
    path.write_bytes(stream.getvalue())
    found = read_wave(path)
    assert (found.rate, found.comment) == (8000, '{"diffstudio": 1, "seed": 4}')
    assert len(found.samples) == 2 * 4096 + 2000
    sounds = to_sound(states, spoken.SPEC)
    np.testing.assert_allclose(found.samples[:4096, 0], sounds[0], atol=1e-4)
    np.testing.assert_allclose(found.samples[6096:, 0], sounds[1], atol=1e-4)


def test_noise_is_not_written_as_if_it_were_a_sound():
    with pytest.raises(BadInput, match="only x_t and x̂0 have a sound"):
        KIND.write(io.BytesIO(), ".wav", MEANING, Shown(np.zeros((1, 1, 64, 32)), "eps_hat", 3.0), Making())


def test_a_picture_is_as_wide_as_high_and_low_frequencies_lie_below():
    rows = np.full((2, 1, 64, 32), -1, np.float32)
    rows[0, 0, 10, 5] = 1
    tiles = KIND.draw(MEANING, Shown(rows))
    assert tiles.shape == (2, *KIND.tile(MEANING), 3) == (2, 64, 64, 3)
    assert np.argwhere(tiles[0, :, :, 0]).tolist() == [[53, 10], [53, 11]]
    signed = KIND.draw(MEANING, Shown(rows, "eps_hat", 3.0))
    assert (signed[0, 53, 10] != signed[0, 0, 0]).any()


@pytest.mark.parametrize("card", [{}, {"audio": None}, {"audio": {"rate": 8000}}, {"audio": {"rate": 10**9}}])
def test_a_card_that_does_not_say_how_it_sounds_is_refused(card):
    with pytest.raises(BadFile, match="become sound"):
        spec_of(Meaning("audio", (1, 64, 32), card))
