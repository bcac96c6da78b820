"""A chain of spectrograms as an MP4 that is silent on the way and plays the sound of its last step, by PyAV."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.movie_file import import_av
from diffstudio.modalities.sound import resample
from diffstudio.studio import provenance
from diffstudio.studio.export.clips import CODECS, QUALITY, even
from diffstudio.studio.export.movie_colours import movie_frame, say_colours
from diffstudio.studio.xmp_carriers import mp4_box

RATE = 48_000  # that every player knows


def write_sound_movie(
    frames: Iterable[np.ndarray],
    sound: np.ndarray,
    rate: int,
    stream: BinaryIO,
    *,
    fps: float,
    hold_seconds: float,
    paper: tuple[int, int, int],
    found: dict[str, Any],
) -> None:
    """Encode pictures (H, W, 3) uint8; the last one stays as long as the sound (samples,) lasts, and hold_seconds.

    Raises:
        BadInput: the extra that it needs is not installed.
    """
    av = import_av("writing an MP4")
    codec = next(name for name in CODECS if name in av.codecs_available)
    speed = Fraction(fps).limit_denominator(1000)
    with av.open(stream, "w", format="mp4") as movie:
        movie.metadata["comment"] = provenance.to_text(found)
        picture, voice = movie.add_stream(codec, rate=speed, options=QUALITY[codec]), None
        count, shown = 0, None
        for frame in frames:
            shown = even(frame, paper)
            if not count:
                # Every track must be known before the first packet is written.
                picture.height, picture.width = shown.shape[:2]
                say_colours(picture)
                voice = movie.add_stream("aac", rate=RATE, layout="mono")
            movie.mux(picture.encode(movie_frame(av, shown)))
            count += 1
        if shown is None:
            raise BadInput("there is no step to make a movie of")
        for _ in range(math.ceil(max(len(sound) / rate, hold_seconds) * speed)):
            movie.mux(picture.encode(movie_frame(av, shown)))
        movie.mux(picture.encode())
        silence = np.zeros(round((count - 1) / speed * RATE))
        _encode(av, movie, voice, np.concatenate([silence, resample(sound, rate, RATE)]))
    packet = provenance.xmp_packet(found)
    if packet:
        stream.seek(0, io.SEEK_END)
        stream.write(mp4_box(packet))


def _encode(av: Any, movie: Any, voice: Any, wave: np.ndarray) -> None:
    """The sound track, in pieces of the size that its encoder takes."""
    size = 1024
    padded = np.pad(wave, (0, -len(wave) % size)).clip(-1, 1).astype(np.float32)
    for start in range(0, len(padded), size):
        frame = av.AudioFrame.from_ndarray(padded[None, start : start + size], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        movie.mux(voice.encode(frame))
    movie.mux(voice.encode())
