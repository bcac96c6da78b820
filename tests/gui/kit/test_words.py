"""Numbers as people read them."""

import pytest
from PySide6.QtCore import QLocale

from diffstudio.gui.kit import words


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1, "1 weight"),
        (72, "72 weights"),
        (9_999, "9,999 weights"),
        (570_000, "0.57 M"),
        (1_200_000_000, "1.20 B"),
    ],
)
def test_few_weights_are_called_so(value, says):
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    try:
        assert words.parameters(value) == says
    finally:
        QLocale.setDefault(QLocale.c())
