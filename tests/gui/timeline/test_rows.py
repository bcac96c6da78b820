"""Rows for any height."""

import itertools

import pytest

from diffstudio.gui.timeline.rows import LARGEST_SIDE, SMALLEST_LANE, rows_for


@pytest.mark.parametrize("line", [12, 15, 24])
def test_rows_follow_each_other_and_fit(line):
    for height in range(60, 500, 7):
        rows = rows_for(800, height, line, 3)
        stack = [rows.header, rows.ruler, rows.strip, *rows.lanes]
        assert all(a.bottom() < b.top() for a, b in itertools.pairwise(stack)), height
        assert 8 <= rows.side <= LARGEST_SIDE, height
        assert all(lane.height() >= SMALLEST_LANE for lane in rows.lanes), height
        if height >= 110 and line <= 15:
            assert rows.bottom < height


def test_lanes_come_with_height():
    counts = [len(rows_for(800, height, 15, 3).lanes) for height in (100, 140, 170, 240, 400)]
    assert counts == sorted(counts)
    assert counts[0] == 0 and counts[-1] == 3


def test_cells_grow_with_height():
    assert rows_for(800, 150, 15, 3).side < rows_for(800, 240, 15, 3).side < rows_for(800, 400, 15, 3).side


def test_what_the_cells_leave_goes_to_the_lanes():
    full, fitted = rows_for(800, 240, 15, 2), rows_for(800, 240, 15, 2, fitted=rows_for(800, 240, 15, 2).side - 10)
    assert fitted.side == full.side - 10
    assert fitted.lanes[0].height() > full.lanes[0].height()
