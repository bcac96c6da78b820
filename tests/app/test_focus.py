"""Keys never land in a field that the user has left: a click anywhere else gives them to the window's shortcuts."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit

from diffstudio.gui.kit.number_box import NumberBox


@pytest.fixture(scope="module")
def window(qapp, tmp_path_factory):
    """One window with a run of five records a chain, for all of these tests: each leaves it as it was."""
    from diffstudio.gui.app import Studio

    folder = tmp_path_factory.mktemp("focus")
    studio = Studio(folder / "settings.json", folder / "runs", warm_up=False)
    p = studio.parts
    p.window.resize(1440, 900)
    p.window.show()
    p.window.activateWindow()
    p.sampling.steps.set_value(4)
    p.sampling.samples.set_value(2)
    p.sampling.folds.set_open("guidance", "advanced")
    ended = []
    p.runs.ended.connect(ended.append)
    studio.commands.run("generate")
    while not ended or not p.inspect.pages:
        qapp.processEvents()
    yield studio
    studio.shut_down()
    p.window.deleteLater()
    qapp.processEvents()


@pytest.fixture(autouse=True)
def _no_leaks():
    """The window is the module's own; what is left of it is seen when the next module begins."""
    yield


def middle(widget):
    return widget, QPoint(widget.width() // 2, widget.height() // 2)


REGIONS = {
    "the film strip": lambda p: (p.timeline.track, QPoint(400, 60)),
    "the curves under it": lambda p: (p.timeline.track, QPoint(400, p.timeline.track.height() - 12)),
    "between the buttons of the timeline": lambda p: (p.timeline.transport, QPoint(640, 2)),
    "a button of the timeline": lambda p: middle(p.timeline.transport.marker),
    "the samples": lambda p: middle(p.canvas._view),
    "beside the samples": lambda p: (p.canvas._view, QPoint(3, 3)),
    "the head of the canvas": lambda p: (p.canvas.header, QPoint(p.canvas.header.width() // 2, 3)),
    "a plot": lambda p: middle(next(page for page in p.inspect.pages.values() if page.isVisible())),
    "the numbers under a plot": lambda p: middle(p.inspect.readout),
    "the heading of the inspector": lambda p: middle(label_of(p.inspect, "INSPECT")),
    "the card": lambda p: (p.card, QPoint(20, 4)),
    "the note under Generate": lambda p: middle(p.sampling.footer.note),
    "a heading of the panel": lambda p: middle(p.sampling.rows["solver"].heading),
    "a class": lambda p: middle(p.sampling.label.controls()[4]),
    "the title in the toolbar": lambda p: middle(label_of(p.window, "DiffStudio  ")),
    "the status bar": lambda p: middle(p.window.statusBar()),
}  # fmt: skip
FIELDS = {
    "a number": lambda p: p.sampling.steps.spin,
    "a decimal": lambda p: p.sampling.guidance.spin,
    "the seed": lambda p: p.sampling.seed.edit,
    "samples": lambda p: p.sampling.samples,
    "a level of noise": lambda p: p.sampling.guiding.interval.low,
    "times": lambda p: p.sampling.advanced.times.edit,
    "the filter of models": lambda p: p.models.search,
}


def label_of(parent, text):
    (found,) = [line for line in parent.findChildren(QLabel) if line.text() == text]
    return found


def says(field):
    return field.text()


def goes_to_the_window(studio, field):
    """Whether letters, digits and arrows are the window's: each does what its action does, the field stays as it is."""
    p = studio.parts
    before = says(field)

    def press(key):
        QTest.keyClick(QApplication.focusWidget() or p.window, key)

    p.canvas.set_tensor("xt")
    press(Qt.Key.Key_X)
    assert p.canvas.tensor == "x0_hat", "a letter"
    press(Qt.Key.Key_3)
    assert p.canvas.tensor == "eps_hat", "a digit"
    p.playhead.move_to(5)
    press(Qt.Key.Key_Left)
    assert p.playhead.position == 4, "an arrow"
    press(Qt.Key.Key_Home)
    assert p.playhead.position == 0
    assert says(field) == before


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_click_elsewhere_gives_the_keys_to_the_window(window, field, region):
    p = window.parts
    p.sampling.advanced.grid.set_value("custom" if field == "times" else "uniform")
    p.sampling.guiding.interval.on.set_value(True)
    p.sampling.label.set_value("each")
    edit = FIELDS[field](p)
    edit.setFocus()
    assert edit.hasFocus()
    widget, at = REGIONS[region](p)
    assert widget.isVisible()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
    assert not isinstance(QApplication.focusWidget(), QLineEdit | QPlainTextEdit | NumberBox)
    goes_to_the_window(window, edit)
    p.timeline.pause()
    p.playhead.markers.clear()
    p.models.search.clear()
    if p.canvas.single:
        p.canvas.toggle_single()


@pytest.mark.parametrize("region", REGIONS)
def test_a_click_elsewhere_leaves_the_prompt(window, region):
    p = window.parts
    assert p.models.choose("words")
    try:
        prompt = p.sampling.prompt.edit
        prompt.setText("th_ng")
        prompt.setFocus()
        widget, at = REGIONS[region if region != "a class" else "the card"](p)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at)
        assert not prompt.hasFocus()
        goes_to_the_window(window, prompt)
        assert p.sampling.request().prompt == "th_ng"
    finally:
        assert p.models.choose("digits")
        p.timeline.pause()


def test_the_numbers_of_the_report(window):
    """Type 40 for the steps, click the strip, press → → → and 3: nothing is typed."""
    p = window.parts
    p.sampling.advanced.grid.set_value("uniform")
    spin = p.sampling.steps.spin
    spin.setFocus()
    spin.selectAll()
    QTest.keyClicks(spin, "40")
    p.playhead.move_to(0)
    QTest.mouseClick(p.timeline.track, Qt.MouseButton.LeftButton, pos=QPoint(20, 60))
    start = p.playhead.position
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_3):
        QTest.keyClick(QApplication.focusWidget(), key)
    assert p.playhead.position == start + 3 and p.canvas.tensor == "eps_hat"
    assert spin.text() == "40" and p.sampling.request().steps == 40


def test_tab_goes_on_near_the_place_that_was_clicked(window):
    p = window.parts
    QTest.mouseClick(p.sampling.footer.note, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert p.sampling.isAncestorOf(QApplication.focusWidget())
