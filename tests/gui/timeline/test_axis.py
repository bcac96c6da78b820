"""Records ↔ pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffstudio.gui.timeline.axis import CELL_GAP, GAP, Axis, fitted_side
from diffstudio.gui.timeline.clocks import Span


def span(first, count, chain=0, placed=None):
    even = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    return Span(chain, first, count, count, count - 1, np.arange(count), even if placed is None else placed)


def both(forward, reverse, **more):
    return Axis((span(0, forward), span(forward, reverse, 1)), 1000.0, 60.0, **more)


def test_equal_chains_share_the_width_equally():
    left, right = both(31, 31).bands
    assert left.left == 0 and right.left + right.width == pytest.approx(1000)
    assert left.width == right.width
    assert right.left == pytest.approx(left.width + GAP)


def test_the_shorter_chain_keeps_a_quarter():
    left, right = both(3, 1000).bands
    assert left.width == pytest.approx(0.25 * (1000 - GAP))
    assert right.width == pytest.approx(0.75 * (1000 - GAP))


def test_one_chain_takes_all():
    (band,) = Axis((span(0, 5, 1),), 800.0, 60.0).bands
    assert (band.left, band.width) == (0, 800)


@given(
    forward=st.integers(1, 300),
    reverse=st.integers(1, 300),
    width=st.floats(200, 2600),
    zoom=st.floats(1, 30),
    where=st.floats(0, 1),
)
def test_every_record_is_found_where_it_stands(forward, reverse, width, zoom, where):
    axis = Axis((span(0, forward), span(forward, reverse, 1)), width, 50.0, zoom).scrolled_to(where * width * zoom)
    assert np.all(np.diff(axis.xs) > 0)
    assert [axis.record_at(axis.x_of(k)) for k in range(forward + reverse)] == list(range(forward + reverse))


def test_places_outside_of_everything_are_the_ends():
    axis = both(11, 11)
    assert axis.record_at(-500) == 0
    assert axis.record_at(5000) == 21


def test_the_outer_cells_show_the_first_and_the_last_record():
    axis = both(31, 31)
    for band in axis.bands:
        cells = axis.cells(band, 0, 1000)
        assert cells[0].record == band.span.first
        assert cells[-1].record == band.span.first + 30
        assert len(cells) == band.cells


def test_cells_show_the_record_nearest_to_their_centre():
    axis = both(31, 31)
    side = axis.cell_side(axis.bands[1])
    for cell in axis.cells(axis.bands[1], 0, 1000):
        assert abs(axis.x_of(cell.record) - (cell.left + side / 2)) <= axis.x_of(40) - axis.x_of(39)


def test_only_cells_in_view_are_listed_when_zoomed():
    axis = both(31, 31).zoomed(3, 500)
    side = axis.cell_side(axis.bands[0])
    lefts = [cell.left for band in axis.bands for cell in axis.cells(band, 0, 1000)]
    assert 10 < len(lefts) < 22
    assert all(-side <= left <= 1000 for left in lefts)


def test_fitted_cells_fill_the_band():
    spans = (span(0, 31), span(31, 31, 1))
    side = fitted_side(spans, 1000, 60)
    axis = Axis(spans, 1000.0, float(side))
    assert 50 <= side <= 60
    assert all(band.pitch - side < CELL_GAP + 1 for band in axis.bands)


def test_cells_never_overlap_in_a_narrow_band():
    axis = Axis((span(0, 2), span(2, 100, 1)), 120.0, 60.0)
    for band in axis.bands:
        assert axis.cell_side(band) <= band.pitch


def test_zoom_keeps_what_is_under_the_anchor():
    axis = both(50, 50)
    for k in (3, 48, 51, 97):
        x = axis.x_of(k)
        assert axis.zoomed(2.5, x).x_of(k) == pytest.approx(x, abs=30 if k in (3, 97) else 1)


def test_zoom_stays_between_everything_and_a_cell_or_two_a_record():
    axis = both(50, 50)
    assert axis.zoomed(0.01, 500).zoom == 1
    near = axis.zoomed(1000, 500)
    assert near.zoom == axis.max_zoom
    assert near.x_of(21) - near.x_of(20) > 60
    assert near.zoomed(0.0, 10).offset == 0


def test_scrolling_stops_at_the_ends():
    axis = both(50, 50, zoom=4.0)
    assert axis.scrolled_to(-10).offset == 0
    assert axis.scrolled_to(1e6).offset == 3000


@pytest.mark.parametrize("page", [False, True])
def test_showing_brings_a_record_into_view(page):
    axis = both(50, 50).zoomed(4, 0)
    for k in (0, 30, 99, 60, 1):
        axis = axis.showing(k, 24, page)
        assert 0 <= axis.x_of(k) <= 1000


def test_what_is_in_view_does_not_scroll():
    axis = both(50, 50).zoomed(4, 500)
    k = axis.record_at(500)
    assert axis.showing(k, 24, True) is axis


def test_a_wider_view_keeps_its_place():
    axis = both(50, 50).zoomed(4, 500)
    middle = axis.record_at(500)
    wider = axis.fitted(axis.spans, 1500.0, 60.0)
    assert abs(wider.record_at(750) - middle) <= 1
