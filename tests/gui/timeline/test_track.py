"""The track under the mouse, and what it paints."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from diffstudio.gui.kit import theme
from diffstudio.gui.timeline import strip
from diffstudio.gui.timeline.clocks import CLOCKS
from diffstudio.gui.timeline.lane_lines import height_of
from diffstudio.gui.timeline.lanes import title_place
from diffstudio.gui.timeline.overlay import flag_rect, handle_rect
from diffstudio.traces.format import NOT_FINITE, RECORDED


def scene(track):
    return track._current()


def x_of(track, record):
    return round(track.axis.x_of(record))


def row_y(track, name):
    return getattr(scene(track).rows, name).center().y()


def red_columns(track):
    """Where the playhead's head is."""
    image = track.grab().toImage()
    red = QColor(theme.DARK.playhead)
    return [x for x in range(image.width()) if image.pixelColor(x, 3) == red]


def cell_image(track, record):
    """The picture of the cell that shows a record."""
    shown = scene(track)
    for band in shown.axis.bands:
        for cell in shown.axis.cells(band, 0, shown.axis.width):
            if cell.record == record:
                side = shown.axis.cell_side(band)
                return track.grab().toImage().copy(cell.left + 2, shown.rows.strip.top() + 2, side - 4, side - 4)
    raise AssertionError(f"no cell shows {record}")


def is_empty(image):
    return len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}) == 1


@pytest.mark.parametrize("row", ["header", "ruler", "strip"])
def test_a_press_moves_the_playhead_there(show, make_run, playhead, mouse, row):
    track = show(make_run())
    for record in (0, 7, 13, 21):
        mouse(track, "press", x_of(track, record), row_y(track, row))
        mouse(track, "release", x_of(track, record), row_y(track, row))
        assert playhead.position == record
    assert not playhead.follow


def test_a_press_on_a_lane_moves_the_playhead_there(show, make_run, playhead, mouse):
    track = show(make_run())
    y = scene(track).rows.lanes[-1].center().y()
    mouse(track, "press", x_of(track, 6), y)
    assert playhead.position == 6


def test_a_drag_shows_every_step_and_keeps_the_last_position(show, make_run, playhead, mouse):
    track = show(make_run())
    seen = []
    playhead.moved.connect(seen.append)
    y = row_y(track, "strip")
    mouse(track, "press", x_of(track, 0), y)
    for x in range(x_of(track, 0), x_of(track, 19), 5):
        mouse(track, "move", x, y)
    mouse(track, "release", x_of(track, 20), y)
    assert seen == list(range(21))
    mouse(track, "move", x_of(track, 3), y)
    assert playhead.position == 20


def test_a_drag_beyond_the_edges_stays_at_the_ends(show, make_run, playhead, mouse):
    track = show(make_run())
    mouse(track, "press", 300, row_y(track, "strip"))
    mouse(track, "move", -400, row_y(track, "strip"))
    assert playhead.position == 0
    mouse(track, "release", 9000, row_y(track, "strip"))
    assert playhead.position == 21


def test_the_right_button_moves_nothing(show, make_run, playhead, qtbot):
    track = show(make_run())
    qtbot.mouseClick(track, Qt.MouseButton.RightButton, pos=QPoint(100, 60))
    assert playhead.position == 21


def test_while_a_run_goes_the_playhead_stays_at_what_exists(show, make_run, playhead, mouse):
    track = show(make_run(records=5))
    mouse(track, "press", x_of(track, 15), row_y(track, "strip"))
    assert playhead.position == 4


def test_the_playhead_is_painted_where_it_is_and_nowhere_else(show, make_run, playhead):
    track = show(make_run())
    for record in (0, 9, 21, 4):
        playhead.move_to(record)
        QApplication.processEvents()
        found = red_columns(track)
        assert found and all(abs(x - x_of(track, record)) <= 6 for x in found)


def test_moving_the_playhead_does_not_paint_the_still_layer_anew(show, make_run, playhead, monkeypatch):
    track = show(make_run())
    painted = []
    monkeypatch.setattr("diffstudio.gui.timeline.layer.paint_strip", lambda *a: painted.append(a))
    for record in range(22):
        playhead.move_to(record)
        track.repaint()
    assert not painted


def test_the_strip_shows_what_is_recorded(show, make_run, grow, filled):
    run = make_run(records=1)
    track = show(run)
    assert not is_empty(cell_image(track, 0)) or cell_image(track, 0).pixelColor(5, 5).red() == 255
    last = run.trace.planned - 1
    assert is_empty(cell_image(track, last))
    grow(run, last)
    filled()
    assert cell_image(track, last).pixelColor(10, 10).red() == 255
    assert not is_empty(cell_image(track, 10))


def test_another_tensor_never_shows_the_old_picture(show, make_run, timeline, filled):
    track = show(make_run())
    noisy = cell_image(track, 10)
    timeline.set_tensor("x0_hat")
    track._thumbnails._timer.stop()
    assert is_empty(cell_image(track, 10))
    track.update()
    timeline.refresh()
    filled()
    assert cell_image(track, 10) != noisy
    assert cell_image(track, 10).pixelColor(9, 9).red() == 255


def test_a_live_run_in_follow_is_followed(show, make_run, grow, playhead):
    run = make_run(records=1)
    track = show(run)
    for _ in range(21):
        grow(run)
        assert playhead.position == len(run.trace) - 1
    QApplication.processEvents()
    assert all(abs(x - x_of(track, 21)) <= 6 for x in red_columns(track))


def test_the_wheel_steps(show, make_run, playhead, wheel):
    track = show(make_run())
    playhead.move_to(10)
    wheel(track, 100, -120)
    assert playhead.position == 11
    wheel(track, 100, 240)
    assert playhead.position == 9
    wheel(track, 100, -60)
    assert playhead.position == 9
    wheel(track, 100, -60)
    assert playhead.position == 10


def test_ctrl_wheel_zooms_about_the_mouse_and_the_wheel_then_pans(show, make_run, playhead, wheel):
    track = show(make_run(51, 51))
    record = track.axis.record_at(400)
    wheel(track, 400, 600, ctrl=True)
    assert track.axis.zoom > 2
    assert abs(track.axis.record_at(400) - record) <= 1
    offset, position = track.axis.offset, playhead.position
    wheel(track, 400, -120)
    assert track.axis.offset == offset + 120
    assert playhead.position == position
    wheel(track, 400, -9000, ctrl=True)
    assert (track.axis.zoom, track.axis.offset) == (1, 0)


def test_a_zoomed_view_follows_the_playhead(show, make_run, playhead, timeline):
    track = show(make_run(51, 51))
    playhead.move_to(5)
    timeline.zoom(4)
    for record in (5, 60, 101, 0):
        playhead.move_to(record)
        assert 0 <= track.axis.x_of(record) <= track.width()
    timeline.zoom_fit()
    assert track.axis.zoom == 1


def test_zoom_is_about_the_playhead(show, make_run, playhead, timeline):
    track = show(make_run(51, 51))
    playhead.move_to(40)
    x = track.axis.x_of(40)
    timeline.zoom(2)
    assert track.axis.x_of(40) == pytest.approx(x, abs=1)


def test_double_click_on_the_ruler_sets_a_marker_and_takes_it_away(show, make_run, playhead, mouse):
    track = show(make_run())
    mouse(track, "double", x_of(track, 8) + 2, row_y(track, "ruler"))
    assert playhead.markers == [8]
    mouse(track, "double", x_of(track, 8) + 2, row_y(track, "ruler"))
    assert playhead.markers == []
    mouse(track, "double", x_of(track, 8), row_y(track, "strip"))
    assert playhead.markers == []


def test_a_flag_is_visited_by_a_click(show, make_run, playhead, mouse):
    track = show(make_run())
    playhead.toggle_marker(8)
    flag = flag_rect(scene(track), 8)
    assert track.grab().toImage().pixelColor(flag.center()).name() == theme.DARK.lane_b
    mouse(track, "press", flag.right() + 1, flag.center().y())
    mouse(track, "release", flag.right() + 1, flag.center().y())
    assert playhead.position == 8


def test_the_handles_of_the_range_are_dragged(show, make_run, playhead, mouse):
    track = show(make_run())
    grip = handle_rect(scene(track), 0, last=False).center()
    mouse(track, "press", grip.x(), grip.y())
    mouse(track, "move", x_of(track, 5), grip.y())
    mouse(track, "release", x_of(track, 5), grip.y())
    assert (playhead.range_in, playhead.range_out) == (5, None)
    grip = handle_rect(scene(track), 21, last=True).center()
    mouse(track, "press", grip.x(), grip.y())
    mouse(track, "release", x_of(track, 2), grip.y())
    assert (playhead.range_in, playhead.range_out) == (5, 5)
    mouse(track, "press", *_grip(track, 5, last=True))
    mouse(track, "release", 5000, grip.y())
    mouse(track, "press", *_grip(track, 5, last=False))
    mouse(track, "release", -50, grip.y())
    assert (playhead.range_in, playhead.range_out) == (None, None)


def _grip(track, record, last):
    at = handle_rect(scene(track), record, last).center()
    return at.x(), at.y()


def test_a_click_on_a_handle_only_moves_the_playhead(show, make_run, playhead, mouse):
    track = show(make_run())
    at = _grip(track, 0, last=False)
    mouse(track, "press", *at)
    mouse(track, "release", *at)
    assert playhead.position == 0
    assert playhead.range_in is None


def test_shift_drag_draws_a_range_and_leaves_the_playhead(show, make_run, playhead, mouse):
    track = show(make_run())
    y = row_y(track, "strip")
    mouse(track, "press", x_of(track, 15), y, shift=True)
    mouse(track, "move", x_of(track, 9), y, shift=True)
    mouse(track, "release", x_of(track, 4), y, shift=True)
    assert (playhead.range_in, playhead.range_out) == (4, 15)
    assert playhead.position == 21


def test_outside_of_the_range_is_dimmed(show, make_run, playhead):
    track = show(make_run())
    playhead.move_to(12)
    white = cell_image(track, 21).pixelColor(10, 10).lightness()
    playhead.set_range(5, 15)
    assert cell_image(track, 21).pixelColor(10, 10).lightness() < 0.6 * white


def test_the_pointer_tells_what_a_press_takes(show, make_run, playhead, mouse):
    track = show(make_run())
    playhead.toggle_marker(8)
    mouse(track, "move", *_grip(track, 0, last=False))
    assert track.cursor().shape() == Qt.CursorShape.SplitHCursor
    flag = flag_rect(scene(track), 8).center()
    mouse(track, "move", flag.x(), flag.y())
    assert track.cursor().shape() == Qt.CursorShape.PointingHandCursor
    mouse(track, "move", 300, row_y(track, "strip"))
    assert track.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_hovering_tells_the_numbers(show, make_run, qtbot):
    track = show(make_run(records=17))
    for record, expected in (
        (14, "reverse 3 / 10   t 0.700   σ 0.700   log-SNR −1.69   NFE 3"),
        (20, "Not there yet."),
    ):
        at = QPoint(x_of(track, record), row_y(track, "strip"))
        QApplication.sendEvent(track, QHelpEvent(QEvent.Type.ToolTip, at, track.mapToGlobal(at)))
        assert QToolTip.text() == expected
    QToolTip.hideText()


def test_without_a_trace_it_takes_no_mouse(timeline, playhead, mouse, wheel):
    track = timeline.track
    for kind in ("press", "move", "release", "double"):
        mouse(track, kind, 50, 50)
    wheel(track, 50, 120)
    timeline.zoom(2)
    timeline.zoom_fit()
    track.repaint()
    assert playhead.position == 0
    assert not red_columns(track)


@pytest.mark.parametrize("size", [(700, 170), (1280, 220), (2560, 420), (400, 120)])
@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT])
def test_any_size_and_theme_is_painted(show, make_run, timeline, playhead, filled, size, tokens):
    track = show(make_run(3, 40))
    timeline.apply_theme(tokens)
    timeline.resize(*size)
    playhead.set_range(2, 30)
    playhead.toggle_marker(20)
    filled()
    image = track.grab().toImage()
    assert image.pixelColor(x_of(track, playhead.position), 3).name() == tokens.playhead
    assert image.pixelColor(1, 1).name() == tokens.surface


def test_one_chain_alone(show, make_run, playhead, mouse):
    for run in (make_run(0, 9), make_run(9, 0), make_run(1, 1), make_run(0, 1)):
        track = show(run)
        mouse(track, "press", 2, row_y(track, "strip"))
        mouse(track, "release", 2, row_y(track, "strip"))
        assert playhead.position == 0
        mouse(track, "press", track.width() - 2, row_y(track, "strip"))
        mouse(track, "release", track.width() - 2, row_y(track, "strip"))
        assert playhead.position == run.trace.planned - 1


def test_a_run_that_grew_part_by_part_looks_as_if_painted_at_once(show, make_run, grow, filled, qtbot):
    run = make_run(records=1)
    track = show(run)
    for _ in range(12):
        grow(run)
        QApplication.processEvents()
    grow(run, run.trace.planned - len(run.trace))
    filled()
    qtbot.waitUntil(lambda: not track._growth.isActive() and not track._layer.unfinished)
    grown = track.grab().toImage()
    track._layer._scene = None
    assert track.grab().toImage() == grown


def wild(k, t):
    """From record 15 on not finite."""
    x = np.zeros((3, 1, 8, 8))
    if k >= 15:
        x[1] = np.nan
    return x, x


def magenta_columns(track):
    image, row = track.grab().toImage(), scene(track).rows.strip.bottom() + 3
    return [x for x in range(image.width()) if image.pixelColor(x, row) == QColor("#ff00ff")]


def test_where_a_run_becomes_not_finite_there_is_a_mark(show, make_run, grow, playhead):
    """Also in a trace of before, which counts nothing: its norms tell."""

    def norms(k):
        scalars, arrays = plain(k)
        return scalars | (dict.fromkeys(("dx_norm", "eps_norm", "x0_change"), math.nan) if k >= 15 else {}), arrays

    run = make_run(values=wild, records=0)
    plain = run._record
    run._record = norms
    run.append(15)
    track = show(run)
    assert scene(track).trouble is None and not magenta_columns(track)
    grow(run, 3)
    track._rebuild()
    assert scene(track).trouble == 15
    playhead.move_to(2)
    (column, *more) = magenta_columns(track)
    assert abs(column - x_of(track, 15)) <= 1 and len(more) <= 2


def test_the_hover_text_counts_what_is_not_finite(show, make_run):
    run = make_run(values=wild, scalars=RECORDED, records=0)
    plain = run._record
    run._record = lambda k: (plain(k)[0] | {NOT_FINITE: 1.0 if k >= 15 else 0.0}, plain(k)[1])
    run.append(22)
    track = show(run)
    y = row_y(track, "strip")
    assert track._hover_text(QPoint(x_of(track, 16), y)).endswith("samples that are not finite: 1")
    assert "not finite" not in track._hover_text(QPoint(x_of(track, 3), y))


def test_the_playhead_is_faint_over_words_and_full_below_them(show, make_run, playhead):
    track = show(make_run())
    playhead.move_to(16)
    image, x, rows = track.grab().toImage(), x_of(track, 16), scene(track).rows

    def red(y):
        """The strongest red of the columns about the playhead, beside the paper's."""
        return max(image.pixelColor(x + i, y).red() - image.pixelColor(x + 30, y).red() for i in (-1, 0, 1))

    full = red(rows.lanes[0].top() + 1)
    assert full > 180
    for y in (rows.header.top() + 2, rows.header.bottom(), rows.ruler.top() + 2):
        assert 20 < red(y) < 0.5 * full


def test_a_lanes_name_stands_clear_of_its_curve(show, make_run):
    track = show(make_run(31, 31))
    shown = scene(track)
    for number, row in enumerate(shown.rows.lanes):
        curve = shown.curves[number]
        place = title_place(shown, curve, row, 80, 14)
        assert row.contains(place.toAlignedRect())
        for band, part in zip(shown.axis.bands, curve.parts, strict=True):
            xs, ys = band.xs[: len(part)] - shown.axis.offset, height_of(curve, row, part)
            inside = (xs > place.left()) & (xs < place.right()) & (ys > place.top()) & (ys < place.bottom())
            assert not inside.any(), curve.lane.title


def test_where_no_network_is_called_the_ruler_says_so_in_place_of_numbers(show, make_run, timeline, monkeypatch):
    track = show(make_run())
    said = []
    monkeypatch.setattr(strip, "tr", lambda text: said.append(text) or text)
    for clock in CLOCKS:
        timeline.set_clock(clock)
        track.repaint()
        assert ("no network calls" in said) == (clock == "nfe")
        said.clear()
