"""Sound that is not in a plain WAV: MP3, Ogg, FLAC, M4A, the track of a movie. Read by PyAV, where it is installed."""

from __future__ import annotations

import array
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from diffstudio.cancelling import check_cancelled
from diffstudio.errors import BadFile, BadInput
from diffstudio.modalities.movie_file import MOVIES, import_av, open_movie
from diffstudio.modalities.wave_file import MAX_VALUES, RATES, Compressed, Wave, WaveFile, open_wave, read_wave

TRACKS = (".mp3", ".ogg", ".oga", ".opus", ".flac", ".m4a", ".aac", ".aif", ".aiff", ".wma", *MOVIES)
SOUNDS = (".wav", *TRACKS)
MAX_MONO = 1 << 27  # samples of a track, made mono: ten minutes of the highest rates that are in use


class Track:
    """The sound of a file that had to be decoded, made mono, (length,) float32; channels, rate: as they were stored."""

    def __init__(self, mono: np.ndarray, channels: int, rate: int) -> None:
        self._mono, self.channels, self.rate, self.length = mono, channels, rate, len(mono)

    def mono(self, first: int, count: int) -> np.ndarray:
        """(at most count,) float64."""
        check_cancelled()
        return self._mono[first : first + count].astype(np.float64)


@contextlib.contextmanager
def open_any_sound(path: Path, most_seconds: float) -> Iterator[WaveFile | Track]:
    """The sound in a file, to be read piece by piece; of one that lasts longer than most_seconds at least that much.

    Raises:
        BadInput: no such file, too large, or it needs the extra that is not installed.  BadFile: it can't be read.
    """
    if path.suffix.lower() in TRACKS:
        yield _track(path, most_seconds)
        return
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(open_wave(path))
        except Compressed as error:
            try:
                found = _track(path, most_seconds)
            except (BadInput, BadFile):
                raise error from None
        yield found


def read_any_sound(path: Path, most_seconds: float) -> Wave:
    """The sound in a file with all its channels at once. Errors as `open_any_sound`, and as `read_wave`."""
    if path.suffix.lower() not in TRACKS:
        try:
            return read_wave(path)
        except Compressed as error:
            with contextlib.suppress(BadInput, BadFile):
                return _all_channels(path, most_seconds)
            raise error
    return _all_channels(path, most_seconds)


def _all_channels(path: Path, most_seconds: float) -> Wave:
    parts, rate, count = [], 0, 0
    for part in _pieces(path, most_seconds):
        count += part.samples.size
        if count > MAX_VALUES:
            raise BadInput(f"{path} has more than {MAX_VALUES:,} samples: cut it first")
        parts.append(part.samples)
        rate = part.rate
    channels = min((part.shape[1] for part in parts), default=0)
    if not channels:
        raise BadFile(f"{path} is empty: it holds no sound")
    return Wave(np.concatenate([part[:, :channels] for part in parts]).astype(np.float64), rate)


def _track(path: Path, most_seconds: float) -> Track:
    mono, channels, rate = array.array("f"), 0, 0
    for part in _pieces(path, most_seconds):
        mono.frombytes(part.samples.mean(1, dtype=np.float64).astype(np.float32).tobytes())
        channels, rate = channels or part.samples.shape[1], part.rate
        if len(mono) > MAX_MONO:
            raise BadInput(f"{path} has more than {MAX_MONO:,} samples: cut it first")
    if not channels:
        raise BadFile(f"{path} is empty: it holds no sound")
    return Track(np.frombuffer(mono, np.float32), channels, rate)


class _Piece(NamedTuple):
    """samples: (count, channels) float32."""

    samples: np.ndarray
    rate: int


def _pieces(path: Path, most_seconds: float) -> Iterator[_Piece]:
    """What is decoded, piece by piece, and a little more than most_seconds of it."""
    av = import_av(f"reading {path.name}")
    with open_movie(path, "sound") as file:
        if not file.streams.audio:
            raise BadFile(f"{path} holds no sound")
        stream = file.streams.audio[0]
        if stream.codec_context is None:
            raise BadFile(f"{path} holds sound of a kind that can't be decoded: save it as a WAV")
        rate, count = int(stream.rate or 0), 0
        if not RATES[0] <= rate <= RATES[1]:
            raise BadFile(f"{path} has a rate of {rate:,} Hz: that is no sound file that can be read")
        plain = av.AudioResampler(format="fltp")
        try:
            for frame in file.decode(stream):
                check_cancelled()
                for part in plain.resample(frame):
                    samples = _values(part).T
                    if not np.isfinite(samples).all():
                        raise BadFile(f"{path} has values that are not finite (NaN or ∞)")
                    count += len(samples)
                    yield _Piece(samples, rate)
                if count > most_seconds * rate:
                    break
        except (av.FFmpegError, OSError, ValueError) as error:
            raise BadFile(f"{path} is damaged: its sound can't be decoded") from error


def _values(frame: Any) -> np.ndarray:
    """(channels, samples) of a planar frame."""
    found = frame.to_ndarray()
    return found.reshape(-1, found.shape[-1])
