"""Sounds of the user's own as states: made mono, resampled, cut to what is heard, in the middle of a clip."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.mel import spec_of, to_state
from diffstudio.modalities.modality import Meaning, SourceInfo, Taken, Taking
from diffstudio.modalities.parts import chosen_seconds
from diffstudio.modalities.sound import LOUDNESS, heard, loudest, placed, resample
from diffstudio.modalities.sound_track import read_any_sound
from diffstudio.modalities.wave_file import Wave

MAX_SECONDS = 600
WORTH_SAYING = 3.0  # decibels by which a sound is made louder or softer


def read_sound(path: Path, meaning: Meaning, taking: Taking) -> Taken:
    """(1, 1, bands, frames) float32 in [-1, 1]: of a longer sound its loudest stretch, or the part that is chosen.

    Raises:
        BadInput: no such file, too long, empty, silent, or no such part.  BadFile: it can't be read.
    """
    spec, wave = spec_of(meaning), read_any_sound(path, MAX_SECONDS)
    length = len(wave.samples) / wave.rate
    if length > MAX_SECONDS:
        raise BadInput(f"{path} lasts longer than {MAX_SECONDS // 60} minutes: cut it first")
    if not len(wave.samples):
        raise BadInput(f"{path} is empty: it holds no sound")
    samples = meaning.shape[2] * spec.hop
    mono = wave.samples.mean(1)
    said = []
    if taking.part is not None:
        first, last = chosen_seconds(taking.part, length, path.name)
        mono = mono[round(first * wave.rate) : max(round(last * wave.rate), round(first * wave.rate) + 1)]
        sounding = resample(mono, wave.rate, spec.rate)[:samples]
        said.append(f"{first:.2f} to {first + len(sounding) / spec.rate:.2f} s are used")
    else:
        sounding = heard(resample(mono, wave.rate, spec.rate))
        if len(sounding) > samples:
            said.append(f"its loudest {samples / spec.rate:.2f} s are used (--part chooses others)")
            sounding = loudest(sounding, samples)
    if not len(sounding) or np.abs(sounding).max() < 1e-4:
        raise BadInput(f"{path} is silent: there is nothing to start from")
    gain = 20 * math.log10(LOUDNESS / float(np.sqrt(np.mean(sounding**2))))
    if abs(gain) > WORTH_SAYING:
        said.append(f"made {abs(gain):.0f} dB {'louder' if gain > 0 else 'softer'}, as the model's sounds are")
    rows = to_state(placed(sounding, samples)[None], spec, meaning.shape[1])
    remarks = _told(wave, length, spec.rate, said)
    info = SourceInfo(1, (len(wave.samples),), remarks=remarks, part=taking.part or "", part_name="seconds", parts=())
    return Taken(info, rows)


def _told(wave: Wave, length: float, rate: int, said: list[str]) -> tuple[str, ...]:
    """What is done to the sound, with what it is; nothing where nothing is done."""
    count = wave.samples.shape[1]
    channels = {1: "mono", 2: "stereo"}.get(count, f"{count} channels")
    done = ["mixed to mono"] if count > 1 else []
    if wave.rate != rate:
        done.append(f"resampled to {rate:,} Hz")
    done += said
    return (f"{channels}, {wave.rate:,} Hz, {length:.2f} s: {', '.join(done)}",) if done else ()
