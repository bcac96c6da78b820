"""The loudspeaker, with a stand-in for sounddevice."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.studio.app import playing


class PortAudioError(Exception):
    """As sounddevice's."""


class StandIn(ModuleType):
    """What `playing` uses of sounddevice."""

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.PortAudioError = PortAudioError
        self.devices = True
        self.played: list[tuple[np.ndarray, int]] = []
        self.stops = 0

    def query_devices(self, kind: str) -> dict:
        assert kind == "output"
        if not self.devices:
            raise PortAudioError("Error querying device -1")
        return {}

    def play(self, sound: np.ndarray, rate: int) -> None:
        if rate > 100_000:
            raise PortAudioError("Invalid sample rate")
        self.played.append((sound, rate))

    def stop(self) -> None:
        self.stops += 1


@pytest.fixture
def device(monkeypatch) -> StandIn:
    found = StandIn()
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


def test_a_sound_is_played_as_it_is_and_noise_more_quietly(device):
    speech = (0.1 * np.sin(np.arange(4096))).astype(np.float32)
    assert playing.problem() == ""
    assert playing.play(speech, 8000) == 0.512
    np.testing.assert_array_equal(device.played[0][0], speech)
    assert device.played[0][1] == 8000
    playing.play(np.sign(speech), 8000)
    np.testing.assert_allclose(device.played[1][0], playing.LOUDEST * np.sign(speech), atol=1e-3)
    playing.play(np.zeros(80), 8000)
    assert not device.played[2][0].any()
    playing.stop()
    assert device.stops == 1


def test_without_a_device_there_is_a_sentence(device):
    device.devices = False
    assert playing.problem() == "this computer has no audio device to play on"
    with pytest.raises(BadInput, match="no audio device"):
        playing.play(np.zeros(8), 8000)
    playing.stop()
    assert device.stops == 0


def test_without_the_extra_the_sentence_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert "pip install 'diffstudio[audio]'" in playing.problem()


def test_without_the_systems_library_the_sentence_names_it(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert "apt install libportaudio2" in playing.problem()


def test_what_the_device_refuses_is_a_sentence(device):
    with pytest.raises(BadInput, match="can't play: Invalid sample rate"):
        playing.play(np.zeros(8), 192_000)
