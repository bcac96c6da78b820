"""Sound that is not in a plain WAV: MP3, Ogg, FLAC, M4A, the track of a movie. Read by PyAV, where it is installed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.clip_frames import MOVIES, import_av, open_movie
from diffstudio.modalities.wave_file import RATES, Compressed, Wave, read_wave

TRACKS = (".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff", ".wma", *MOVIES)
SOUNDS = (".wav", *TRACKS)


def read_any_sound(path: Path, most_seconds: float) -> Wave:
    """The sound in a file; of one that lasts longer than most_seconds at least that much.

    Raises:
        BadInput: no such file, or it needs the extra that is not installed.  BadFile: it can't be read.
    """
    if path.suffix.lower() not in TRACKS:
        try:
            return read_wave(path)
        except Compressed as error:
            with contextlib.suppress(BadInput, BadFile):
                return _decoded(path, most_seconds)
            raise error
    return _decoded(path, most_seconds)


def _decoded(path: Path, most_seconds: float) -> Wave:
    av = import_av(f"reading {path.name}")
    with contextlib.closing(open_movie(path, "sound")) as file:
        if not file.streams.audio:
            raise BadFile(f"{path} holds no sound")
        stream = file.streams.audio[0]
        rate, parts, count = int(stream.rate or 0), [], 0
        if not RATES[0] <= rate <= RATES[1]:
            raise BadFile(f"{path} has a rate of {rate:,} Hz: that is no sound file that can be read")
        plain = av.AudioResampler(format="fltp")
        try:
            for frame in file.decode(stream):
                for part in plain.resample(frame):
                    parts.append(_values(part))
                    count += parts[-1].shape[1]
                if count > most_seconds * rate:
                    break
        except (av.FFmpegError, ValueError) as error:
            raise BadFile(f"{path} is damaged: its sound can't be decoded") from error
    channels = min((part.shape[0] for part in parts), default=0)
    if not channels:
        raise BadFile(f"{path} is empty: it holds no sound")
    samples = np.concatenate([part[:channels] for part in parts], 1).T.astype(np.float64)
    if not np.isfinite(samples).all():
        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
    return Wave(samples, rate)


def _values(frame: Any) -> np.ndarray:
    """(channels, samples) of a planar frame."""
    found = frame.to_ndarray()
    return found.reshape(-1, found.shape[-1])
