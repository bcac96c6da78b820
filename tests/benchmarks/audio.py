"""Judge the spoken digits: agreement on the sound, levels and spectra beside those of real clips, spectrograms.

python tests/benchmarks/audio.py [NAME …] [--samples N] [--guidance G] [--steps S] [--out DIR]

Needs espeak-ng: the judge is trained on the clips that it makes, and held-out voices are the floor.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from judge import final_samples
from PIL import Image
from sklearn.svm import SVC

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import spoken
from diffstudio.modalities.mel import to_sound, to_state
from diffstudio.specs import AudioSpec
from diffstudio.studio.engine import Engine
from diffstudio.studio.request.request import Request

EAR = AudioSpec(rate=8000, window=256, hop=128, floor=1e-3, ceiling=0.3)
EAR_BANDS = 40  # the judge hears other bands than the model speaks
JUDGED = 4000  # of the clips that are made
LEVELS = np.linspace(-70, 0, 36)  # dB of full scale


def heard(sounds: np.ndarray) -> np.ndarray:
    """What the judge hears: (N, features)."""
    return to_state(sounds, EAR, EAR_BANDS).reshape(len(sounds), -1)


def audio_judge() -> SVC:
    """An RBF-SVM trained on the real clips of the training voices, each as it is and moved a little in time."""
    sounds, digits = spoken.made("train")
    rng = np.random.default_rng(0)
    moved = spoken.shift(sounds, rng.integers(-spoken.MAX_SHIFT, spoken.MAX_SHIFT + 1, len(sounds)))
    rows = rng.permutation(2 * len(sounds))[:JUDGED]
    features = heard(np.concatenate([sounds, moved])[rows])
    return SVC(C=10, gamma="scale").fit(features, np.tile(digits, 2)[rows])


def levels(sounds: np.ndarray) -> np.ndarray:
    """Histogram of the levels of all 16 ms in dB of full scale: shares, what is quieter counts as the lowest."""
    power = (sounds.reshape(len(sounds), -1, 128).astype(np.float64) ** 2).mean(2)
    decibels = (10 * np.log10(power + 1e-9)).clip(LEVELS[0], LEVELS[-1])
    return np.histogram(decibels, LEVELS)[0] / decibels.size


def spectrum(sounds: np.ndarray) -> np.ndarray:
    """Shares of the energy in 32 bands of 125 Hz, over all sounds."""
    power = (np.abs(np.fft.rfft(sounds, axis=1)[:, 1:]) ** 2).sum(0)
    return power.reshape(32, -1).sum(1) / power.sum()


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """How much two histograms have in common, 1 all."""
    return float(np.minimum(a, b).sum())


def hum(sounds: np.ndarray) -> float:
    """The share of the energy below 70 Hz, where no voice is."""
    power = (np.abs(np.fft.rfft(sounds, axis=1)) ** 2).sum(0)
    return float(power[: round(70 * 4096 / 8000)].sum() / power.sum())


def spectrogram(sounds: np.ndarray, columns: int = 10) -> Image.Image:
    """Fine spectrograms in a grid, low frequencies below, 60 dB from black to white."""
    fine = AudioSpec(rate=8000, window=256, hop=32, floor=1e-3, ceiling=0.3)
    states = to_state(sounds, fine, 64)[:, 0, ::-1]
    rows = [np.concatenate(list(states[i : i + columns]), 1) for i in range(0, len(states), columns)]
    grey = ((np.concatenate(rows, 0) + 1) * 127.5).astype(np.uint8)
    return Image.fromarray(grey).resize((grey.shape[1], grey.shape[0] * 2))


def speak(engine: Engine, name: str, per_class: int, steps: int, guidance: float) -> tuple[np.ndarray, np.ndarray]:
    """Sounds (N, 4096) and the digits that were asked for."""
    states = [
        final_samples(
            engine,
            Request(
                model=name, label=digit, samples=per_class, steps=steps, guidance=guidance, seed=10_000 * digit,
                forward="off", trace_every=steps,
            ),
        )
        for digit in range(10)
    ]  # fmt: skip
    return to_sound(np.concatenate(states), spoken.SPEC), np.repeat(np.arange(10), per_class)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=["spoken-digits"])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--guidance", type=float, default=1.5)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    judge, (real, digits) = audio_judge(), spoken.made("held-out")
    rows = np.random.default_rng(1).permutation(len(real))[: options.samples]
    real, digits = real[rows], digits[rows]
    again = to_sound(to_state(real, spoken.SPEC, spoken.BANDS), spoken.SPEC)
    train = spoken.made("train")[0]
    rows_of = {"held-out voices": (real, digits), "held-out voices, from their states": (again, digits)}
    engine = Engine(default_catalog())
    for name in options.names:
        rows_of[name] = speak(engine, name, options.samples // 10, options.steps, options.guidance)
    for name, (sounds, asked) in rows_of.items():
        agreed = np.mean(judge.predict(heard(sounds)) == asked)
        print(
            f"{name:36} agreement {agreed:.3f}   levels {overlap(levels(sounds), levels(train)):.3f}   "
            f"spectrum {overlap(spectrum(sounds), spectrum(train)):.3f}   below 70 Hz {hum(sounds):.4f}"
        )
        if options.out is not None:
            chosen = [np.flatnonzero(asked == d)[i] for i in range(4) for d in range(10)]
            spectrogram(sounds[chosen]).save(options.out / f"{Path(name).stem.replace(' ', '-')}.png")


if __name__ == "__main__":
    main()
