"""The plots, driven: what is drawn, where a click leads, zoom, and that nothing is made anew."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu

from diffstudio.analysis.summary import summarize
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.inspect.plots import Curves, Histogram

NAMES = ("‖Δx‖", "‖Δx̂0‖", "‖ε̂‖")


@pytest.fixture
def histogram(shown):
    return shown(Histogram(theme.DARK), 300, 200)


@pytest.fixture
def curves(shown, qtbot):
    made = shown(Curves(theme.DARK, NAMES), 400, 220)
    nothing = np.nan
    values = [np.array([nothing, 1.0, 2.0, 4.0, nothing, 1.0]), np.full(6, 0.1), np.full(6, 30.0)]
    made.show_curves(values, np.array([0, 1, 2, 3, 0, 1]), 4, 8)
    qtbot.wait(10)
    return made


def at(plot, x, y=0.0):
    """Where a point of the plot is in the widget."""
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def zoom(plot, turn=120):
    middle = QPointF(plot.viewport().rect().center())
    event = QWheelEvent(
        middle, plot.viewport().mapToGlobal(middle), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot.viewport(), event)


def test_the_histogram_draws_the_roots_of_the_counts(histogram):
    found = summarize(np.array([0.0] * 100 + [1.0] * 4 + [0.5] * 25), bins=4)
    histogram.show_summary(found)
    edges, heights = histogram.bars.getData()
    assert np.allclose(edges, found.edges) and np.allclose(heights, [10, 0, 5, 2])


def test_the_ticks_say_the_counts_themselves(histogram):
    histogram.show_summary(summarize(np.zeros(400)))
    axis = histogram.getAxis("left")
    assert axis.tickStrings([0, 10, 20], 1, 10) == ["0", "100", "400"]
    assert histogram.getAxis("bottom").tickStrings([-1.5], 1, 0.5) == ["−1.5"]


def test_values_that_stay_in_the_range_do_not_move_the_axes(histogram):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    before = histogram.box.viewRange()
    histogram.show_summary(summarize(np.linspace(-1.9, 2.1, 1000)))
    assert histogram.box.viewRange() == before
    histogram.show_summary(summarize(np.linspace(-0.5, 0.5, 1000)))
    (low, high), _ = histogram.box.viewRange()
    assert -0.7 < low < -0.5 and 0.5 < high < 0.7
    histogram.show_summary(summarize(np.linspace(-9, 9, 1000)))
    (low, high), _ = histogram.box.viewRange()
    assert low <= -9 and high >= 9


def test_counts_begin_at_the_bottom(histogram):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    _, (low, _) = histogram.box.viewRange()
    assert abs(low) < 0.1


def test_no_values_are_an_empty_plot(histogram):
    histogram.show_summary(summarize(np.full(5, np.nan)))
    histogram.show_summary(None)
    assert histogram.bars.getData()[1].sum() == 0


def test_a_zoom_stays_while_the_playhead_moves_until_everything_is_asked_for(histogram):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    zoom(histogram)
    (low, high), _ = histogram.box.viewRange()
    assert high - low < 4
    histogram.show_summary(summarize(np.linspace(-6, 6, 1000)))
    assert histogram.box.viewRange()[0] == [low, high]
    histogram.show_all()
    (low, high), _ = histogram.box.viewRange()
    assert low <= -6 and high >= 6


def test_a_double_click_shows_everything(histogram, qtbot):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    whole = histogram.box.viewRange()
    zoom(histogram)
    assert histogram.box.viewRange() != whole
    point = histogram.viewport().rect().center()
    qtbot.mouseClick(histogram.viewport(), Qt.MouseButton.LeftButton, pos=point)
    qtbot.mouseDClick(histogram.viewport(), Qt.MouseButton.LeftButton, pos=point)
    qtbot.mouseRelease(histogram.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert histogram.box.viewRange() == whole


def test_the_menu_is_ours(histogram, qtbot):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    zoom(histogram)
    histogram.customContextMenuRequested.emit(QPoint(20, 20))
    (menu,) = [menu for menu in histogram.findChildren(QMenu) if menu.isVisible()]
    titles = [action.text() for action in menu.actions()]
    assert titles == ["Show all", "Copy picture"]
    menu.actions()[0].trigger()
    (low, high), _ = histogram.box.viewRange()
    assert low <= -2 and high >= 2
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().pixmap().width() == histogram.width()
    menu.close()


def test_axes_have_titles_where_there_is_room(histogram, qtbot):
    assert histogram.getAxis("bottom").label.isVisible()
    histogram.resize(300, 80)
    qtbot.waitUntil(lambda: not histogram.getAxis("bottom").label.isVisible())


def test_another_theme_changes_pens_not_items(histogram, curves):
    histogram.show_summary(summarize(np.linspace(-2, 2, 1000)))
    items = [histogram.bars, *curves.lines, curves.playhead]
    for tokens in (theme.LIGHT, theme.DARK, theme.LIGHT):
        histogram.apply_theme(tokens)
        curves.apply_theme(tokens)
    assert [histogram.bars, *curves.lines, curves.playhead] == items
    assert histogram.bars.opts["brush"].color() == QColor(theme.LIGHT.lane_a)
    assert curves.playhead.pen.color() == QColor(theme.LIGHT.playhead)
    picture = histogram.grab().toImage()
    assert picture.pixelColor(picture.width() - 2, 1) == QColor(theme.LIGHT.bg)


def test_curves_are_drawn_on_a_logarithmic_scale_with_gaps(curves):
    x, y = curves.lines[0].getData()
    assert np.array_equal(x, np.arange(6))
    assert np.allclose(y, np.log10([np.nan, 1, 2, 4, np.nan, 1]), equal_nan=True)


def test_both_chains_and_what_is_planned_are_on_the_axis(curves):
    (low, high), (bottom, top) = curves.plot.box.viewRange()
    assert low <= 0 and high >= 7
    assert bottom <= -1 and top >= np.log10(30)
    assert curves.border.isVisible() and curves.border.value() == 3.5


def test_ticks_say_the_step_within_its_chain(curves):
    axis = curves.plot.getAxis("bottom")
    assert axis.tickStrings([0, 3, 4, 5, 7], 1, 1) == ["0", "3", "0", "1", ""]
    ((_, places),) = axis.tickValues(0, 7, 300)
    assert places == [0, 2, 4], "every second step of both chains"


@pytest.mark.parametrize(
    ("low", "high", "size", "expected"),
    [(0.0, 1.0, 200, ["1", "2", "5", "10"]), (-1.3, 0.0, 200, ["0.1", "0.2", "0.5", "1"]), (-2.0, 3.0, 60, 6)],
)
def test_the_logarithmic_axis_has_round_numbers(curves, low, high, size, expected):
    axis = curves.plot.getAxis("left")
    ((_, places),) = axis.tickValues(low, high, size)
    texts = axis.tickStrings(places, 1, 1)
    assert len(texts) == expected if isinstance(expected, int) else texts == expected


def test_the_legend_says_the_numbers_at_the_playhead(curves):
    curves.move_line(3)
    assert curves.playhead.value() == 3
    assert [entry.text() for entry in curves.legend] == ["━ ‖Δx‖ 4.00", "╍ ‖Δx̂0‖ 0.10", "┈ ‖ε̂‖ 30.00"]
    curves.move_line(7)  # not recorded yet
    assert curves.legend[0].text() == "━ ‖Δx‖ –"


@pytest.mark.parametrize(("x", "expected"), [(2.2, 2), (5.6, 6), (-0.4, 0)])
def test_a_click_moves_the_playhead(curves, qtbot, x, expected):
    with qtbot.waitSignal(curves.clicked) as signal:
        qtbot.mouseClick(curves.plot.viewport(), Qt.MouseButton.LeftButton, pos=at(curves.plot, max(x, -0.05)))
    assert signal.args == [expected]


def test_dragging_the_line_moves_the_playhead(curves, qtbot):
    curves.move_line(1)
    moved = []
    curves.clicked.connect(moved.append)
    start, end = at(curves.plot, 1), at(curves.plot, 5)
    viewport = curves.plot.viewport()
    qtbot.mouseMove(viewport, start)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for i in range(1, 9):
        qtbot.mouseMove(viewport, QPoint(start.x() + (end.x() - start.x()) * i // 8, start.y()))
        qtbot.wait(5)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
    assert moved and abs(moved[-1] - 5) <= 1


def test_a_run_without_such_numbers_has_no_curve(curves):
    curves.show_curves([None, None, np.ones(3)], np.arange(3), None, 3)
    assert len(curves.lines[0].getData()[0] if curves.lines[0].getData()[0] is not None else ()) == 0
    assert not curves.border.isVisible()
    assert curves.legend[0].text() == "━ ‖Δx‖ –"


@pytest.mark.parametrize(("size", "most"), [(40, 3), (600, 7)])
def test_ticks_of_counts_have_room_and_are_few(histogram, size, most):
    axis = histogram.getAxis("left")
    ((_, places),) = axis.tickValues(0.0, 27.0, size)
    assert places[0] == 0 and 1 < len(places) <= most
    assert len(set(np.diff(places))) <= 1
