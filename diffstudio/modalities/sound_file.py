"""Sounds of the user's own as states: made mono, resampled, cut to what is heard, in the middle of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.mel import spec_of, to_state
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo
from diffstudio.modalities.sound import heard, loudest, placed, resample
from diffstudio.modalities.wave_file import Wave, read_wave

MAX_SECONDS = 600


@dataclass(frozen=True)
class _Clip:
    """sound: (samples,) as the model has it; whole: seconds that were heard in the file."""

    sound: np.ndarray
    whole: float


def read_sound(path: Path, meaning: Meaning, fit: Fit | None) -> np.ndarray:
    """(1, 1, bands, frames) float32 in [-1, 1]. Raises: BadInput, BadFile."""
    spec = spec_of(meaning)
    clip = _clip(path, read_wave(path), spec.rate, meaning.shape[2] * spec.hop)
    return to_state(clip.sound[None], spec, meaning.shape[1])


def inspect_sound(path: Path, meaning: Meaning) -> SourceInfo:
    """What is in the file, and what is done to it. Raises: BadInput, BadFile."""
    spec, wave = spec_of(meaning), read_wave(path)
    samples = meaning.shape[2] * spec.hop
    clip = _clip(path, wave, spec.rate, samples)
    channels = {1: "mono", 2: "stereo"}.get(wave.samples.shape[1], f"{wave.samples.shape[1]} channels")
    done = []
    if wave.samples.shape[1] > 1:
        done.append("mixed to mono")
    if wave.rate != spec.rate:
        done.append(f"resampled to {spec.rate:,} Hz")
    if clip.whole > samples / spec.rate:
        done.append(f"its loudest {samples / spec.rate:.2f} s are used")
    note = f"{channels}, {wave.rate:,} Hz, {len(wave.samples) / wave.rate:.2f} s: {', '.join(done)}" if done else ""
    return SourceInfo(1, (len(wave.samples),), True, "", note=note)


def _clip(path: Path, wave: Wave, rate: int, samples: int) -> _Clip:
    if len(wave.samples) > MAX_SECONDS * wave.rate:
        raise BadInput(f"{path} lasts longer than {MAX_SECONDS // 60} minutes: cut it first")
    if not len(wave.samples):
        raise BadInput(f"{path} is empty: it holds no sound")
    sounding = heard(resample(wave.samples.mean(1), wave.rate, rate))
    if not len(sounding) or np.abs(sounding).max() < 1e-4:
        raise BadInput(f"{path} is silent: there is nothing to start from")
    return _Clip(placed(loudest(sounding, samples), samples), len(sounding) / rate)
