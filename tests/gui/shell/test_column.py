"""Two panels in a column: the upper fits what it holds, until the user drags the line."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from diffstudio.gui.shell.column import HANDLE, Column


class Panel(QWidget):
    def __init__(self, *heights, least=20):
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.parts = []
        for height in heights:
            part = QLabel()
            part.setFixedHeight(height)
            layout.addWidget(part)
            self.parts.append(part)
        self.least = least

    def minimumSizeHint(self):
        size = super().minimumSizeHint()
        size.setHeight(self.least)
        return size


@pytest.fixture
def column(qtbot):
    made = Column(Panel(100, 50), Panel(30, least=60))
    qtbot.addWidget(made)
    made.resize(200, 400 + HANDLE)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_the_upper_panel_is_as_tall_as_what_it_holds(column):
    assert column.sizes() == [150, 250]


def test_it_follows_what_the_panel_holds(column, qtbot):
    column.widget(0).parts[0].hide()
    qtbot.waitUntil(lambda: column.sizes() == [50, 350])
    column.widget(0).parts[0].show()
    qtbot.waitUntil(lambda: column.sizes() == [150, 250])


def test_a_short_column_leaves_the_lower_panel_its_least_and_a_tall_one_fits_again(column, qtbot):
    column.resize(200, 150 + HANDLE)
    qtbot.waitUntil(lambda: column.sizes() == [90, 60])
    column.resize(200, 600 + HANDLE)
    qtbot.waitUntil(lambda: column.sizes() == [150, 450])


def test_what_the_user_drags_stays_until_reset(column, qtbot):
    handle = column.handle(1)
    at = QPoint(100, HANDLE // 2)
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(handle, at + QPoint(0, 80))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=at)
    dragged = column.sizes()
    assert dragged[0] > 200
    column.widget(0).parts[0].hide()
    qtbot.wait(20)
    assert column.sizes() == dragged and column.state() == dragged
    column.reset()
    assert column.sizes() == [50, 350] and column.state() is None


@pytest.mark.parametrize("state", [None, [], [1], "x", [1, "2"], [1, -2], {"a": 1}])
def test_a_state_that_makes_no_sense_changes_nothing(column, state):
    column.restore(state)
    assert column.state() is None and column.sizes() == [150, 250]


def test_a_state_comes_back(column):
    column.restore([250, 150])
    assert column.sizes() == [250, 150] and column.state() == [250, 150]
