"""Sounds of the user's own as states: made mono, resampled, cut to what is heard, in the middle of a clip."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.mel import spec_of, to_state
from diffstudio.modalities.modality import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import chosen_seconds
from diffstudio.modalities.sound import LOUDNESS, QUIET, heard, loudest, placed, resample
from diffstudio.modalities.sound_track import Track, open_any_sound
from diffstudio.modalities.wave_file import WaveFile

MAX_SECONDS = 600
PIECE = 1 << 20  # numbers that are read at a time
WHOLE_SECONDS = 3.0  # of a sound that is resampled whole; of a longer one only what lies around its loudest stretch
MARGIN_SECONDS = 0.2  # behind a part, more than a resampling reaches
WORTH_SAYING = 3.0  # decibels by which a sound is made louder or softer


def read_sound(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    """(1, 1, bands, frames) float32 in [-1, 1]: of a longer sound its loudest stretch, or the part that is chosen.

    Raises:
        BadInput: no such file, too long, empty, silent, or no such part.  BadFile: it can't be read.
    """
    with open_any_sound(path, MAX_SECONDS) as wave:
        return _read(path, wave, meaning, taking)


def _read(path: Path, wave: WaveFile | Track, meaning: Meaning, taking: Taking) -> Taken:
    spec, length = spec_of(meaning), wave.length / wave.rate
    if length > MAX_SECONDS:
        raise BadInput(f"{path} lasts longer than {MAX_SECONDS // 60} minutes: cut it first")
    if not wave.length:
        raise BadInput(f"{path} is empty: it holds no sound")
    samples = meaning.shape[2] * spec.hop
    said = []
    if taking.part is not None:
        first, last = chosen_seconds(taking.part, length, path.name)
        last = min(last, first + samples / spec.rate + MARGIN_SECONDS)
        mono = _mono(wave, round(first * wave.rate), max(1, round(last * wave.rate) - round(first * wave.rate)))
        sounding = resample(mono, wave.rate, spec.rate)[:samples]
        said.append(f"{first:.2f} to {first + len(sounding) / spec.rate:.2f} s are used")
    else:
        part = _stretch(wave, samples / spec.rate)
        sounding = heard(resample(part.mono, wave.rate, spec.rate))
        if len(sounding) > samples or part.more:
            said.append(f"its loudest {samples / spec.rate:.2f} s are used (--part chooses others)")
            sounding = loudest(sounding, samples)
    if not len(sounding) or np.abs(sounding).max() < 1e-4:
        raise BadInput(f"{path} is silent: there is nothing to start from")
    gain = 20 * math.log10(LOUDNESS / float(np.sqrt(np.mean(sounding**2))))
    if abs(gain) > WORTH_SAYING:
        said.append(f"made {abs(gain):.0f} dB {'louder' if gain > 0 else 'softer'}, as the model's sounds are")
    rows = to_state(placed(sounding, samples)[None], spec, meaning.shape[1])
    remarks = _told(wave, spec.rate, said)
    info = SourceInfo(1, (wave.length,), remarks=remarks, part=taking.part or "", part_name="seconds", parts=())
    return Taken(info, rows)


class _Stretch(NamedTuple):
    """mono: (samples,).  more: something is to be heard elsewhere too."""

    mono: np.ndarray
    more: bool


def _stretch(wave: WaveFile | Track, seconds: float) -> _Stretch:
    """The sound made mono; of a long one what lies around its loudest stretch of so many seconds."""
    whole = math.ceil(max(WHOLE_SECONDS, 3 * seconds) * wave.rate)
    if wave.length <= whole:
        return _Stretch(_mono(wave, 0, wave.length), False)
    # Energies and peaks of a hundredth of a second each: of the whole file there is no more in memory.
    step = max(1, wave.rate // 100)
    count = max(1, PIECE // wave.channels // step) * step
    found = [_measured(wave.mono(at, count), step) for at in range(0, wave.length, count)]
    energies, peaks = (np.concatenate(rows) for rows in zip(*found, strict=True))
    wide = max(1, math.ceil(seconds * wave.rate / step))
    sums = np.concatenate([[0.0], np.cumsum(energies)])
    loud = int(np.argmax(sums[wide:] - sums[:-wide])) * step
    first = min(max(0, loud + wide * step // 2 - whole // 2), wave.length - whole)
    audible = np.flatnonzero(peaks > QUIET * peaks.max()) * step
    more = bool(((audible + step <= first) | (audible >= first + whole)).any())
    return _Stretch(_mono(wave, first, whole), more)


def _measured(mono: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """The energy and the peak of every `step` samples."""
    padded = np.pad(mono, (0, -len(mono) % step)).reshape(-1, step)
    return np.einsum("ns,ns->n", padded, padded), np.maximum(padded.max(1), -padded.min(1))


def _mono(wave: WaveFile | Track, first: int, count: int) -> np.ndarray:
    piece = max(1, PIECE // wave.channels)
    return np.concatenate([wave.mono(at, min(piece, first + count - at)) for at in range(first, first + count, piece)])


def _told(wave: WaveFile | Track, rate: int, said: list[str]) -> tuple[str, ...]:
    """What is done to the sound, with what it is; nothing where nothing is done."""
    count, length = wave.channels, wave.length / wave.rate
    channels = {1: "mono", 2: "stereo"}.get(count, f"{count} channels")
    done = ["mixed to mono"] if count > 1 else []
    if wave.rate != rate:
        done.append(f"resampled to {rate:,} Hz")
    done += said
    return (f"{channels}, {wave.rate:,} Hz, {length:.2f} s: {', '.join(done)}",) if done else ()
