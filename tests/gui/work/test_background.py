"""Answers found beside the window: the newest question of a kind is answered, a failed one is not."""

import threading

import pytest

from diffstudio.cancelling import check_cancelled
from diffstudio.gui.work.background import Background


@pytest.fixture
def background():
    made = Background()
    yield made
    made.shut_down()


def test_an_answer_comes_with_its_kind(background, qtbot):
    with qtbot.waitSignal(background.answered) as signal:
        background.ask("sum", lambda stop: 2 + 2)
    assert signal.args == ["sum", 4]


def test_it_is_found_on_another_thread(background, qtbot):
    with qtbot.waitSignal(background.answered) as signal:
        background.ask("thread", lambda stop: threading.get_ident())
    assert signal.args[1] != threading.get_ident()


def test_only_the_newest_question_of_a_kind_is_answered(background, qtbot):
    begun, answers = threading.Event(), []
    background.answered.connect(lambda kind, answer: answers.append((kind, answer)))

    def slow(stop):
        begun.set()
        while not stop():
            threading.Event().wait(0.001)
        return "old"

    background.ask("a", slow)
    assert begun.wait(5)
    background.ask("a", lambda stop: "new")
    background.ask("b", lambda stop: "other")
    qtbot.waitUntil(lambda: len(answers) == 2)
    qtbot.wait(20)
    assert answers == [("a", "new"), ("b", "other")]


def test_what_reads_files_stops_by_itself_once_another_is_asked(background, qtbot):
    begun, ended, answers = threading.Event(), threading.Event(), []
    background.answered.connect(lambda kind, answer: answers.append(answer))

    def reading(_):
        begun.set()
        try:
            while True:
                check_cancelled()
        finally:
            ended.set()

    background.ask("a", reading)
    assert begun.wait(5)
    background.ask("a", lambda stop: "new")
    qtbot.waitUntil(lambda: answers == ["new"])
    assert ended.is_set()


def test_a_question_that_fails_is_logged_and_the_next_one_answered(background, qtbot, caplog):
    def broken(stop):
        raise ValueError("no")

    with qtbot.assertNotEmitted(background.answered, wait=50):
        background.ask("a", broken)
    assert "ValueError: no" in caplog.text
    with qtbot.waitSignal(background.answered) as signal:
        background.ask("a", lambda stop: 1)
    assert signal.args == ["a", 1]


def test_nothing_is_an_answer_too(background, qtbot):
    with qtbot.waitSignal(background.answered) as signal:
        background.ask("import", lambda stop: None)
    assert signal.args == ["import", None]
