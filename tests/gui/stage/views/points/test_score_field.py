"""When the score field is asked for, and which answers are taken."""

import numpy as np
import pytest
from PySide6.QtCore import QObject

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.points.points_scene import PointsScene
from diffstudio.gui.stage.views.points.score_field import PAUSE_MS, ScoreField


class Asker:
    """A scene with its field; `questions` are what it asked."""

    def __init__(self, parent):
        self.scene = PointsScene(theme.DARK)
        self.scene.room = (400, 300)
        self.scene.options["arrows"] = True
        self.field = ScoreField(self.scene, parent)
        self.questions = []
        self.field.wanted.connect(lambda about, parts: self.questions.append((about, *parts[0])))

    def show(self, run, k):
        if run.trace is not self.scene.trace:
            self.scene.set_trace(run.trace)
        self.scene.k = k
        self.field.update()

    def answer(self, question, size=1.0):
        about, at, _ = question
        self.field.answer(about, np.full_like(at, size))


@pytest.fixture
def asker(qapp):
    parent = QObject()
    yield Asker(parent)
    parent.deleteLater()


@pytest.fixture
def ask(asker, qtbot):
    """Shows a record and waits for the question."""

    def do(run, k):
        asker.show(run, k)
        with qtbot.waitSignal(asker.field.wanted):
            pass
        return asker.questions[-1]

    return do


def test_it_asks_where_the_arrows_will_be_once_the_playhead_rests(make_run, asker, ask):
    run = make_run(modality="points")
    for k in (12, 13, 14):
        asker.show(run, k)
    _, at, log_snr = ask(run, 15)
    assert len(asker.questions) == 1
    assert log_snr == run.trace.scalar(15, "log_snr")
    assert at.dtype == np.float32
    screen = asker.scene.plane.to_screen(at.astype(float))
    assert screen.min() > 0 and screen[:, 0].max() < 400 and screen[:, 1].max() < 300


def test_it_asks_in_the_models_coordinates(make_run, ask, asker):
    run = make_run(modality="points", path=lambda t: (1.0, 80 * t))
    _, at, _ = ask(run, 14)
    gain = 1 / np.hypot(1, run.trace.scalar(14, "s"))
    screen = asker.scene.plane.to_screen(at.astype(float) * gain)
    assert (screen.min(0) > 0).all() and (screen.min(0) < 40).all()
    assert 360 < screen[:, 0].max() < 400
    asker.answer(asker.questions[-1])
    drawn = asker.field._quiver.path.boundingRect()
    assert drawn.width() == pytest.approx(np.ptp(screen[:, 0]), abs=40)
    assert drawn.height() == pytest.approx(np.ptp(screen[:, 1]), abs=40)


def test_an_answer_is_shown_and_kept(make_run, asker, ask, qtbot):
    run = make_run(modality="points")
    asker.answer(ask(run, 15), size=3.0)
    assert asker.field.longest == pytest.approx(3 * np.sqrt(2))
    asker.show(run, 16)
    assert asker.field.longest is None
    asker.show(run, 15)
    assert asker.field.longest == pytest.approx(3 * np.sqrt(2))
    qtbot.wait(2 * PAUSE_MS)
    assert len(asker.questions) == 1


def test_late_answers_are_dropped(make_run, asker, ask):
    run, other = make_run(modality="points"), make_run(modality="points")
    question = ask(run, 15)
    asker.show(run, 16)
    asker.answer(question)
    assert asker.field.longest is None
    question = ask(run, 16)
    asker.scene.moved = asker.scene.plane.zoomed(2, 0, 0)
    asker.field.update()
    asker.answer(question)
    assert asker.field.longest is None
    question = ask(run, 17)
    asker.show(other, 17)
    asker.answer(question)
    assert asker.field.longest is None
    asker.answer(ask(other, 17))
    assert asker.field.longest is not None


def test_what_is_not_a_number_is_no_arrow(make_run, asker, ask):
    asker.answer(ask(make_run(modality="points"), 15), size=np.nan)
    assert asker.field.longest is None


@pytest.mark.parametrize("why", ["data", "x0_hat", "off", "pure noise"])
def test_it_does_not_ask_where_there_is_no_score(make_run, asker, qtbot, why):
    run = make_run(modality="points")
    asker.scene.tensor = "x0_hat" if why == "x0_hat" else "xt"
    asker.scene.options["arrows"] = why != "off"
    asker.show(run, {"data": 0, "pure noise": 11}.get(why, 15))
    qtbot.wait(2 * PAUSE_MS)
    assert asker.questions == []


def test_leaving_before_the_pause_is_over_asks_nothing(make_run, asker, qtbot):
    asker.show(make_run(modality="points"), 15)
    asker.scene.set_trace(None)
    asker.field.update()
    qtbot.wait(2 * PAUSE_MS)
    assert asker.questions == []
