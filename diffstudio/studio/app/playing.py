"""The loudspeaker: sounds are played in the background by sounddevice, which the extra "audio" brings."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from diffstudio.errors import BadInput

LOUDEST = 0.2  # root mean square: the noise at a chain's beginning is much louder than speech


def problem() -> str:
    """Why nothing can be played here: a sentence, or "". It may take a second, so not on the window's thread."""
    try:
        _device()
    except BadInput as error:
        return str(error)
    return ""


def play(sound: np.ndarray, rate: int) -> float:
    """Begin to play (samples,) in [-1, 1] instead of what is playing, and return its seconds.

    Raises:
        BadInput: there is no audio device, or what playing needs is not installed.
    """
    device = _device()
    quiet = min(1.0, LOUDEST / max(1e-9, float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))))
    try:
        device.play(sound.astype(np.float32) * np.float32(quiet), rate)
    except device.PortAudioError as error:
        raise BadInput(f"the audio device can't play: {error}") from error
    return len(sound) / rate


def stop() -> None:
    """Be silent."""
    try:
        _device().stop()
    except BadInput:
        return  # what can't play is silent already


def _device() -> ModuleType:
    """sounddevice, once there is a device to play on."""
    try:
        import sounddevice  # pyright: ignore[reportMissingImports] - an extra
    except ImportError as error:
        raise BadInput("playing sounds needs the extra 'audio': pip install 'diffstudio[audio]'") from error
    except OSError as error:  # the wheel for Linux leaves the library to the system
        raise BadInput("playing sounds needs the library PortAudio: apt install libportaudio2") from error
    try:
        sounddevice.query_devices(kind="output")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise BadInput("this computer has no audio device to play on") from error
    return sounddevice
