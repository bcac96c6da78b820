"""Where the panels sit at the sizes that people have, in the real window."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QEventLoop, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSlider,
    QWidget,
)

from diffstudio.gui.app import Studio
from diffstudio.gui.kit import theme
from diffstudio.gui.kit.widgets import ElidedLabel
from diffstudio.gui.panels.whole_lines import WholeLines


def settle(milliseconds=60):
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


@pytest.fixture
def open_at(studio):
    def open_window(width, height):
        studio.parts.window.resize(width, height)
        studio.parts.window.show()
        settle()
        return studio.parts

    return open_window


def test_the_card_is_as_wide_as_its_page_when_the_window_opens(open_at, qtbot):
    page = open_at(1440, 900).window.findChild(WholeLines)
    assert page.verticalScrollBar().isVisible()
    lines = page.widget().findChildren(QLabel)
    qtbot.waitUntil(lambda: len(lines) > 5 and all(line.geometry().right() < page.viewport().width() for line in lines))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_scrolls_in_the_sampling_panel_of_a_small_window(studio, open_at, qtbot, theme):
    parts = open_at(1280, 800)
    studio.use_settings(parts.settings.model_copy(update={"theme": theme}))
    for model in ("digits", "digits@400", "digits-ddpm", "shapes-2d", "exact-ring", "exact-points"):
        assert parts.models.choose(model)
        settle()
        qtbot.waitUntil(lambda: parts.sampling.fields.verticalScrollBar().maximum() == 0)
    assert parts.window.size() == QSize(1280, 800)


def test_a_solver_with_a_number_still_fits_the_small_window(open_at, qtbot):
    parts = open_at(1280, 800)
    parts.sampling.solver.set_value("ddim")
    settle()
    assert parts.sampling.params.isVisible()
    # The column is laid out anew in steps: on a busy machine they take longer than that.
    qtbot.waitUntil(lambda: parts.sampling.fields.verticalScrollBar().maximum() == 0)


@pytest.mark.parametrize("size", [(1280, 800), (2560, 1440)])
def test_the_inspector_has_room_for_its_plot_and_its_numbers(open_at, size):
    parts = open_at(*size)
    assert parts.inspect.height() >= (130 if size[0] == 1280 else 400)
    assert parts.inspect.rect().contains(QRect(parts.inspect.readout.geometry()))


@pytest.mark.parametrize("size", [(900, 600), (1280, 800), (2560, 1440)])
def test_no_label_is_cut(open_at, size):
    parts = open_at(*size)
    for panel in (parts.sampling, parts.card, parts.models):
        for line in panel.findChildren(QLabel):
            if line.isVisible() and not isinstance(line, ElidedLabel) and not line.wordWrap():
                assert line.width() >= line.sizeHint().width(), f"{line.text()} at {size}"


def test_panels_grow_with_the_window_and_the_canvas_keeps_most_of_it(open_at):
    parts = open_at(1280, 800)
    small = [parts.models.width(), parts.sampling.width(), parts.timeline.height()]
    parts.window.resize(2560, 1440)
    settle()
    large = [parts.models.width(), parts.sampling.width(), parts.timeline.height()]
    assert all(b > a for a, b in zip(small, large, strict=True))
    assert parts.canvas.width() > 0.7 * 2560
    parts.window.resize(1280, 800)
    settle()
    assert [parts.models.width(), parts.sampling.width(), parts.timeline.height()] == small


def test_advanced_scrolls_where_it_must(open_at, qtbot):
    parts = open_at(1280, 800)
    parts.sampling.folds.set_open("advanced")
    settle()
    qtbot.waitUntil(lambda: parts.sampling.fields.verticalScrollBar().maximum() > 0)
    assert parts.sampling.footer.button.isVisible() and not parts.sampling.footer.visibleRegion().isEmpty()
    parts.sampling.folds.set_open("")
    # The column is laid out anew in steps, as above.
    qtbot.waitUntil(lambda: parts.sampling.fields.verticalScrollBar().maximum() == 0)


@pytest.mark.parametrize("name", ["guidance", "edit", "advanced"])
def test_a_fold_that_is_opened_comes_into_view(open_at, name, qtbot):
    panel = open_at(1280, 800).sampling
    QTest.mouseClick(panel.folds.buttons[name], Qt.MouseButton.LeftButton)
    assert panel.folds.open == name
    group = {"guidance": panel.guiding, "edit": panel.edit, "advanced": panel.advanced}[name]
    view = panel.fields.viewport()

    def seen():
        rows = [row for row in group.rows.values() if view.rect().contains(row.mapTo(view, row.rect().bottomRight()))]
        return len(rows) >= 4 and view.rect().contains(panel.folds.buttons[name].mapTo(view, QPoint(0, 0)))

    qtbot.waitUntil(seen)  # the column is laid out anew in steps, as above


def test_every_panel_can_be_hidden_and_comes_back(open_at, studio):
    parts = open_at(1280, 800)
    menu = parts.window._menus["View"]
    for name in ("models", "card", "sampling", "inspect", "timeline"):
        menu.aboutToShow.emit()
        (toggle,) = [action for action in menu.actions() if action.objectName() == name]
        panel: QWidget = getattr(parts, name)
        assert toggle.isChecked()
        toggle.trigger()
        settle()
        assert not panel.isVisible()
        studio.commands.run("reset_layout")
        settle()
        assert panel.isVisible()


def test_a_column_without_panels_gives_its_room_to_the_canvas(open_at):
    parts = open_at(1280, 800)
    before = parts.canvas.width()
    for name in ("sampling", "inspect"):
        parts.window._arrangement.set_shown(name, False)
    settle()
    assert parts.canvas.width() > before + 250


def test_the_layout_is_remembered(studio, open_at, tmp_path, qapp):
    parts = open_at(1400, 850)
    parts.window._arrangement.set_shown("card", False)
    parts.window._arrangement._columns["right"].restore([200, 300])
    settle()
    studio.shut_down()
    again = Studio(tmp_path / "settings.json", tmp_path / "runs", warm_up=False)
    try:
        again.parts.window.show()
        settle()
        assert not again.parts.card.isVisible() and again.parts.models.isVisible()
        columns = again.parts.window._arrangement._columns
        assert columns["right"].state() is not None, "the user had dragged it"
        assert columns["left"].state() is None
    finally:
        again.shut_down()
        again.parts.window.deleteLater()
        qapp.processEvents()


def test_a_damaged_layout_is_the_first_one(open_at):
    parts = open_at(1280, 800)
    for state in ({}, {"docks": "§"}, {"docks": "AAAA", "columns": 3, "hidden": "models"}, {"x": 1}):
        parts.window.restore(state)
        settle()
        for name in ("models", "card", "sampling", "inspect", "timeline"):
            assert getattr(parts, name).isVisible(), f"{name} after {state}"


def test_headings_are_level_with_their_fields(open_at):
    parts = open_at(1280, 800)
    for row in parts.sampling.rows.values():
        if row.isVisible() and row.field is not parts.sampling.label:
            heading = row.heading.mapTo(parts.sampling, QPoint(0, row.heading.height() // 2)).y()
            line = row.field.mapTo(parts.sampling, QPoint(0, min(row.field.height(), 27) // 2)).y()
            assert abs(heading - line) <= 2, row.heading.text()


def test_only_the_panels_that_must_scroll_downwards_do(open_at):
    parts = open_at(1280, 800)
    for area in parts.window.findChildren(QScrollArea):
        assert area.horizontalScrollBar().maximum() == 0


def test_tab_goes_from_top_to_bottom_through_the_sampling_panel(open_at):
    parts = open_at(1280, 800)
    parts.models.choose("shapes-2d")
    parts.models.choose("digits")  # its chips are new widgets
    settle()
    panel, at, stops = parts.sampling, parts.sampling.source.combo, []
    while True:
        if at.isVisible() and at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.focusProxy() is None:
            stops.append(at)
        at = at.nextInFocusChain()
        if not panel.isAncestorOf(at):
            break
    tops = [stop.mapTo(panel, QPoint(0, stop.height() // 2)).y() for stop in stops]
    assert panel.footer.button in stops and panel.label.controls()[0] in stops
    assert all(b >= a - 14 for a, b in pairwise(tops)), "no way back up"


def test_every_control_has_a_name_and_a_tooltip(open_at):
    parts = open_at(1280, 800)
    for panel in (parts.sampling, parts.inspect, parts.models):
        for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QSlider):
            for control in panel.findChildren(kind):
                if control.isVisibleTo(panel) and control.objectName() != "qt_spinbox_lineedit":
                    assert control.accessibleName() or control.text(), control
                    assert control.toolTip() or isinstance(control.parent(), QLineEdit), control.accessibleName()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_words_stand_out_from_their_background(name):
    tokens = theme.THEMES[name]
    for text in (tokens.text, tokens.text_dim):
        for back in (tokens.bg, tokens.surface, tokens.raised, tokens.accent_soft):
            assert contrast(text, back) >= 4.5, f"{text} on {back}"
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for colour in (tokens.lane_a, tokens.lane_b, tokens.lane_c):
        assert contrast(colour, tokens.surface) >= 4.5, f"{colour}: the legend of the curves"


def contrast(a, b):
    """WCAG 2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""

    def luminance(colour):
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_a_long_list_leaves_room_for_the_card_and_shows_what_is_chosen(open_at, qtbot):
    parts = open_at(1280, 800)
    tree = parts.models.tree

    def is_seen():  # a row keeps a pixel of air above and below
        return tree.viewport().rect().adjusted(0, 0, 0, 1).contains(tree.visualItemRect(tree.currentItem()))

    for model in ("exact-ring", "digits", "spoken-digits"):
        assert parts.models.choose(model)
        qtbot.waitUntil(is_seen)
        assert parts.card.height() >= 0.4 * parts.models.parentWidget().height()
