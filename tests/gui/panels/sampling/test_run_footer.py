"""The button and what stands under it."""

import pytest
from PySide6.QtCore import QLocale

from diffstudio.gui.panels.sampling.run_footer import RunFooter


@pytest.fixture
def footer(shown):
    QLocale.setDefault(QLocale.c())
    return shown(RunFooter(), 300, 90)


def test_the_button_generates_and_while_a_run_goes_it_stops(footer, click, qtbot):
    with qtbot.waitSignal(footer.generate), qtbot.assertNotEmitted(footer.stop):
        click(footer.button)
    footer.set_running(True)
    assert footer.button.text() == "Stop" and footer.progress.isVisible()
    with qtbot.waitSignal(footer.stop), qtbot.assertNotEmitted(footer.generate):
        click(footer.button)
    footer.set_running(False)
    assert footer.button.text() == "Generate" and not footer.progress.isVisible()


def test_progress_says_steps_what_is_left_and_the_speed(footer):
    footer.set_running(True)
    footer.show_progress(1, 60, None, 0.0)
    assert footer.note.text() == "1 / 60 · starting…"
    footer.show_progress(30, 60, 4.21, 7.06)
    assert footer.note.text() == "30 / 60 · 4.2 s left · 7.1 steps/s"
    assert (footer.progress.value(), footer.progress.maximum()) == (30, 60)


def test_the_estimate_leaves_the_time_out_while_nothing_is_known(footer):
    footer.show_estimate(None, 6_200_000)
    assert footer.note.text() == "trace 6.2 MB"
    footer.show_estimate(0.94, 6_200_000)
    assert footer.note.text() == "about 0.9 s · trace 6.2 MB"


def test_a_problem_is_one_sentence(footer):
    footer.show_problem("a run needs a file")
    assert footer.note.text() == "a run needs a file"


def test_much_memory_is_said_and_too_much_before_all(footer):
    footer.show_estimate(None, 6_200_000, 1 << 30, 8 << 30)
    assert footer.note.text() == "trace 6.2 MB"
    footer.show_estimate(None, 6_200_000, 3_000_000_000, 8 << 30)
    assert footer.note.text() == "trace 6.2 MB · memory 3.0 GB"
    footer.show_estimate(None, 6_200_000, 9_000_000_000, 8_000_000_000)
    assert footer.note.text() == "needs about 9.0 GB of memory, only 8.0 GB is free"
    footer.show_estimate(None, 6_200_000, 3_000_000_000, None)
    assert footer.note.text() == "trace 6.2 MB · memory 3.0 GB"
