"""Undo and redo against a plain list of what was."""

from hypothesis import given
from hypothesis import strategies as st

from diffstudio.gui.panels.sampling.request_history import TOGETHER_SECONDS, RequestHistory
from diffstudio.studio.request.request import Request


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def steps(n):
    return Request(steps=n)


def made():
    clock = Clock()
    history = RequestHistory(clock)
    history.start(steps(1))
    return history, clock


def test_nothing_can_be_taken_back_at_the_start():
    history, _ = made()
    assert not history.can_undo and not history.can_redo
    assert history.undo() is None and history.redo() is None


def test_changes_in_quick_succession_are_one_step():
    history, clock = made()
    for n in range(2, 30):
        clock.now += TOGETHER_SECONDS / 2
        history.note(steps(n))
    assert history.undo() == steps(1)
    assert history.redo() == steps(29)


def test_the_same_request_again_is_no_change():
    history, clock = made()
    clock.now += 10
    history.note(steps(1))
    assert not history.can_undo


def test_a_change_after_undo_forgets_what_was_taken_back():
    history, clock = made()
    history.note(steps(2))
    history.undo()
    clock.now += 10
    history.note(steps(3))
    assert not history.can_redo
    assert history.undo() == steps(1)


def test_a_change_right_after_undo_is_a_step_of_its_own():
    history, clock = made()
    history.note(steps(2))
    clock.now += 10
    history.note(steps(3))
    history.undo()
    history.note(steps(4))  # without a pause
    assert history.undo() == steps(2)


def test_starting_again_forgets_everything():
    history, _ = made()
    history.note(steps(2))
    history.start(steps(9))
    assert not history.can_undo
    history.note(steps(8))
    assert history.undo() == steps(9)


@given(st.lists(st.one_of(st.integers(1, 50), st.sampled_from(["undo", "redo"])), max_size=40))
def test_it_walks_as_a_list_with_a_cursor_does(moves):
    history, clock = made()
    line, at = [steps(1)], 0
    for move in moves:
        clock.now += 10
        if move == "undo":
            expected = line[at - 1] if at else None
            at = max(0, at - 1)
            assert history.undo() == expected
        elif move == "redo":
            expected = line[at + 1] if at + 1 < len(line) else None
            at = min(len(line) - 1, at + 1)
            assert history.redo() == expected
        elif steps(move) != line[at]:
            history.note(steps(move))
            line, at = [*line[: at + 1], steps(move)], at + 1
        assert (history.can_undo, history.can_redo) == (at > 0, at + 1 < len(line))
