"""The field of a number: what it shows is what it is, in every language, and text that is none is said."""

import pytest
from PySide6.QtCore import QEvent, QLocale, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from diffstudio.gui.kit.number_box import NumberBox

LOCALES = ("en_US", "de_DE", "pt_BR", "sv_SE", "fr_FR", "de_CH", "ar_EG", "hi_IN")


@pytest.fixture(params=LOCALES)
def locale(request):
    """The language of the computer, for what is made from now on."""
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


@pytest.fixture
def make(qtbot):
    def make(low=-1000.0, high=1000.0, step=1, decimals=2, value=7):
        box = NumberBox(low, high, step, decimals)
        box.setAccessibleName("Guidance")
        box.set_value(value)
        qtbot.addWidget(box)
        box.show()
        box.setFocus()
        return box

    return make


def type_over(box, text):
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_Delete)
    for letter in text:  # QTest itself types Latin letters alone
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(box, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter))


@pytest.mark.parametrize(
    ("typed", "number"),
    [("2.5", 2.5), ("2,5", 2.5), ("0.125", 0.125), ("1e-3", 1e-3), ("1E-3", 1e-3), ("-1", -1.0), ("−1", -1.0)],
)
def test_what_is_typed_is_the_same_number_in_every_language(locale, make, typed, number):
    box = make()
    type_over(box, typed)
    assert box.value() == number and not box.mistake, "before anything is entered"
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == number
    shown = box.text()
    type_over(box, shown)
    assert box.value() == number, f"{shown} is what the field itself shows"


def test_arabic_digits_are_digits(make):
    QLocale.setDefault(QLocale("ar_EG"))
    try:
        box = make()
        type_over(box, "٢٫٥")
        QTest.keyClick(box, Qt.Key.Key_Return)
        assert box.value() == 2.5 and box.text() == "٢٫٥٠"
    finally:
        QLocale.setDefault(QLocale.c())


@pytest.mark.parametrize(("pasted", "number"), [("1 000", 1000), ("1\u202f000", 1000), ("1'000", 1000), (" 12 ", 12)])
def test_a_pasted_thousand_is_one(make, pasted, number):
    box = make(1, 100_000, decimals=0)
    QGuiApplication.clipboard().setText(pasted)
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert box.value() == number
    box.commit()
    assert box.text() == str(number)


@pytest.mark.parametrize(
    ("box", "typed"),
    [
        ({}, ""), ({}, "1e"), ({}, "-"), ({}, "2.5.1"), ({}, "1001"),
        ({"decimals": 0, "low": 1, "high": 50}, "0"), ({"decimals": 0, "low": 1, "high": 50}, "2.5"),
        ({"decimals": 0, "low": 1, "high": 5000}, "1,000"),
    ],
)  # fmt: skip
def test_what_is_no_number_stays_and_is_said_and_is_never_another(make, box, typed):
    made = make(**box)
    type_over(made, typed)
    assert made.mistake.startswith("Guidance") and (typed in made.mistake)
    assert made.value() == 7
    made.clearFocus()
    assert made.text() == typed and made.mistake, "also when the field is left"
    made.commit()
    assert made.text() == typed and made.value() == 7


def test_a_mistake_is_said_when_the_field_is_left_and_taken_back_at_once(make, qtbot):
    box = make()
    said = []
    box.mistakeChanged.connect(lambda: said.append(box.mistake))
    type_over(box, "1e")
    assert not said, "who is still typing is not interrupted"
    QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.keyClicks(box, "x")
    box.selectAll()
    QTest.keyClicks(box, "1")
    assert len(said) == 2 and said[0] and not said[1]


def test_setting_a_number_ends_a_mistake_also_where_it_is_the_same(make):
    box = make()
    type_over(box, "abc 1e")
    box.set_value(7)
    assert box.text() == "7.00" and not box.mistake
    type_over(box, "1e")
    box.revert()
    assert box.text() == "7.00" and not box.mistake


def test_only_another_number_is_news(make, qtbot):
    box, news = make(), []
    box.changed.connect(lambda: news.append(box.value()))
    type_over(box, "7")
    box.commit()
    assert not news and box.text() == "7.00"
    type_over(box, "8")
    assert not news, "not before it is entered"
    box.commit()
    box.commit()
    assert news == [8.0]


def test_digits_that_are_not_shown_are_kept_until_something_is_typed(make):
    box = make(0.0, 1.0, value=1 / 3)
    assert box.text() == "0.333333"
    box.commit()
    assert box.value() == 1 / 3
    QTest.keyClick(box, Qt.Key.Key_End)
    QTest.keyClick(box, Qt.Key.Key_Backspace)
    assert box.value() == 0.33333


def test_arrows_step_from_what_is_typed(make):
    box = make(0.0, 1.0, 0.1, value=0.2)
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 0.3
    type_over(box, "0,95")
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 1.0
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 1.0


def test_letters_are_not_taken(make):
    box = make()
    type_over(box, "1a2b")
    assert box.text() == "12"


def test_the_wheel_sets_nothing(make, wheel):
    box = make()
    wheel(box, 5, 120, y=5)
    assert box.value() == 7


def test_whole_numbers_of_64_bits_are_exact(make):
    box = make(0, 2**63 - 1, decimals=0)
    for number in (2**63 - 1, 2**53 + 1):
        box.set_value(number)
        assert box.text() == str(number) and box.value() == number
        type_over(box, str(number - 1))
        assert box.value() == number - 1


def test_a_screen_reader_hears_name_number_and_bounds_and_can_set_it(make):
    box = make(0.0, 100.0, 0.5)
    heard = QAccessible.queryAccessibleInterface(box)
    assert heard.role() == QAccessible.Role.SpinBox and heard.text(QAccessible.Text.Name) == "Guidance"
    number = heard.valueInterface()
    assert (number.currentValue(), number.minimumValue(), number.maximumValue()) == (7.0, 0.0, 100.0)
    number.setCurrentValue(9.5)
    assert box.value() == 9.5 and box.text() == "9.50"
    assert QAccessible.queryAccessibleInterface(box.lineEdit()).text(QAccessible.Text.Name) == "Guidance"
