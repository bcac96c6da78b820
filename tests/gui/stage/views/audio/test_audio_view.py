"""Sounds at the playhead: what is drawn where, what is asked beside the window, and the button that plays."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PySide6.QtCore import Qt

from diffstudio.data import spoken
from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.audio import speaker
from diffstudio.gui.stage.views.audio.audio_view import FOOTER, AudioView
from diffstudio.gui.stage.views.audio.sounds import KIND, Found
from diffstudio.gui.stage.views.audio.waveform import columns
from diffstudio.modalities.mel import to_sound
from diffstudio.studio.app import playing

SHAPE = (1, 64, 32)
CARD = {"audio": spoken.SPEC.model_dump()}


def never() -> bool:
    return False


@pytest.fixture
def clips() -> np.ndarray:
    """(3, 1, 64, 32): three held-out clips."""
    return spoken.DATASET.every("held-out")[0][:3]


@pytest.fixture
def run(make_run, clips):
    """Five records of the reverse chain; the last is the clips themselves."""
    return make_run(0, 5, "audio", shape=SHAPE, card=CARD, values=lambda k, t: (clips + t, clips))


@pytest.fixture
def asked() -> list:
    """What the view wanted: (kind, question)."""
    return []


@pytest.fixture
def view(qtbot, run, asked):
    made = AudioView(theme.DARK)
    qtbot.addWidget(made)
    made.wanted.connect(lambda kind, question: asked.append((kind, question)))
    made.resize(620, 300 + FOOTER)
    made.set_trace(run.trace)
    made.set_tensor("xt")
    made.set_sample(0)
    made.show_record(4)
    made.show()
    return made


@pytest.fixture
def answer(view, asked, qtbot):
    """Wait for a question of that kind, answer it as the background does, and give the answer."""

    def answer(kind):
        qtbot.waitUntil(lambda: kind in [k for k, _ in asked])
        while kind in [k for k, _ in asked]:
            at = [k for k, _ in asked].index(kind)
            found = asked.pop(at)[1](never)
        view.take_answer(kind, found)
        return found

    return answer


@pytest.fixture
def loud(monkeypatch) -> list:
    """Sounds that were played: (sound, rate), None for silence."""
    played = []
    monkeypatch.setattr(playing, "problem", lambda: "")
    monkeypatch.setattr(playing, "play", lambda sound, rate: played.append((sound, rate)) or 0.05)
    monkeypatch.setattr(playing, "stop", lambda: played.append(None))
    return played


def test_low_frequencies_lie_below(view, clips, grab):
    cell = view._scene.cells()[0]
    shot = grab(view)[:, :, 0].astype(float)
    box = cell.picture
    for band, frame in ((5, 16), (20, 12), (60, 16), (0, 0)):
        y = round(box.bottom() - (band + 0.5) / 64 * box.height())
        x = round(box.left() + (frame + 0.5) / 32 * box.width())
        assert shot[y, x] == pytest.approx(127.5 * (clips[0, 0, band, frame] + 1), abs=2)


def test_sounds_are_asked_for_once_the_playhead_rests_and_then_drawn(view, answer, grab, run, clips, colour):
    box = view._scene.cells()[1].wave.toRect()
    ink = colour(theme.DARK.lane_a)
    before = grab(view)[box.top() : box.top() + box.height(), box.left() : box.left() + box.width()]
    assert not (before == ink).all(2).any()
    found = answer(KIND)
    np.testing.assert_allclose(found.sounds, to_sound(clips, spoken.SPEC), atol=1e-6)
    after = (grab(view)[box.top() : box.top() + box.height(), box.left() : box.left() + box.width()] == ink).all(2)
    assert after.any(0).mean() > 0.95
    tall = after.sum(0)  # the columns are as high as the sound is loud there
    loudness = np.ptp(columns(found.sounds[1], len(tall)), 1)
    assert np.corrcoef(tall, loudness)[0, 1] > 0.95


def test_a_record_that_was_heard_is_not_asked_for_again(view, answer, asked, qtbot):
    answer(KIND)
    view.show_record(2)
    answer(KIND)
    view.show_record(4)
    assert not view.sounds.waiting
    qtbot.wait(300)
    assert KIND not in [kind for kind, _ in asked]


def test_an_old_answer_is_not_shown_at_another_record(view, asked, qtbot):
    qtbot.waitUntil(lambda: any(kind == KIND for kind, _ in asked))
    old = next(question for kind, question in asked if kind == KIND)
    view.show_record(1)
    view.take_answer(KIND, old(never))
    assert view.sounds.get(0) is None
    assert view.sounds.waiting


def test_noise_and_change_have_no_sound(view, answer, loud):
    answer(speaker.CHECK)
    assert view.speaker.button.isEnabled()
    view.set_tensor("eps_hat")
    assert not view.speaker.button.isEnabled()
    assert view.speaker.button.toolTip() == "Only x_t and x̂0 have a sound."
    assert not view.sounds.waiting
    view.toggle_sound()
    assert not loud
    view.set_tensor("x0_hat")
    assert view.speaker.button.isEnabled()


def test_the_button_plays_the_selected_sample_of_this_step(view, answer, loud, mouse, clips, qtbot):
    answer(speaker.CHECK)
    view.set_sample(2)
    view.show_record(4)
    view.speaker.button.click()
    assert view.speaker.button.text() == "Stop the sound"
    answer(speaker.PLAY)
    ((sound, rate),) = loud
    assert rate == 8000
    np.testing.assert_allclose(sound, to_sound(clips[2:], spoken.SPEC)[0], atol=1e-6)
    qtbot.waitUntil(lambda: view.speaker.button.text() == "Play the sound")  # it is over


def test_stop_is_silent_at_once(view, answer, loud):
    answer(speaker.CHECK)
    view.toggle_sound()
    view.toggle_sound()
    assert view.speaker.button.text() == "Play the sound"
    answer(speaker.PLAY)
    assert loud[-1] is None


def test_without_a_device_the_button_says_so(view, answer, monkeypatch):
    monkeypatch.setattr(playing, "problem", lambda: "this computer has no audio device to play on")
    answer(speaker.CHECK)
    assert not view.speaker.button.isEnabled()
    assert view.speaker.button.toolTip() == "This computer has no audio device to play on."


def test_without_the_extra_the_button_names_it(view, answer, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    answer(speaker.CHECK)
    assert "pip install 'diffstudio[audio]'" in view.speaker.button.toolTip()


def test_clicking_selects_and_a_double_click_shows_one_alone(view, mouse):
    chosen, singles = [], []
    view.sampleClicked.connect(chosen.append)
    view.singleWanted.connect(singles.append)
    at = view._scene.cells()[1].picture.center()
    mouse(view, "move", at.x(), at.y())
    mouse(view, "press", at.x(), at.y())
    mouse(view, "double", at.x(), at.y())
    assert (chosen, singles) == ([1], [True])
    view.set_single(True)
    (cell,) = view._scene.cells()
    assert cell.sample == 0
    assert cell.picture.width() > 500


def test_the_readout_names_time_frequency_and_value(view, mouse, clips, values):
    box = view._scene.cells()[0].picture
    mouse(view, "move", box.left() + 16.5 / 32 * box.width(), box.bottom() - 5.5 / 64 * box.height())
    sample, batch, seconds, hertz, value = values(view.readout())
    assert (sample, batch) == (1, 3)
    assert seconds == pytest.approx(16.5 * 128 / 8000, abs=0.01)
    assert hertz == pytest.approx(700 * (10 ** (6 * 2146.065 / 65 / 2595) - 1), abs=1)
    assert value == pytest.approx(clips[0, 0, 5, 16], abs=0.01)


def test_the_picture_is_what_is_shown_without_the_selection(view, answer, pixels, colour):
    answer(KIND)
    picture = pixels(view.picture())
    frame = view._scene.cells()[0].whole.toRect()
    assert picture.shape[:2] == (300, 620)
    assert (picture[frame.top() + 30, frame.left() - 1] == colour(theme.DARK.bg)).all()


def test_a_record_that_cannot_be_heard_says_why(view, asked, qtbot):
    qtbot.waitUntil(lambda: any(kind == KIND for kind, _ in asked))
    question = next(question for kind, question in asked if kind == KIND)
    about = question(never).about
    view.take_answer(KIND, Found(about, None, "the trace was cut"))
    assert view.speaker.button.toolTip() == "The trace was cut."


@pytest.mark.parametrize(
    ("shape", "card", "says"),
    [((1, 8, 8), {}, "does not say how its states become sound"), ((3, 8, 8), CARD, "not spectrograms")],
)
def test_what_cannot_be_shown_is_a_sentence(make_run, shape, card, says):
    assert says in AudioView.problem(make_run(2, 2, "audio", shape=shape, card=card).trace)


def test_the_batch_scrolls_where_it_does_not_fit(qtbot, make_run):
    made = AudioView(theme.DARK)
    qtbot.addWidget(made)
    made.resize(120, 160)
    made.set_trace(make_run(0, 1, "audio", batch=60, shape=SHAPE, card=CARD).trace)
    made.show_record(0)
    made.show()
    assert made._bar.isVisible()
    made.set_sample(59)
    assert 59 in [cell.sample for cell in made._scene.cells()]
    made.fit()
    assert made._scene.visible[0] == 0
    assert made.focusPolicy() == Qt.FocusPolicy.StrongFocus
