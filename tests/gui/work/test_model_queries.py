"""What is asked of the model beside the runs: each kind has its answers, its end, and its own newest question."""

import threading

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.gui.stage.views.view import DENSITY, PICTURES, SCORE
from diffstudio.gui.work.jobs import Jobs
from diffstudio.gui.work.model_queries import Inquiries
from diffstudio.studio.request.request import Request

REQUEST = Request(model="made")
PLACES = np.ones((3, 2), np.float32)


class MadeEngine:
    """Scores are held while `gate` is closed; latents of NaN have no picture."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()

    def score(self, request, positions, log_snr, stop):
        assert request is REQUEST
        while not self.gate.wait(0.005):
            if stop():
                raise BadInput("stopped")
        return log_snr * positions

    def log_density(self, request, positions, stop):
        return -positions.sum(1)

    def pictures(self, request, states):
        if np.isnan(states).any():
            raise BadInput("there is no model 'made'")
        return states + 1


@pytest.fixture
def engine():
    return MadeEngine()


@pytest.fixture
def inquiries(qapp, engine):
    jobs = Jobs("compute")
    made = Inquiries(engine, jobs)
    yield made
    engine.gate.set()
    jobs.shut_down()


@pytest.fixture
def heard(inquiries):
    """(kind, about, answer or sentence), as they come."""
    said = []
    for signal in (inquiries.found, inquiries.failed):
        signal.connect(lambda *told: said.append(told))
    return said


def test_each_part_is_answered_in_its_turn(inquiries, heard, qtbot):
    inquiries.ask(REQUEST, DENSITY, "map", [(np.array([4, 5, 6]), PLACES), (np.array([7, 8, 9]), 2 * PLACES)])
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert [told[:2] for told in heard] == [(DENSITY, "map")] * 2
    for (_, _, (indices, log_p)), first, value in zip(heard, (4, 7), (-2, -4), strict=True):
        assert indices.tolist() == list(range(first, first + 3)) and log_p.tolist() == [value] * 3


def test_a_kind_does_not_end_the_question_of_another(inquiries, engine, heard, qtbot):
    engine.gate.clear()
    inquiries.ask(REQUEST, SCORE, "old", [(PLACES, 1.0)])
    inquiries.ask(REQUEST, PICTURES, "picture", [(2, PLACES)])
    inquiries.ask(REQUEST, SCORE, "new", [(PLACES, 3.0)])
    engine.gate.set()
    qtbot.waitUntil(lambda: len(heard) == 2)
    told = {about: (kind, answer) for kind, about, answer in heard}
    assert told.keys() == {"picture", "new"}
    assert told["new"][0] == SCORE and (told["new"][1] == 3).all()
    kind, (sample, picture) = told["picture"]
    assert (kind, sample) == (PICTURES, 2) and (picture == 2).all()


def test_what_fails_says_so_once_and_asks_no_further_part(inquiries, heard, qtbot):
    inquiries.ask(REQUEST, PICTURES, "gone", [(0, PLACES), (1, np.nan * PLACES), (2, PLACES)])
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard[0][2][0] == 0
    assert heard[1] == (PICTURES, "gone", "there is no model 'made'")
    with qtbot.waitSignal(inquiries.found):
        inquiries.ask(REQUEST, DENSITY, "map", [(np.arange(3), PLACES)])
    assert [about for _, about, _ in heard] == ["gone", "gone", "map"]


def test_a_run_that_does_not_say_how_it_was_made_has_no_answer(inquiries, heard):
    inquiries.ask(None, SCORE, 3, [(PLACES, 1.0)])
    assert heard == [(SCORE, 3, "the trace does not say how it was made")]


def test_to_cancel_ends_all_and_says_nothing(inquiries, engine, heard, qtbot):
    engine.gate.clear()
    inquiries.ask(REQUEST, SCORE, "score", [(PLACES, 1.0)])
    inquiries.ask(REQUEST, DENSITY, "map", [(np.arange(3), PLACES)])
    inquiries.cancel()
    engine.gate.set()
    with qtbot.waitSignal(inquiries.found):
        inquiries.ask(REQUEST, PICTURES, "picture", [(0, PLACES)])
    assert [about for _, about, _ in heard] == ["picture"]


def test_likelihoods_come_one_by_one_and_end_once(inquiries, qtbot, monkeypatch):
    asked, told, ends = [], [], []

    def judge(engine, request, split, steps, probes, stop):
        asked.append((request, split, steps, probes))
        yield from ("first", "second")

    monkeypatch.setattr("diffstudio.studio.likelihoods.judge", judge)
    inquiries.judged.connect(told.append)
    inquiries.judgingEnded.connect(lambda ended: ends.append(ended.outcome))
    with qtbot.waitSignal(inquiries.judgingEnded):
        inquiries.judge(REQUEST, "held-out", 3, 8)
    assert (asked, told, ends) == ([(REQUEST, "held-out", 3, 8)], ["first", "second"], ["done"])
    inquiries.stop_judging()
    assert ends == ["done"]
