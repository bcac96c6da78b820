"""The carried clips, and the material that espeak-ng makes, with a stand-in where it is not installed."""

from __future__ import annotations

import dataclasses
import shutil
import sys

import numpy as np
import pytest

from diffstudio import data
from diffstudio.data import espeak, spoken
from diffstudio.errors import BadInput
from diffstudio.modalities.mel import to_state
from diffstudio.resources import resource

QUESTION = espeak.Utterance(7, "en-gb", "m1", 170, 50)


def test_the_carried_clips_are_small_and_of_both_splits():
    assert resource("data", "spoken-digits.npz").stat().st_size < 1_000_000
    for split, count in (("train", 160), ("held-out", 60)):
        sounds, digits = spoken.carried(split)
        assert sounds.shape == (count, spoken.SAMPLES)
        assert np.bincount(digits).tolist() == [count // 10] * 10
        assert 0.1 < np.abs(sounds).max(1).min() <= np.abs(sounds).max() <= 1


def test_eight_bits_keep_a_sound_to_a_few_thousandths_of_its_level():
    sound = np.linspace(-1, 1, 20_001)
    error = np.abs(spoken.from_mu_law(spoken.to_mu_law(sound)) - sound)
    assert (error <= 0.0225 * np.abs(sound) + 1e-4).all()  # μ-law's step: ln(256)/127 of the level
    assert spoken.from_mu_law(np.array([128], np.uint8)) == 0


def test_all_samples_are_the_states_of_the_carried_clips():
    states, digits = data.dataset("spoken-digits").every("held-out")
    sounds, labels = spoken.carried("held-out")
    np.testing.assert_array_equal(states, to_state(sounds, spoken.SPEC, spoken.BANDS))
    np.testing.assert_array_equal(digits, labels)


def test_a_clip_is_moved_no_further_than_it_fits():
    sounds = np.zeros((3, 100), np.float32)
    sounds[:, 10:80] = np.arange(1, 71)
    moved = spoken.shift(sounds, np.array([-30, 5, 30]))
    for row, start in zip(moved, (0, 15, 30), strict=True):
        np.testing.assert_array_equal(row[start : start + 70], np.arange(1, 71))
        assert np.count_nonzero(row) == 70
    assert not spoken.shift(np.zeros((1, 100), np.float32), np.array([7])).any()


def test_without_espeak_a_training_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BadInput, match="espeak-ng, which is not installed: apt install espeak-ng"):
        espeak.speak(QUESTION, 8000, 4096)


def stand_in(folder, script: str) -> str:
    program = folder / "espeak-ng"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    return str(program)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_a_word_that_takes_too_long_is_said_faster(monkeypatch, tmp_path):
    """The stand-in says a tone as long as the words a minute allow: 90 s over the speed."""
    script = (
        "import math, struct, sys\n"
        "speed = int(sys.argv[sys.argv.index('-s') + 1])\n"
        "wave = [int(9000 * math.sin(k / 9)) for k in range(22050 * 110 // speed)]\n"
        "sys.stdout.buffer.write(bytes(44) + struct.pack(f'<{len(wave)}h', *wave))\n"
    )
    program = stand_in(tmp_path, script)
    monkeypatch.setattr(shutil, "which", lambda _: program)
    clip = espeak.speak(QUESTION, 8000, 4096)  # 170 words a minute take 0.65 s, 260 take 0.42 s
    assert np.count_nonzero(clip) == pytest.approx(0.423 * 8000, rel=0.02)
    with pytest.raises(BadInput, match=r"'seven' in more than 0\.05 s"):
        espeak.speak(QUESTION, 8000, 400)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_a_failure_of_espeak_is_its_own_sentence(monkeypatch, tmp_path):
    program = stand_in(tmp_path, "import sys\nsys.exit('no such voice')\n")
    monkeypatch.setattr(shutil, "which", lambda _: program)
    with pytest.raises(BadInput, match=r"espeak-ng failed on .*digit=7.*no such voice"):
        espeak.speak(QUESTION, 8000, 4096)


def test_the_voices_of_the_splits_differ_and_a_request_is_always_the_same():
    assert not set(espeak.TRAIN_VOICES) & set(espeak.HELD_OUT_VOICES)
    asked = list(espeak.utterances(espeak.HELD_OUT_VOICES, 2))
    assert asked == list(espeak.utterances(espeak.HELD_OUT_VOICES, 2))
    assert len(asked) == len(espeak.ACCENTS) * len(espeak.HELD_OUT_VOICES) * 10 * 2
    assert len({(a.speed, a.pitch) for a in asked}) > 100


def test_a_training_draws_from_the_material_that_is_made(monkeypatch):
    sounds = np.zeros((10, spoken.SAMPLES), np.float32)
    sounds[:, 2000:2100] = np.arange(10)[:, None] / 100 + 0.01
    monkeypatch.setattr(spoken, "made", lambda split: (sounds, np.arange(10)))
    source = spoken.DATASET.material()
    drawn = source.draw(np.array([4]), np.random.default_rng(0), "train")
    louder = source.draw(np.array([9]), np.random.default_rng(0), "train")
    assert louder.max() > drawn.max() > -1
    assert dataclasses.replace(source, draw=None, everything=None, every=None) == dataclasses.replace(
        spoken.DATASET, draw=None, everything=None, every=None
    )
