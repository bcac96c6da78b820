"""Rows share a line where there is room, and leave no hole where one is hidden."""

import pytest
from PySide6.QtWidgets import QWidget

from diffstudio.gui.panels.row_layout import GAP, LONG, RowLayout


@pytest.fixture
def rows(shown):
    """Long, short, short, long, short: the short ones need 100 pixels, but the last, which needs 160."""
    parent = QWidget()
    layout = RowLayout(parent, 4)
    made = {}
    for name, short, need in (("a", False, 90), ("b", True, 100), ("c", True, 100), ("d", False, 90), ("e", True, 160)):
        made[name] = QWidget(parent)
        made[name].setMinimumSize(need, 20)
        layout.add_row(made[name], short)
    shown(parent, 300, 200)

    def lines(width):
        parent.resize(width, 200)
        layout.setGeometry(parent.rect())
        tops = sorted({row.y() for row in made.values() if not row.isHidden()})
        return ["".join(n for n, row in made.items() if row.y() == top and not row.isHidden()) for top in tops]

    lines.rows, lines.layout = made, layout
    return lines


@pytest.mark.parametrize(
    ("width", "lines"),
    [(170, ["a", "b", "c", "d", "e"]), (240, ["a", "bc", "d", "e"]), (LONG + 2 * GAP + 200, ["abc", "de"])],
)
def test_what_has_room_shares_a_line(rows, width, lines):
    assert rows(width) == lines


def test_a_line_is_filled_and_shared_equally(rows):
    rows(250)
    b, c, d = (rows.rows[name].geometry() for name in "bcd")
    assert (b.left(), c.left() - b.right() - 1, c.right()) == (0, GAP, 249) and b.width() == c.width()
    assert (d.left(), d.right()) == (0, 249)


def test_one_that_needs_more_than_its_share_gets_it(rows):
    rows.rows["d"].hide()
    assert rows(100 + 160 + GAP + 10)[1:] == ["bc", "e"]
    rows.rows["b"].hide()
    rows(100 + 160 + GAP)
    c, e = (rows.rows[name].geometry() for name in "ce")
    assert (c.width(), e.width()) == (100, 160) and c.y() == e.y()


def test_what_is_hidden_leaves_no_hole(rows):
    tall = rows.layout.heightForWidth(240)
    rows.rows["a"].hide()
    assert rows(240) == ["bc", "d", "e"] and rows.layout.heightForWidth(240) == tall - 24


def test_the_height_is_that_of_the_lines(rows):
    assert rows.layout.heightForWidth(170) == 5 * 20 + 4 * 4
    assert rows.layout.heightForWidth(240) == 4 * 20 + 3 * 4
