"""A timeline that shows a run."""

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from diffstudio.gui.kit import theme
from diffstudio.gui.timeline.timeline import Timeline


@pytest.fixture
def timeline(qtbot, playhead):
    """A timeline of 1200×300 in the dark theme; afterwards no timer of it may run."""
    theme.apply(QApplication.instance(), theme.DARK)
    made = Timeline(playhead, theme.DARK)
    made.resize(1200, 300)
    made.show()
    yield made  # not qtbot.addWidget: that would delete it before its timers are looked at
    made.pause()
    qtbot.waitUntil(lambda: not active_timers(made))
    made.close()
    made.deleteLater()


@pytest.fixture
def show(qtbot, timeline, playhead):
    """Shows a run as the main window does, and waits until the film strip is filled."""

    def do(run):
        timeline.set_trace(run.trace)
        playhead.reset(len(run.trace))
        settle(qtbot, timeline)
        return timeline.track

    return do


@pytest.fixture
def grow(timeline, playhead):
    """Appends to a run that is shown, as the main window learns of it."""

    def do(run, count=1):
        run.append(count)
        playhead.grow(len(run.trace))
        timeline.refresh()

    return do


@pytest.fixture
def filled(qtbot, timeline):
    """Waits until nothing is left to draw."""
    return lambda: settle(qtbot, timeline)


def active_timers(widget):
    return [timer for timer in widget.findChildren(QTimer) if timer.isActive()]


def settle(qtbot, timeline):
    timeline.repaint()
    qtbot.waitUntil(lambda: not active_timers(timeline))
    timeline.repaint()
