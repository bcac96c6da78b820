"""Numbers as people type and paste them: one meaning in every language, or none."""

import pytest

from diffstudio.studio.request.numbers import read_number, read_numbers, read_whole


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2.5", 2.5), ("2,5", 2.5), (" .5 ", 0.5), (",5", 0.5), ("5.", 5.0), ("007", 7.0), ("+ 3", 3.0),
        ("0.125", 0.125), ("0,125", 0.125), ("1.003", 1.003),
        ("1e-3", 1e-3), ("1E-3", 1e-3), ("1e−3", 1e-3), ("2,5e2", 250.0), ("1×10^−7", 1e-7), ("1·10⁻⁷", 1e-7),
        ("−1", -1.0), ("-1", -1.0), ("–0,5", -0.5),
        ("1 000", 1000.0), ("1\u00a0000", 1000.0), ("1\u202f000,5", 1000.5), ("1'000", 1000.0), ("1’000.25", 1000.25),
        ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1,234,567", 1234567.0), ("1.234.567", 1234567.0),
        ("٢٫٥", 2.5), ("؜-٢", -2.0), ("२.५", 2.5), ("１２", 12.0), ("1\u200e2", 12.0),
    ],
)  # fmt: skip
def test_a_number_has_one_meaning_however_it_is_written(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", ".", ",", "e5", "1e", "1e5e5", "abc", "12 34", "1 00", "1.2.3", "1,23,456", "1.23,456.7", "1_000",
     "0x10", "1/2", "½", "50 %", "nan", "inf", "1e999", "1e-99999999999", "9" * 1000, "--1"],
)  # fmt: skip
def test_what_is_no_number_is_none(text):
    assert read_number(text) is None and read_whole(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("30", 30), ("12.0", 12), ("12,0", 12), ("1e3", 1000), ("1 000", 1000), ("1,000,000", 1000000), ("−4", -4),
     ("9223372036854775807", 2**63 - 1), ("1234567890123456789", 1234567890123456789)],
)  # fmt: skip
def test_a_whole_number_is_exact(text, number):
    assert read_whole(text) == number


@pytest.mark.parametrize("text", ["1,000", "1.000", "12.345", "2.5", "0,500", "1e-1"])
def test_what_may_be_a_thousand_or_one_is_no_whole_number(text):
    assert read_whole(text) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1, 0.8, 0.5, 0", (1, 0.8, 0.5, 0)),
        ("1,0.5,0.1", (1, 0.5, 0.1)),
        ("0,5; 0,2", (0.5, 0.2)),
        ("1; 0,5; 0", (1, 0.5, 0)),
        ("1, 0,5, 0", (1, 0.5, 0)),
        ("1,0 0,8 0,5", (1, 0.8, 0.5)),
        ("1 .9;0.2  0", (1, 0.9, 0.2, 0)),
        ("1\n0.5\n0\n", (1, 0.5, 0)),
        ("[1, 1e-3]", (1, 1e-3)),
        ("١؛ ٠٫٥", (1, 0.5)),
        ("1,", (1,)),
    ],
)
def test_a_list_has_numbers_between_any_signs(text, numbers):
    assert read_numbers(text) == numbers


@pytest.mark.parametrize("text", ["", ",", ";;", "one, two", "1, nan, 0", "1,,0", "1 0.5 x", "1e999 0"])
def test_what_is_no_list_is_none(text):
    assert read_numbers(text) is None


def test_a_long_list_is_read_number_by_number():
    assert read_numbers(", ".join(f"{i / 1000}" for i in range(1000))) == tuple(i / 1000 for i in range(1000))
