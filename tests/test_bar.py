"""The progress bar of a terminal."""

from __future__ import annotations

import io

import pytest

from diffstudio.bar import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Makes stderr a terminal that keeps what is written; in the test, since pytest sets stderr between both."""

    def terminal():
        written = Terminal()
        monkeypatch.setattr("sys.stderr", written)
        return written

    return terminal


def test_what_the_run_has_measured_is_what_is_shown(terminal):
    screen = terminal()
    with Bar("digits") as bar:
        bar.show(0, 30, "digits")
        bar.show(12, 30, "digits", left=75.0, rate=2.5)
        bar.aside(lambda sentence: None, "")  # which draws it anew
    assert "12/30 [01:15 left, 2.5 steps/s]" in screen.getvalue()


def test_a_sentence_has_a_line_of_its_own(terminal):
    screen = terminal()
    with Bar("digits") as bar:
        bar.show(0, 30, "digits")
        bar.aside(lambda sentence: screen.write(f"{sentence}\n"), "not finite")
    assert "\rnot finite\n" in screen.getvalue()


def test_without_a_terminal_the_sentence_alone_is_told(monkeypatch):
    told = []
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Bar("digits") as bar:
        bar.show(3, 30, "digits")
        bar.aside(told.append, "not finite")
    assert told == ["not finite"]
