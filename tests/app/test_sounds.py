"""Sounds in the real window: a reopened trace is heard, its sample played, a file of the user's own taken as source."""

import numpy as np
import pytest

from diffstudio.data import spoken
from diffstudio.gui.stage.views.audio.audio_view import AudioView
from diffstudio.modalities.wave_file import wave_bytes
from diffstudio.studio.app import playing
from diffstudio.traces.format import TraceHeader
from diffstudio.traces.writer import TraceWriter


@pytest.fixture
def recorded(tmp_path):
    """A trace of two spoken digits: three records of the reverse chain."""
    clips = spoken.DATASET.every("held-out")[0][:2]
    header = TraceHeader(
        created="2026-01-02", request={}, card={"modality": "audio", "audio": spoken.SPEC.model_dump()},
        fields=tuple({"name": name, "shape": clips.shape} for name in ("xt", "x0_hat")),
        chains=({"name": "reverse", "records": 3},),
    )  # fmt: skip
    path = tmp_path / "spoken.trace"
    with TraceWriter(path, header) as writer:
        for k, t in enumerate((1.0, 0.5, 0.0)):
            scalars = {"chain": 1, "step": k, "t": t, "a": 1 - t, "s": t, "log_snr": 0.0, "seconds": 0.1 * k}
            writer.append(scalars, {"xt": clips + np.float32(t), "x0_hat": clips})
    return path


def test_a_reopened_trace_is_drawn_and_played(studio, recorded, monkeypatch, qtbot):
    played = []
    monkeypatch.setattr(playing, "problem", lambda: "")
    monkeypatch.setattr(playing, "play", lambda sound, rate: played.append((len(sound), rate)) or 0.01)
    parts = studio.parts
    parts.window.show()
    studio.commands.filing.open_paths([recorded])
    studio.wait_read()
    view = parts.canvas._view
    assert isinstance(view, AudioView)
    parts.playhead.move_to(2)
    qtbot.waitUntil(lambda: view.sounds.get(1) is not None, timeout=30_000)
    assert parts.window.actions_by_id["play_sound"].isEnabled()
    studio.commands.run("play_sound")
    qtbot.waitUntil(lambda: bool(played), timeout=30_000)
    assert played == [(4096, 8000)]
    qtbot.waitUntil(lambda: not view.speaker.sounding, timeout=30_000)


def test_a_wav_becomes_the_source_and_the_panel_says_what_is_done_to_it(studio, tmp_path):
    parts = studio.parts
    assert parts.models.choose("spoken-digits")
    path = tmp_path / "own.wav"
    path.write_bytes(wave_bytes(0.5 * np.sin(np.arange(9000) / 5), 48_000))
    studio.commands.filing.open_paths([path])
    studio.wait_read()
    assert parts.sampling.request().source_file == str(path)
    assert (
        parts.sampling.source.problem.text()
        == "Mono, 48,000 Hz, 0.19 s: resampled to 8,000 Hz, made 11 dB softer, as the model's sounds are."
    )
    assert not parts.sampling.source.fit.isVisibleTo(parts.sampling.source)
