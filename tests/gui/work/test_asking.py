"""Questions beside the runs: the newest is answered, in parts, and others get their turn."""

import threading

import pytest

from diffstudio.gui.work.asking import Question
from diffstudio.gui.work.jobs import Jobs


@pytest.fixture
def jobs(qapp):
    made = Jobs("compute")
    yield made
    made.shut_down()


@pytest.fixture
def heard(jobs):
    question, said = Question(jobs), []
    question.answered.connect(lambda about, answer: said.append((about, answer)))
    question.ended.connect(lambda about, ended: said.append((about, ended.outcome)))
    return question, said


def says(*answers):
    return lambda stop: iter(answers)


def test_every_part_is_answered_in_order(heard, qtbot):
    question, said = heard
    with qtbot.waitSignal(question.ended):
        question.ask("a", [says(1, 2), says(3)])
        assert question.open
    assert said == [("a", 1), ("a", 2), ("a", 3), ("a", "done")]
    assert not question.open


def test_the_newest_question_wins(heard, qtbot):
    question, said = heard
    held = threading.Event()

    def waits(stop):
        held.wait(5)
        yield "too late"

    question.ask("old", [waits, says("never")])
    question.ask("new", [says(1)])
    with qtbot.waitSignal(question.ended):
        held.set()
    assert said == [("new", 1), ("new", "done")]


def test_the_same_question_is_not_asked_twice(heard, qtbot):
    question, said = heard
    with qtbot.waitSignal(question.ended):
        question.ask("a", [says(1)])
        question.ask("a", [says(2)])
    assert said == [("a", 1), ("a", "done")]


def test_a_cancelled_question_says_so_at_once_and_whatever_its_call_raises_is_not_heard(heard, jobs, qtbot):
    question, said = heard
    begun, held = threading.Event(), threading.Event()

    def waits(stop):
        begun.set()
        held.wait(5)
        raise ValueError("stopped half way")
        yield

    question.ask("a", [waits])
    assert begun.wait(5)
    question.cancel()
    assert said == [("a", "cancelled")]
    with qtbot.waitSignal(jobs.ended) as ended:
        held.set()
    assert ended.args[0].outcome == "cancelled"
    assert said == [("a", "cancelled")]


def test_a_part_that_fails_ends_it(heard, qtbot):
    from diffstudio.errors import BadInput

    question, said = heard

    def fails(stop):
        raise BadInput("no such class")
        yield

    with qtbot.waitSignal(question.ended) as ended:
        question.ask("a", [says(1), fails, says(2)])
    assert said == [("a", 1), ("a", "failed")]
    assert ended.args[1].error == "no such class"


def test_another_question_gets_its_turn_between_two_parts(heard, jobs, qtbot):
    question, said = heard
    other = Question(jobs)
    other.answered.connect(lambda about, answer: said.append((about, answer)))
    with qtbot.waitSignal(question.ended):
        question.ask("a", [says(1), says(2)])
        other.ask("b", [says(9)])
    assert said == [("a", 1), ("b", 9), ("a", 2), ("a", "done")]
