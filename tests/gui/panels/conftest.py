"""Panels alone, with the bundled checkpoints: no window, no torch."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.gui.kit import theme
from diffstudio.gui.panels.sampling.panel import SamplingPanel


@pytest.fixture(scope="session")
def catalog():
    return default_catalog()


@pytest.fixture
def shown(qtbot):
    """Shows a widget at a size, in the dark theme."""
    theme.apply(QApplication.instance(), theme.DARK)

    def show(widget, width=300, height=500):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return show


@pytest.fixture
def sampling(shown, catalog):
    """The sampling panel with `digits` chosen."""
    panel = shown(SamplingPanel(theme.DARK))
    panel.set_entry(catalog.find("digits"))
    return panel


@pytest.fixture
def type_into(qtbot):
    """Replaces the text of a field and leaves it with Enter."""

    def do(field, text):
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)

    return do


@pytest.fixture
def click(qtbot):
    """Clicks the middle of a widget, or a point of it."""

    def do(widget, at=None):
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or QPoint(widget.width() // 2, widget.height() // 2))

    return do


@pytest.fixture
def choose(qtbot):
    """Chooses in a combo box by its title, from the keyboard."""

    def do(combo, title):
        combo.setFocus()
        for _ in range(combo.count()):
            if combo.currentText() == title:
                return
            qtbot.keyClick(combo, Qt.Key.Key_Down)
        for _ in range(combo.count()):
            if combo.currentText() == title:
                return
            qtbot.keyClick(combo, Qt.Key.Key_Up)
        raise AssertionError(f"no '{title}' in {[combo.itemText(i) for i in range(combo.count())]}")

    return do
