"""Sounds of the user's own as states: made mono, resampled, cut to what is heard, in the middle of a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.mel import spec_of, to_state
from diffstudio.modalities.modality import Fit, Meaning, SourceInfo
from diffstudio.modalities.sound import heard, loudest, placed, resample
from diffstudio.modalities.wave_file import WaveFile, open_wave

MAX_SECONDS = 600
PIECE = 1 << 20  # numbers that are read at a time
WHOLE_SECONDS = 3.0  # of a sound that is resampled whole; of a longer one only what lies around its loudest stretch


@dataclass(frozen=True)
class _Clip:
    """sound: (samples,) as the model has it; whole: seconds that were heard in the file."""

    sound: np.ndarray
    whole: float


def read_sound(path: Path, meaning: Meaning, fit: Fit | None) -> np.ndarray:
    """(1, 1, bands, frames) float32 in [-1, 1]. Raises: BadInput, BadFile."""
    spec = spec_of(meaning)
    with open_wave(path) as wave:
        clip = _clip(path, wave, spec.rate, meaning.shape[2] * spec.hop)
    return to_state(clip.sound[None], spec, meaning.shape[1])


def inspect_sound(path: Path, meaning: Meaning) -> SourceInfo:
    """What is in the file, and what is done to it. Raises: BadInput, BadFile."""
    spec = spec_of(meaning)
    samples = meaning.shape[2] * spec.hop
    with open_wave(path) as wave:
        clip = _clip(path, wave, spec.rate, samples)
    channels = {1: "mono", 2: "stereo"}.get(wave.channels, f"{wave.channels} channels")
    done = []
    if wave.channels > 1:
        done.append("mixed to mono")
    if wave.rate != spec.rate:
        done.append(f"resampled to {spec.rate:,} Hz")
    if clip.whole > samples / spec.rate:
        done.append(f"its loudest {samples / spec.rate:.2f} s are used")
    note = f"{channels}, {wave.rate:,} Hz, {wave.length / wave.rate:.2f} s: {', '.join(done)}" if done else ""
    return SourceInfo(1, (wave.length,), True, "", note=note)


def _clip(path: Path, wave: WaveFile, rate: int, samples: int) -> _Clip:
    if wave.length > MAX_SECONDS * wave.rate:
        raise BadInput(f"{path} lasts longer than {MAX_SECONDS // 60} minutes: cut it first")
    if not wave.length:
        raise BadInput(f"{path} is empty: it holds no sound")
    part, more = _stretch(wave, samples / rate)
    sounding = heard(resample(part, wave.rate, rate))
    if not len(sounding) or np.abs(sounding).max() < 1e-4:
        raise BadInput(f"{path} is silent: there is nothing to start from")
    return _Clip(placed(loudest(sounding, samples), samples), more + len(sounding) / rate)


def _stretch(wave: WaveFile, seconds: float) -> tuple[np.ndarray, float]:
    """The sound made mono, (samples,); of a long one what lies around its loudest stretch, and the seconds left out."""
    count = max(1, PIECE // wave.channels)
    whole = math.ceil(max(WHOLE_SECONDS, 3 * seconds) * wave.rate)
    if wave.length <= whole:
        return np.concatenate([wave.mono(at, count) for at in range(0, wave.length, count)]), 0.0
    # Energies of a hundredth of a second each: of the whole file there is no more in memory.
    step = max(1, wave.rate // 100)
    count = max(1, count // step) * step
    energies = np.concatenate([_energies(wave.mono(at, count), step) for at in range(0, wave.length, count)])
    wide = max(1, math.ceil(seconds * wave.rate / step))
    sums = np.concatenate([[0.0], np.cumsum(energies)])
    loud = int(np.argmax(sums[wide:] - sums[:-wide])) * step
    first = min(max(0, loud + wide * step // 2 - whole // 2), wave.length - whole)
    return wave.mono(first, whole), (wave.length - whole) / wave.rate


def _energies(mono: np.ndarray, step: int) -> np.ndarray:
    """The energy of every `step` samples."""
    rows = mono[: len(mono) // step * step].reshape(-1, step)
    rest = mono[rows.size :]
    return np.append(np.einsum("ns,ns->n", rows, rows), [rest @ rest] if len(rest) else [])
