"""Spoken digits from espeak-ng, a free speech synthesiser: the material that `spoken-digits` is trained on.

Only a training needs it; the clips that the application shows are carried in resources/data.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.sound import heard, placed, resample

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ACCENTS = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us-nyc")
TRAIN_VOICES = (
    "m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f4", "Andy", "Annie", "adam", "belinda", "Lee", "steph"
)  # fmt: skip
HELD_OUT_VOICES = ("m5", "f5", "linda", "edward")
SPEEDS, PITCHES = (150, 230), (25, 75)  # words a minute, espeak-ng's own units
ESPEAK_RATE, WAV_HEADER = 22_050, 44


@dataclass(frozen=True)
class Utterance:
    """What espeak-ng is asked to say."""

    digit: int
    accent: str
    voice: str
    speed: int
    pitch: int


def utterances(voices: tuple[str, ...], takes: int, seed: int = 0) -> Iterator[Utterance]:
    """Every accent, voice and digit, `takes` times at a random speed and pitch."""
    rng = np.random.default_rng(seed)
    for accent in ACCENTS:
        for voice in voices:
            for digit in range(len(WORDS)):
                for _ in range(takes):
                    speed, pitch = int(rng.integers(*SPEEDS)), int(rng.integers(*PITCHES))
                    yield Utterance(digit, accent, voice, speed, pitch)


def speak(what: Utterance, rate: int, samples: int) -> np.ndarray:
    """The sound (samples,) float32: trimmed, faded, of one loudness; said faster where it would not fit.

    Raises:
        BadInput: espeak-ng is not installed, or failed.
    """
    for speed in (what.speed, 260, 320, 400):
        said = heard(resample(_espeak(WORDS[what.digit], what, speed), ESPEAK_RATE, rate))
        if 0 < len(said) <= samples:
            return placed(said, samples)
    raise BadInput(f"espeak-ng says {WORDS[what.digit]!r} in more than {samples / rate:.2f} s")


def speak_all(voices: tuple[str, ...], takes: int, rate: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The sounds (N, samples) float32 and their digits (N,).

    Raises:
        BadInput: espeak-ng is not installed, or failed.
    """
    asked = list(utterances(voices, takes))
    with ThreadPoolExecutor(4) as pool:
        clips = list(pool.map(lambda what: speak(what, rate, samples), asked))
    return np.stack(clips), np.array([what.digit for what in asked])


def _espeak(word: str, what: Utterance, speed: int) -> np.ndarray:
    program = shutil.which("espeak-ng")
    if program is None:
        raise BadInput(
            "training on spoken digits needs the program espeak-ng, which is not installed: apt install espeak-ng"
        )
    command = [program, "-v", f"{what.accent}+{what.voice}", "-s", str(speed), "-p", str(what.pitch), "--stdout", word]
    said = subprocess.run(command, capture_output=True, check=False)
    if said.returncode or len(said.stdout) <= WAV_HEADER:
        reason = said.stderr.decode(errors="replace").strip() or "it gave no sound"
        raise BadInput(f"espeak-ng failed on {what}: {reason}")
    return np.frombuffer(said.stdout[WAV_HEADER:], "<i2").astype(np.float64) / 32768
