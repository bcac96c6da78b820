"""The row above the canvas: what it says and wants, and that it fits."""

import pytest
from PySide6.QtCore import Qt, QTranslator
from PySide6.QtWidgets import QApplication, QPushButton

from diffstudio.analysis.fields import TENSORS
from diffstudio.gui.kit import theme
from diffstudio.gui.stage.header import HALVES, READOUT, Header, tensor_titles
from diffstudio.gui.stage.views.options import option_titles


@pytest.fixture
def make_header(qtbot):
    theme.apply(QApplication.instance(), theme.DARK)

    def make(width=900):
        made = Header(theme.DARK, lambda: "sample 1 of 16")
        qtbot.addWidget(made)
        made.set_options(tuple(option_titles()), "All")
        made.resize(width, made.sizeHint().height())
        made.show()
        made.resize(width, made.sizeHint().height())  # it may have found a second line
        QApplication.processEvents()
        return made

    return make


def buttons(header):
    return header.findChildren(QPushButton)


def test_buttons_say_what_is_wanted(make_header, qtbot):
    header, said = make_header(), []
    header.tensorWanted.connect(said.append)
    header.singleWanted.connect(said.append)
    header.optionWanted.connect(lambda name, on: said.append((name, on)))
    header.set_available(TENSORS)
    for button in (*header._tensors.values(), header._single, *header._options.values()):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert said == [*tensor_titles(), True, *((name, True) for name in option_titles())]


def test_one_tensor_at_a_time_is_marked(make_header):
    header = make_header()
    for name in tensor_titles():
        header.set_tensor(name)
        assert [n for n, b in header._tensors.items() if b.isChecked()] == [name]


def test_every_control_has_a_name_a_tip_and_leaves_the_keys_to_the_canvas(make_header):
    header = make_header()
    assert len(buttons(header)) == len(TENSORS) + len(option_titles()) + 1
    for button in buttons(header):
        assert button.accessibleName() and button.toolTip()
        assert button.focusPolicy() == Qt.FocusPolicy.NoFocus


@pytest.mark.parametrize("width", [400, 520, 700, 1300])  # with the switches of every view at once
def test_nothing_overlaps_and_the_readout_has_room(make_header, width):
    header = make_header(width)
    shown = [b for b in buttons(header) if b.isVisible()]
    places = [(b.mapTo(header, b.rect().topLeft()), b) for b in shown]
    boxes = [b.rect().translated(at) for at, b in places]
    assert all(header.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    second_line = header._options["trails"].y() > header._single.y() + 10
    assert second_line == (width < 1200)
    if not second_line:
        assert header.readout.width() >= READOUT


@pytest.mark.parametrize("points", [False, True])
@pytest.mark.parametrize("width", [400, 700, 1400])
def test_the_halves_of_guidance_find_their_place(make_header, width, points):
    header = make_header(width)
    header.set_options(tuple(option_titles()) if points else ())
    header.set_available(TENSORS)
    header.resize(width, header.heightForWidth(width))
    QApplication.processEvents()
    shown = [b for b in buttons(header) if b.isVisible()]
    assert len(shown) == len(TENSORS) + 1 + points * len(option_titles())
    boxes = [b.rect().translated(b.mapTo(header, b.rect().topLeft())) for b in shown]
    assert all(header.rect().contains(box) for box in boxes)
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    header.set_available(("xt", "delta"))
    assert not any(header._tensors[name].isVisible() for name in HALVES)
    assert header._tensors["x0_hat"].isVisible() and not header._tensors["x0_hat"].isEnabled()


def test_a_title_that_changes_moves_nothing(make_header):
    header = make_header()
    before = [b.geometry() for b in buttons(header)]
    header.set_titles({"xt": "x_t", "x0_hat": "x_0 (true)", "eps_hat": "ε (true)", "delta": "Δ"})
    header.set_single(True)
    QApplication.processEvents()
    assert [b.geometry() for b in buttons(header)] == before
    for button in header._tensors.values():
        assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width() - 10


def test_words_that_are_forty_per_cent_longer_fit(make_header):
    class Longer(QTranslator):
        def translate(self, context, text, disambiguation=None, n=-1):
            return text + "m" * round(0.4 * len(text))

        def isEmpty(self):
            return False

    longer = Longer()
    QApplication.installTranslator(longer)
    try:
        header = make_header(560)
        assert header.minimumSizeHint().width() <= 560
    finally:
        QApplication.removeTranslator(longer)


def test_the_readout_is_asked_for_when_it_is_painted(make_header):
    header = make_header()
    asked = []
    header.readout._source = lambda: asked.append(1) or "a long text " * 50
    for _ in range(5):
        header.readout.update()
    header.readout.repaint()
    assert len(asked) == 1
    assert header.readout.accessibleName().startswith("a long text")
