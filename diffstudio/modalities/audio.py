"""Audio: a log-mel spectrogram as state, drawn with low frequencies below, and written as the sound it stands for."""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np

from diffstudio.errors import BadInput
from diffstudio.modalities.image import to_pixels, to_signed_pixels
from diffstudio.modalities.mask_file import WIDE, sound_mask
from diffstudio.modalities.mel import mel_hertz, spec_of, to_sound
from diffstudio.modalities.modality import Making, Meaning, Modality, Shown
from diffstudio.modalities.region import Axes
from diffstudio.modalities.sound import in_turn
from diffstudio.modalities.sound_file import read_sound
from diffstudio.modalities.sound_track import SOUNDS
from diffstudio.modalities.wave_file import wave_bytes

HEARD = ("xt", "x0_hat", "x0_cond", "x0_free")  # the tensors that are states, which have a sound


def _draw(meaning: Meaning, shown: Shown) -> np.ndarray:
    rows = shown.rows[:, :, ::-1].repeat(WIDE, 3)
    return to_pixels(rows) if shown.limit is None else to_signed_pixels(rows, shown.limit, shown.dark)


def _sound(meaning: Meaning, rows: np.ndarray) -> tuple[np.ndarray, int]:
    spec = spec_of(meaning)
    return to_sound(rows, spec), spec.rate


def _write(stream: BinaryIO, suffix: str, meaning: Meaning, shown: Shown, making: Making) -> None:
    """A WAV file of 16 bits: the sounds one after the other."""
    if shown.name not in HEARD:
        raise BadInput("only x_t and x̂0 have a sound: choose one of them, or export a picture")
    sounds, rate = _sound(meaning, shown.rows)
    comment = json.dumps(dict(making.settings)) if making.settings else ""
    stream.write(wave_bytes(in_turn(sounds, rate), rate, comment, making.xmp))


def _axes(meaning: Meaning, rows: np.ndarray | None) -> Axes:
    """Seconds, of the middle of each frame, and Hz, of that of each band."""
    spec, (bands, frames) = spec_of(meaning), meaning.shape[1:]
    seconds = (np.arange(frames) + 0.5) * spec.hop / spec.rate
    return Axes({"s": seconds[None, :], "hz": mel_hertz(bands, spec.rate)[1:-1, None]})


AUDIO = Modality(
    name="audio",
    title="Audio",
    rank=3,
    suffixes=SOUNDS,
    read=read_sound,
    tile=lambda meaning: (meaning.shape[1], WIDE * meaning.shape[2]),
    draw=_draw,
    colours=lambda meaning: "grey",
    exports={".wav": ("samples",), ".mp4": ("animation",)},
    write=_write,
    sample_suffix=".wav",
    sound=_sound,
    axes=_axes,
    read_mask=sound_mask,
)
