"""The page of keys: every key of the table, in columns that fit."""

import pytest
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget

from diffstudio.gui.dialogs.keys import KeysDialog, _lines, columns
from diffstudio.gui.kit.actions import ACTIONS, key_texts


def test_every_key_is_on_the_page(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    dialog = KeysDialog(window)
    texts = [line.text() for line in dialog.findChildren(QLabel)]
    for action in ACTIONS.values():
        if action.keys:
            assert "  ".join(key_texts(action.id)) in texts and action.title in texts
    assert "Page Up  Page Down" in texts and "Tab, then arrows" in texts
    assert dialog.height() <= window.screen().availableSize().height()
    assert dialog.findChild(QScrollArea).widgetResizable()
    dialog.close()


@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_columns_are_equally_long_and_no_heading_stands_alone(many):
    lines = _lines()
    found = columns(lines, many)
    assert [line for column in found for line in column] == lines and len(found) == many
    assert max(map(len, found)) - min(map(len, found)) <= max(4, many)
    assert all(column[-1][1] for column in found), "no heading at the foot of a column"
