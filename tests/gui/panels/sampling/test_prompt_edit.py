"""The edit of a prompt shows all of it; letters stand in cells that can be counted."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from diffstudio.gui.panels.sampling.prompt_edit import MOST, PromptEdit
from diffstudio.gui.panels.sampling.prompt_field import PromptField

LONG = "a red fox in the snow, oil on canvas, very detailed, wide angle, the sun is setting behind the hills"


@pytest.fixture
def edit(shown):
    def make(cells=0, width=300):
        made = PromptEdit()
        made.set_cells(cells)
        return shown(made, width, 60)

    return make


def seen(edit):
    """The lines of the text as they are laid out."""
    layout = edit.document().firstBlock().layout()
    text = edit.document().firstBlock().text()
    lines = [layout.lineAt(i) for i in range(layout.lineCount())]
    return [text[line.textStart() : line.textStart() + line.textLength()] for line in lines]


def test_a_long_prompt_wraps_and_asks_for_the_lines_that_it_needs(edit):
    words = edit()
    words.setText(LONG)
    lines = seen(words)
    assert len(lines) >= 2 and all(line.strip() in LONG for line in lines)
    one, all_of_it = words.heightForWidth(4000), words.heightForWidth(300)
    assert all_of_it >= one + (len(lines) - 1) * words.fontMetrics().lineSpacing()
    words.setText(LONG * 50)
    assert words.heightForWidth(300) == words.heightForWidth(200), f"at most {MOST} lines, then it scrolls"


def test_letters_stand_in_cells_of_one_width_with_spaces_among_them(edit):
    letters = edit(64, 300)
    letters.setText("the _____ of the" + " " * 20 + "end")
    cell = QFontMetricsF(letters.font()).horizontalAdvance("0")
    per_line = int((letters.viewport().width() - 2 * letters.document().documentMargin()) / cell)
    lines = seen(letters)
    assert len(lines[0]) == per_line, "a space at the end of a line has its cell too"
    assert letters.text() == "the _____ of the" + " " * 20 + "end"
    assert letters.heightForWidth(300) >= -(-64 // per_line) * letters.fontMetrics().lineSpacing(), "all cells are seen"


def test_spaces_are_spaces_to_everybody_else(edit):
    letters = edit(20)
    QTest.keyClicks(letters, "a b")
    letters.selectAll()
    letters.copy()
    assert letters.text() == "a b" and QGuiApplication.clipboard().text() == "a b"
    QGuiApplication.clipboard().setText("c\nd  e")
    letters.paste()
    assert letters.text() == "c d  e"


def test_enter_ends_it_and_tab_leaves_it(edit, shown, qtbot):
    words = edit()
    with qtbot.waitSignal(words.editingFinished):
        QTest.keyClicks(words, "a fox")
        QTest.keyClick(words, Qt.Key.Key_Return)
    assert words.text() == "a fox"
    page = QWidget()
    first, second = PromptEdit(), PromptEdit()
    for one in (first, second):
        one.setParent(page)
    shown(page, 200, 100)
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert page.focusWidget() is second and first.text() == ""


def test_the_place_of_the_cursor_is_told(shown, catalog):
    field = shown(PromptField(), 300, 100)
    field.set_card(catalog.find("words").card)
    QTest.keyClicks(field.edit, "th_")
    assert (field.place.text(), field.counter.text()) == ("letter 4", "3 / 10")
    QTest.keyClick(field.edit, Qt.Key.Key_Home)
    assert field.place.text() == "letter 1"


@pytest.mark.parametrize(("model", "length"), [("words", 10), ("sentences", 64)])
def test_the_placeholder_explains_by_an_example_that_fits(shown, catalog, model, length):
    field = shown(PromptField(), 430, 100)
    field.set_card(catalog.find(model).card)
    example = field.edit.placeholderText()
    assert "_" in example and "fill" in example
    assert len(example.split(":")[0]) <= length
    field.edit.setText("")
    assert field.edit.heightForWidth(350) >= field.edit.fontMetrics().lineSpacing()


def test_too_many_letters_are_said_and_cut_nothing_silently(shown, catalog):
    field = shown(PromptField(), 300, 100)
    field.set_card(catalog.find("words").card)
    field.edit.setText("x" * 10_050)
    assert field.mistake and len(field.value()) == 10_000
