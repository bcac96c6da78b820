"""Where the cells of a batch lie, against a search through every number of columns."""

import itertools

import pytest

from diffstudio.gui.stage.views.grid import layout

ROOMS = [(900, 560), (300, 700), (1700, 400), (120, 90)]
COUNTS = [1, 2, 3, 7, 16, 64, 100]


def rectangles(grid, scroll=0):
    return [grid.cell(i, scroll) for i in range(grid.count)]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("count", COUNTS)
def test_cells_lie_apart_and_within_the_room(room, count):
    grid = layout(count, 28, 28, *room)
    cells = rectangles(grid)
    assert all(w == grid.width and h == grid.height for _, _, w, h in cells)
    for (x, y, w, h), (u, v, _, _) in itertools.combinations(cells, 2):
        assert u >= x + w + grid.gap or v >= y + h + grid.gap or u + w + grid.gap <= x
    assert all(x >= 0 and x + w <= room[0] for x, _, w, _ in cells)
    if grid.scroll_limit == 0:
        assert all(y >= 0 and y + h <= room[1] for _, y, _, h in cells)


@pytest.mark.parametrize("room", ROOMS[:3])
@pytest.mark.parametrize("count", COUNTS)
def test_no_number_of_columns_shows_the_samples_larger(room, count):
    grid = layout(count, 28, 20, *room)
    assert grid.scale >= 1
    worth = grid.scale * (0.8 if grid.columns * grid.rows != count else 1)  # a full last row is worth a little
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        wide = (room[0] - 12 - (columns - 1) * grid.gap) // (28 * columns)
        high = (room[1] - 12 - (rows - 1) * grid.gap) // (20 * rows)
        assert min(wide, high) * (0.8 if columns * rows != count else 1) <= worth


def test_sixteen_samples_are_a_full_square():
    grid = layout(16, 28, 28, 600, 560)
    assert (grid.columns, grid.rows) == (4, 4)
    left, top = grid.cell(0)[:2]
    right, bottom = (sum(grid.cell(15)[i::2]) for i in (0, 1))
    assert abs(left - (600 - right)) <= 1
    assert abs(top - (560 - bottom)) <= 1


def test_large_samples_are_shrunk_with_their_aspect():
    grid = layout(4, 1024, 512, 700, 400)
    assert grid.scale == 0
    assert grid.width / grid.height == pytest.approx(2, abs=0.03)
    assert grid.width * 2 > 340  # two columns fill the width


def test_too_many_samples_scroll():
    grid = layout(2000, 28, 28, 500, 300)
    assert min(grid.width, grid.height) >= 16
    assert grid.scroll_limit > 0
    last = grid.cell(1999, grid.scroll_limit)
    assert last[1] + last[3] <= 300
    assert grid.cell(0, 0)[1] >= 0


def test_a_device_pixel_ratio_keeps_cells_and_gaps_the_same_to_the_eye():
    one, two = layout(9, 28, 28, 500, 400), layout(9, 28, 28, 1000, 800, ratio=2)
    assert (two.columns, two.gap) == (one.columns, 2 * one.gap)
    assert two.width / one.width == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize("scroll", [0, 37, 250])
def test_a_position_means_the_cell_that_it_is_in(scroll):
    grid = layout(301, 8, 6, 260, 200)
    inside = {}
    for index, (x, y, w, h) in enumerate(rectangles(grid, scroll)):
        inside |= {(u, v): (index, (u - x) / w, (v - y) / h) for u in range(x, x + w, 5) for v in range(y, y + h, 5)}
        assert grid.at(x, y, scroll) == (index, 0, 0)
        assert grid.at(x + w, y, scroll) is None or grid.gap == 0
        assert grid.at(x + w - 1, y + h - 1, scroll)[0] == index
    for at, expected in inside.items():
        assert grid.at(*at, scroll) == pytest.approx(expected)
    assert grid.at(-3, 10, scroll) is None
    assert grid.at(5000, 10, scroll) is None
    assert grid.at(grid.left, 10**6, scroll) is None


def test_what_is_visible_is_every_cell_that_touches_the_view():
    grid = layout(301, 8, 6, 260, 200)
    for scroll in range(0, grid.scroll_limit + 1, 7):
        first, last = grid.visible(scroll)
        seen = [i for i, (_, y, _, h) in enumerate(rectangles(grid, scroll)) if y < 200 and y + h > 0]
        assert first <= seen[0]
        assert last > seen[-1]
        assert last - first <= len(seen) + 2 * grid.columns
        assert first % grid.columns == 0


def test_scrolling_to_a_sample_is_the_shortest_way():
    grid = layout(301, 8, 6, 260, 200)
    for index, start in itertools.product((0, 40, 150, 300), (0, 60, grid.scroll_limit)):
        best = grid.scroll_to(index, start)
        fits = [
            s for s in range(grid.scroll_limit + 1)
            if grid.cell(index, s)[1] >= 0 and sum(grid.cell(index, s)[1::2]) <= grid.view
        ]  # fmt: skip
        assert best in fits
        shortest = min(abs(s - start) for s in fits)
        assert abs(best - start) <= shortest + grid.top  # it keeps the margin too


@pytest.mark.parametrize("room", [(1, 1), (10, 400), (400, 5)])
@pytest.mark.parametrize("count", [1, 5, 3000])
def test_no_room_is_too_small(room, count):
    grid = layout(count, 28, 28, *room)
    assert grid.width >= 1 and grid.height >= 1 and grid.columns >= 1
    assert 0 <= grid.visible(0)[0] <= grid.visible(0)[1] <= count
