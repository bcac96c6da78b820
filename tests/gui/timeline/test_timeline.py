"""The whole timeline: its interface, the transport row, live runs, what it remembers."""

import json

import pytest
from PySide6.QtCore import QSize, Qt, QTranslator
from PySide6.QtWidgets import QAbstractButton, QApplication

from diffstudio.gui.kit import theme
from diffstudio.gui.kit.playhead import Playhead
from diffstudio.gui.timeline.clocks import CLOCKS
from diffstudio.gui.timeline.timeline import Timeline


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_transport_moves_the_playhead(show, make_run, timeline, playhead, qtbot):
    show(make_run())
    row = timeline.transport
    click(qtbot, row.first)
    assert playhead.position == 0 and not playhead.follow
    click(qtbot, row.on)
    click(qtbot, row.on)
    click(qtbot, row.back)
    assert playhead.position == 1
    click(qtbot, row.last)
    assert playhead.position == 21 and playhead.follow


def test_play_button_plays_and_pauses(show, make_run, timeline, qtbot):
    show(make_run())
    states = []
    timeline.playingChanged.connect(states.append)
    click(qtbot, timeline.transport.play)
    assert timeline.playing and timeline.transport.play.accessibleName() == "Pause"
    click(qtbot, timeline.transport.play)
    assert not timeline.playing and timeline.transport.play.accessibleName() == "Play"
    assert states == [True, False]


def test_scrubbing_pauses(show, make_run, timeline, playhead, mouse):
    track = show(make_run())
    playhead.move_to(0)
    timeline.play(1)
    mouse(track, "press", 600, 60)
    assert not timeline.playing
    timeline.play(1)
    playhead.move_by(-1)
    assert not timeline.playing


def test_pressing_where_the_playhead_is_pauses_too(show, make_run, timeline, playhead, mouse):
    track = show(make_run())
    playhead.move_to(4)
    timeline.play(1)
    mouse(track, "press", track.axis.x_of(playhead.position), 60)
    assert not timeline.playing


def test_loop_and_speed_from_the_row(timeline, qtbot):
    row = timeline.transport
    for expected in ("loop", "ping-pong", "once"):
        click(qtbot, row.loop)
        assert timeline.loop == expected
        assert expected in row.loop.accessibleName()
    row.speed.menu().actions()[0].trigger()
    assert timeline.speed == 0.25
    assert row.speed.text().startswith("¼×")


@pytest.mark.parametrize("width", [1400, 700])
def test_the_clock_from_the_row(show, make_run, timeline, qtbot, width):
    track = show(make_run())
    timeline.resize(width, 300)
    switch = timeline.transport.clocks
    assert switch.segments.isVisible() == (width == 1400)
    for i, clock in enumerate(CLOCKS):
        if width == 1400:
            click(qtbot, switch.group.button(i))
        else:
            switch.menu.menu().actions()[i].trigger()
        assert timeline.clock == clock
        assert track.spans[0].count == 11
    assert switch.group.checkedId() == len(CLOCKS) - 1
    timeline.cycle_clock()
    assert timeline.clock == "step" and switch.menu.text().startswith("step")


def test_another_clock_moves_the_records(show, make_run, timeline):
    track = show(make_run())
    by_step = track.axis.x_of(12)
    timeline.set_clock("log_snr")
    assert track.spans and track.axis.x_of(12) > by_step + 10


def test_bad_clocks_are_refused(timeline):
    with pytest.raises(ValueError, match="clock is one of"):
        timeline.set_clock("hours")


def test_the_numbers_at_the_playhead(show, make_run, timeline, playhead):
    show(make_run())
    playhead.move_to(11 + 4)
    assert timeline.transport.readout.text() == "reverse  4 / 10  t 0.600  σ 0.600  log-SNR −0.81  NFE 4"
    playhead.move_to(0)
    assert timeline.transport.readout.text() == "forward  0 / 10  t 0.000  σ 0.000  log-SNR ∞  NFE 0"


def test_markers_from_the_row(show, make_run, timeline, playhead, qtbot):
    show(make_run())
    row = timeline.transport
    playhead.move_to(6)
    click(qtbot, row.marker)
    assert playhead.markers == [6] and row.marker.isChecked()
    playhead.move_to(7)
    assert not row.marker.isChecked()
    playhead.move_to(6)
    assert row.marker.isChecked()
    click(qtbot, row.marker)
    assert playhead.markers == [] and not row.marker.isChecked()


def test_follow_is_a_toggle(show, make_run, timeline, playhead, qtbot):
    show(make_run())
    follow = timeline.transport.follow
    assert follow.isChecked()
    playhead.move_to(3)
    assert not follow.isChecked()
    click(qtbot, follow)
    assert playhead.follow and playhead.position == 21 and follow.isChecked()
    click(qtbot, follow)
    assert not playhead.follow and playhead.position == 21 and not follow.isChecked()


def test_a_run_fills_the_timeline_live(show, make_run, grow, timeline, playhead, filled):
    run = make_run(records=1)
    track = show(run)
    for k in range(1, 22):
        grow(run)
        assert timeline.transport.readout.text().split("  ")[1] == f"{k % 11} / 10"
    filled()
    assert all(track._thumbnails.get(cell.record) for _, cell in track._layer._cells)
    assert playhead.position == 21


def test_a_manual_move_leaves_the_run_and_the_end_rejoins(show, make_run, grow, playhead, mouse):
    run = make_run(records=8)
    track = show(run)
    mouse(track, "press", track.axis.x_of(3), 60)
    mouse(track, "release", track.axis.x_of(3), 60)
    grow(run, 4)
    assert playhead.position == 3
    playhead.to_end()
    grow(run, 2)
    assert playhead.position == 13


def test_another_trace_is_shown_before_the_playhead_knows(show, make_run, timeline, playhead):
    show(make_run(40, 40))
    timeline.zoom(3)
    timeline.play(1)
    playhead.move_to(70)
    short = make_run(0, 4)
    timeline.set_trace(short.trace)
    assert not timeline.playing and timeline.track.axis.zoom == 1
    timeline.repaint()
    assert "3 / 3" in timeline.transport.readout.text()
    playhead.reset(4)
    timeline.repaint()


def test_no_trace_no_buttons(show, make_run, timeline, playhead):
    row = timeline.transport
    assert not row.play.isEnabled()
    show(make_run())
    assert row.play.isEnabled() and row.marker.isEnabled()
    timeline.set_trace(None)
    playhead.reset()
    assert not row.play.isEnabled() and row.readout.text() == ""
    timeline.play_pause()
    assert not timeline.playing
    timeline.repaint()


def test_state_is_json_and_comes_back(timeline, qtbot):
    timeline.set_loop("ping-pong")
    timeline.faster()
    timeline.set_clock("sigma")
    state = json.loads(json.dumps(timeline.state()))
    other = Timeline(Playhead(), theme.LIGHT)
    qtbot.addWidget(other)
    other.restore(state)
    assert (other.loop, other.speed, other.clock) == ("ping-pong", 2.0, "sigma")


@pytest.mark.parametrize(
    "bad", [{}, {"loop": 3, "speed": "fast", "clock": None}, {"speed": 1e9, "clock": [], "loop": {}}]
)
def test_bad_states_change_nothing(timeline, bad):
    timeline.restore(bad)
    assert timeline.state() == {"loop": "once", "speed": 1.0, "clock": "step"}


def test_speed_keys(timeline):
    timeline.faster()
    assert timeline.speed == 2
    timeline.slower()
    timeline.slower()
    assert timeline.speed == 0.5


def test_every_control_has_a_name_and_takes_no_focus(timeline):
    buttons = timeline.findChildren(QAbstractButton)
    assert len(buttons) >= 14
    for button in buttons:
        assert button.accessibleName()
        assert button.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert all(button.toolTip() for button in buttons)
    assert timeline.accessibleName() and timeline.track.accessibleName()


def test_it_fits_into_700_pixels_even_with_long_words(qtbot):
    class Longer(QTranslator):
        def translate(self, context, text, disambiguation=None, n=-1):
            return text + "m" * round(0.4 * len(text))

        def isEmpty(self):
            return False

    longer = Longer()
    QApplication.installTranslator(longer)
    try:
        theme.apply(QApplication.instance(), theme.DARK)
        made = Timeline(Playhead(), theme.DARK)
        qtbot.addWidget(made)
        assert made.minimumSizeHint().width() <= 700
        assert made.minimumSizeHint().height() <= 170
        made.resize(QSize(700, 170))
        made.show()
        assert made.width() == 700
    finally:
        QApplication.removeTranslator(longer)


def test_a_narrow_row_gives_up_words_first_then_the_switch(show, make_run, timeline, qtbot):
    show(make_run())
    row = timeline.transport
    seen = []
    for width in (1400, 1060, 800):
        timeline.resize(width, 300)
        seen.append((bool(row.loop.text()), row.clocks.segments.isVisible()))
    assert seen == [(True, True), (False, True), (False, False)]


def test_no_timer_runs_when_nothing_happens(show, make_run, timeline):
    show(make_run())
    from PySide6.QtCore import QTimer

    assert not [timer for timer in timeline.findChildren(QTimer) if timer.isActive()]


def test_closing_while_things_are_drawn(make_run, qtbot, playhead):
    made = Timeline(playhead, theme.DARK)
    made.show()
    made.set_trace(make_run().trace)
    playhead.reset(22)
    made.play(1)
    made.repaint()
    made.close()
    made.deleteLater()
    qtbot.wait(30)
    playhead.move_to(3)
