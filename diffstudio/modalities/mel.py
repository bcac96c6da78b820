"""Log-mel spectrograms: (1, bands, frames) in [-1, 1], and how they become sound again. numpy alone.

A state has no phase. The magnitude of each frequency is found from its bands by non-negative least squares, and a
phase that agrees with it by the fast Griffin-Lim algorithm (Perraudin, Balazs & Søndergaard 2013).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from pydantic import ValidationError

from diffstudio.errors import BadFile
from diffstudio.modalities.modality import Meaning
from diffstudio.specs import AudioSpec

NNLS_STEPS = 40
ROUNDS = 60  # of Griffin-Lim
MOMENTUM = 0.99


def spec_of(meaning: Meaning) -> AudioSpec:
    """The parameters in a card.

    Raises:
        BadFile: there are none, or they are out of their bounds.
    """
    try:
        return AudioSpec.model_validate(meaning.card.get("audio"))
    except ValidationError as error:
        raise BadFile("the card does not say how its states become sound: audio is missing or out of bounds") from error


def to_state(wave: np.ndarray, spec: AudioSpec, bands: int) -> np.ndarray:
    """Sound (B, samples) in [-1, 1] → states (B, 1, bands, samples/hop) float32 in [-1, 1].

    state = 2·log((m + floor)/floor) / log((ceiling + floor)/floor) − 1, with m the mean amplitude in a mel band.
    """
    magnitude = np.abs(_stft(wave, spec.window, spec.hop))
    m = np.einsum("kf,bnf->bkn", mel_matrix(bands, spec.rate, spec.window), magnitude)
    state = 2 * np.log1p(m / spec.floor) / np.log1p(spec.ceiling / spec.floor) - 1
    return state.clip(-1, 1).astype(np.float32)[:, None]


def to_mel(state: np.ndarray, spec: AudioSpec) -> np.ndarray:
    """States (B, 1, bands, frames), clipped to [-1, 1] → amplitudes (B, bands, frames)."""
    share = (np.nan_to_num(state[:, 0].astype(np.float64)).clip(-1, 1) + 1) / 2
    return spec.floor * np.expm1(share * np.log1p(spec.ceiling / spec.floor))


def to_sound(
    state: np.ndarray, spec: AudioSpec, rounds: int = ROUNDS, stop: Callable[[], bool] = lambda: False
) -> np.ndarray:
    """States (B, 1, bands, frames) → sound (B, frames·hop) float32 in [-1, 1]; unfinished once `stop` is true."""
    bands, frames = state.shape[2:]
    magnitude = _between_frames(_unmix(to_mel(state, spec), mel_matrix(bands, spec.rate, spec.window)))
    sound = _griffin_lim(magnitude, spec.window, spec.hop // 2, frames * spec.hop, rounds, stop)
    return sound.clip(-1, 1).astype(np.float32)


def mel_hertz(bands: int, rate: int) -> np.ndarray:
    """The centres of the bands in Hz between the ends 0 and rate/2, even on the mel scale: (bands + 2,)."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)


@functools.lru_cache(maxsize=8)
def mel_matrix(bands: int, rate: int, window: int) -> np.ndarray:
    """Triangles on the mel scale m = 2595·log10(1 + f/700), each of sum 1: (bands, window/2 + 1).

    Where the bands are closer than the frequencies of the window, a triangle is as wide as their distance.
    """
    frequencies = np.linspace(0, rate / 2, window // 2 + 1)
    centres = mel_hertz(bands, rate)
    step = frequencies[1]
    left = np.maximum(centres[1:-1] - centres[:-2], step)[:, None]
    right = np.maximum(centres[2:] - centres[1:-1], step)[:, None]
    away = frequencies[None] - centres[1:-1, None]
    weights = np.maximum(0, 1 - np.where(away < 0, -away / left, away / right))
    return weights / weights.sum(1, keepdims=True)


def _unmix(mel: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Amplitudes X ≥ 0 with matrix·X ≈ mel, by multiplicative steps (Lee & Seung 2001): (B, frames, frequencies)."""
    mixed = np.einsum("kf,bkn->bfn", matrix, mel)  # Wᵀ·m
    square = matrix.T @ matrix
    found = np.einsum("fk,bkn->bfn", np.linalg.pinv(matrix), mel).clip(1e-8)
    for _ in range(NNLS_STEPS):
        found = found * mixed / (square @ found + 1e-12)
    return found.transpose(0, 2, 1)


def _between_frames(magnitude: np.ndarray) -> np.ndarray:
    """Twice the frames, log-linear between their neighbours: the overlap that a phase is found from.

    (B, n, f) → (B, 2n, f). The new frames stand a quarter of a hop to the left and right of each old one.
    """
    logs = np.log(magnitude + 1e-8)
    padded = np.concatenate([logs[:, :1], logs, logs[:, -1:]], 1)
    left = 0.25 * padded[:, :-2] + 0.75 * logs
    right = 0.25 * padded[:, 2:] + 0.75 * logs
    return np.exp(np.stack([left, right], 2).reshape(len(logs), -1, logs.shape[2]))


def _griffin_lim(
    magnitude: np.ndarray, window: int, hop: int, samples: int, rounds: int, stop: Callable[[], bool]
) -> np.ndarray:
    """Sound (B, samples) whose short-time spectrum has about that magnitude (B, frames, window/2 + 1)."""
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, magnitude.shape[1:])  # equal for every sample
    phase = np.broadcast_to(np.exp(1j * angles), magnitude.shape)
    before = np.zeros_like(magnitude, complex)
    for _ in range(rounds):
        if stop():
            break
        consistent = _stft(_istft(magnitude * phase, window, hop, samples), window, hop)
        ahead = consistent + MOMENTUM * (consistent - before)
        phase = ahead / np.maximum(np.abs(ahead), 1e-12)
        before = consistent
    return _istft(magnitude * phase, window, hop, samples)


def _stft(wave: np.ndarray, window: int, hop: int) -> np.ndarray:
    """(B, samples) → (B, samples/hop, window/2 + 1) complex; a sine of amplitude 1 has magnitude 1.

    Frame n is centred on the middle of its hop, and what lies outside is silent.
    """
    pad = (window - hop) // 2
    padded = np.pad(wave, ((0, 0), (pad, window - hop - pad)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::hop]
    taper = _hann(window)
    return np.fft.rfft(frames * taper, axis=2) * (2 / taper.sum())


def _istft(spectrum: np.ndarray, window: int, hop: int, samples: int) -> np.ndarray:
    """The sound (B, samples) whose short-time spectrum is nearest (Griffin & Lim 1984, eq. 6)."""
    taper = _hann(window)
    frames = np.fft.irfft(spectrum, window, axis=2) * (taper * (taper.sum() / 2))
    pad = (window - hop) // 2
    out = np.zeros((len(spectrum), samples + window - hop))
    weight = np.full(out.shape[1], 1e-8)
    for n in range(spectrum.shape[1]):
        out[:, n * hop : n * hop + window] += frames[:, n]
        weight[n * hop : n * hop + window] += taper**2
    return (out / weight)[:, pad : pad + samples]


def _hann(window: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
