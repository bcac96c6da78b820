"""Spoken digits at 8 kHz, half a second each, as log-mel spectrograms.

A few hundred clips are carried in resources/data (`python -m diffstudio.data.spoken` makes them); a training makes
thousands more with espeak-ng.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np

from diffstudio.data import espeak
from diffstudio.data.dataset import Dataset
from diffstudio.modalities.mel import to_state
from diffstudio.resources import resource
from diffstudio.specs import AudioSpec

SPEC = AudioSpec(rate=8000, window=256, hop=128, floor=1e-3, ceiling=0.3)
BANDS, SAMPLES = 64, 4096
MAX_SHIFT = 256  # samples, 32 ms
TAKES = 4  # of each digit by each voice in each accent

MU = 255  # of the μ-law, in which the carried clips are stored: eight bits, finer where it is quiet (ITU-T G.711)

Clips = tuple[np.ndarray, np.ndarray]  # sounds (N, SAMPLES) float32, digits (N,)


@functools.cache
def carried(split: str) -> Clips:
    """The clips that the application carries, of "train" or "held-out" voices."""
    with np.load(resource("data", "spoken-digits.npz")) as stored:
        return from_mu_law(stored[f"{split}-sounds"]), stored[f"{split}-digits"].astype(np.int64)


@functools.cache
def made(split: str) -> Clips:
    """The clips that espeak-ng makes: thousands from the "train" voices, or the "held-out" voices.

    Raises:
        BadInput: espeak-ng is not installed, or failed.
    """
    voices = espeak.HELD_OUT_VOICES if split == "held-out" else espeak.TRAIN_VOICES
    return espeak.speak_all(voices, TAKES, SPEC.rate, SAMPLES)


def draw(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A random carried clip of each digit: (B, 1, BANDS, frames)."""
    return to_state(_chosen(carried(split), labels, rng), SPEC, BANDS)


def draw_made(labels: np.ndarray, rng: np.random.Generator, split: str) -> np.ndarray:
    """A random clip of each digit of those that espeak-ng makes, moved a little in time: (B, 1, BANDS, frames)."""
    sounds = _chosen(made(split), labels, rng)
    return to_state(shift(sounds, rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, len(labels))), SPEC, BANDS)


def _chosen(clips: Clips, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sounds, digits = clips
    return sounds[[rng.choice(np.flatnonzero(digits == label)) for label in labels]]


def shift(sounds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Each sound moved by its number of samples to the right, as far as nothing that is heard gets lost."""
    out = np.zeros_like(sounds)
    for row, (sound, places_right) in enumerate(zip(sounds, places, strict=True)):
        heard = np.flatnonzero(sound)
        first, last = (heard[0], heard[-1] + 1) if len(heard) else (0, len(sound))
        move = int(np.clip(places_right, -first, len(sound) - last))
        out[row, first + move : last + move] = sound[first:last]
    return out


@functools.cache
def _states(split: str) -> Clips:
    sounds, digits = carried(split)
    return to_state(sounds, SPEC, BANDS), digits


def _material() -> Dataset:
    made("train")
    return dataclasses.replace(DATASET, draw=draw_made, everything=None, every=None)


DATASET = Dataset(
    name="spoken-digits",
    title="Spoken digits",
    modality="audio",
    shape=(1, BANDS, SAMPLES // SPEC.hop),
    labels=tuple(str(digit) for digit in range(10)),
    licence="CC0 1.0",
    credit="Spoken by the synthesiser espeak-ng (GPL 3, espeak-ng.org) in six English accents and twenty voices.",
    draw=draw,
    everything=_states,
    every=_states,
    material=_material,
    audio=SPEC,
)


def to_mu_law(wave: np.ndarray) -> np.ndarray:
    """Sound in [-1, 1] → uint8, silence is 128."""
    squeezed = np.sign(wave) * np.log1p(MU * np.abs(wave)) / np.log1p(MU)
    return (128 + np.rint(127 * squeezed)).astype(np.uint8)


def from_mu_law(stored: np.ndarray) -> np.ndarray:
    """The inverse of `to_mu_law`, float32."""
    squeezed = (stored.astype(np.float32) - 128) / 127
    return np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.float32(np.log1p(MU))) / MU


def write_carried(out: Path, each: tuple[int, int] = (16, 6)) -> None:
    """Make the clips that the application carries: so many of each digit from "train" and "held-out" voices.

    Raises:
        BadInput: espeak-ng is not installed.
    """
    rng, arrays = np.random.default_rng(0), {}
    for split, count in zip(("train", "held-out"), each, strict=True):
        sounds, digits = made(split)
        rows = np.concatenate([rng.choice(np.flatnonzero(digits == d), count, replace=False) for d in range(10)])
        arrays |= {f"{split}-sounds": to_mu_law(sounds[rows]), f"{split}-digits": digits[rows].astype(np.uint8)}
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    write_carried(resource("data", "spoken-digits.npz"))
