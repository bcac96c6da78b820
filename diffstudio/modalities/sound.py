"""Sounds as arrays: another sampling rate, and a place in a clip of fixed length. numpy alone."""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np

LOUDNESS = 0.1  # root mean square of what is heard
QUIET = 0.02  # of the peak: what lies before and after it is cut off
FADE = 0.01  # of a clip: 5 ms of half a second
ZEROS = 16  # zero crossings of the sinc on each side
PAUSE = 0.25  # seconds between the sounds of two samples
MAX_PHASES = 2000  # of the taps of a resampling
CHUNK = 1 << 22  # products at a time


def resample(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """(samples,) at `rate` → at `wanted`, by a sinc under a Hann window, cut off below the lower of both halves."""
    if rate == wanted:
        return wave.astype(np.float64)
    # Of an odd rate the nearest that has few phases: 44,101 Hz for 8,000 is off by less than one part in a million.
    ratio = Fraction(wanted, rate).limit_denominator(MAX_PHASES)
    up, down = max(1, ratio.numerator), ratio.denominator
    kernels = _kernels(up, down)
    reach = kernels.shape[1] // 2
    at = np.arange(len(wave) * up // down) * down
    padded = np.pad(wave.astype(np.float64), reach)
    # out[k] = Σ over taps of kernel(phase)[tap]·wave[at + tap]
    rows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach)
    out = np.empty(len(at))
    count = max(1, CHUNK // (2 * reach))
    for start in range(0, len(at), count):
        part = at[start : start + count]
        out[start : start + count] = np.einsum("kt,kt->k", rows[part // up + 1], kernels[part % up])
    return out


@functools.lru_cache(maxsize=4)
def _kernels(up: int, down: int) -> np.ndarray:
    """The taps for each place between two old samples: (up, 2·reach); the first is `reach − 1` samples back."""
    cutoff = 0.95 * min(1.0, up / down)  # of the old Nyquist frequency
    reach = math.ceil(ZEROS / cutoff)
    away = np.arange(up)[:, None] / up - np.arange(1 - reach, reach + 1)[None]
    taper = np.where(np.abs(away) < reach, np.cos(np.pi * away / 2 / reach) ** 2, 0)
    return cutoff * np.sinc(cutoff * away) * taper


def heard(wave: np.ndarray) -> np.ndarray:
    """What lies between the first and the last sample above QUIET of the peak; empty where all is silent."""
    loud = np.flatnonzero(np.abs(wave) > QUIET * np.abs(wave).max(initial=0))
    return wave[loud[0] : loud[-1] + 1] if len(loud) else wave[:0]


def loudest(wave: np.ndarray, samples: int) -> np.ndarray:
    """The stretch of that length with the most energy; the whole where it is shorter."""
    if len(wave) <= samples:
        return wave
    energy = np.concatenate([[0.0], np.cumsum(wave**2)])
    start = int(np.argmax(energy[samples:] - energy[:-samples]))
    return wave[start : start + samples]


def placed(part: np.ndarray, samples: int) -> np.ndarray:
    """A sound of 1 to `samples` samples at one loudness, faded at its ends, in the middle of (samples,) float32."""
    part = part * (LOUDNESS / np.sqrt(np.mean(part**2)))
    edge = max(1, min(round(FADE * samples), len(part) // 2))
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    part[:edge] *= ramp
    part[-edge:] *= ramp[::-1]
    out = np.zeros(samples, np.float32)
    start = (samples - len(part)) // 2
    out[start : start + len(part)] = part.clip(-1, 1)
    return out


def in_turn(sounds: np.ndarray, rate: int) -> np.ndarray:
    """Sounds (B, samples) one after the other, with a pause between: (samples,) float32."""
    pause = np.zeros((len(sounds), round(PAUSE * rate)), np.float32)
    return np.concatenate([sounds, pause], 1).reshape(-1)[: -pause.shape[1]]
