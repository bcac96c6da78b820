"""Ink on pixels: dots and lines against loops over every pixel, and that no ink is lost or made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffstudio.gui.stage.views.points.splat import FULL, LEVELS, PHASES, Box, Sheet, clipped, dots, lines, ramp

BOX = Box(10, 20, 60, 50)


def sheet(taps, box=BOX):
    """How much ink lies on each pixel: (height, width)."""
    out = np.zeros(box.area)
    np.add.at(out, taps[0], taps[1])
    return out.reshape(box.height, box.width)


def places(n, seed=0, margin=8.0):
    """Random points well inside of the box."""
    low, high = np.array([BOX.left, BOX.top]), np.array([BOX.left + BOX.width, BOX.top + BOX.height])
    return np.random.default_rng(seed).uniform(low + margin, high - margin, (n, 2))


# -- dots


@pytest.mark.parametrize(("radius", "opacity"), [(1.0, 0.55), (2.6, 0.9), (3.2, 0.95)])
def test_dots_are_soft_discs_that_add_up(radius, opacity):
    points = places(40)
    expected = np.zeros((BOX.height, BOX.width))
    for x, y in points - (BOX.left, BOX.top):
        x, y = ((np.floor(v * PHASES) + 0.5) / PHASES for v in (x, y))  # to a part of a pixel
        for row in range(BOX.height):
            for column in range(BOX.width):
                apart = np.hypot(column + 0.5 - x, row + 0.5 - y)
                cover = min(1.0, max(0.0, radius + 0.5 - apart))
                expected[row, column] -= np.log(1 - opacity * cover)
    assert np.allclose(sheet(dots(points, BOX, radius, opacity)), expected, atol=1e-4)


def test_a_dot_has_the_same_ink_and_centre_wherever_it_lies():
    inks = []
    for at in places(200, seed=1):
        found = sheet(dots(at[None], BOX, 2.5, 0.1))
        rows, columns = np.mgrid[: BOX.height, : BOX.width] + 0.5
        centre = (found * columns).sum() / found.sum() + BOX.left, (found * rows).sum() / found.sum() + BOX.top
        assert centre == pytest.approx(at, abs=0.5 / PHASES + 0.03)
        inks.append(found.sum())
    assert np.ptp(inks) < 0.02 * np.mean(inks)
    assert np.mean(inks) == pytest.approx(0.1 * np.pi * 2.5**2, rel=0.1)


def test_dots_that_have_no_place_or_do_not_fit_are_left_out():
    inside = places(3)
    nowhere = [[np.nan, 40], [40, np.nan], [np.inf, 40], [40, -np.inf]]
    outside = np.array([*nowhere, [11, 40], [69, 40], [40, 21], [1e9, 9]])
    assert np.array_equal(
        sheet(dots(np.concatenate([outside, inside]), BOX, 2.0, 0.5)), sheet(dots(inside, BOX, 2.0, 0.5))
    )


def test_no_dots_are_no_ink():
    at, ink = dots(np.zeros((0, 2)), BOX, 2.0, 0.5)
    assert len(at) == len(ink) == 0


# -- lines


def test_a_level_line_along_the_middle_of_pixels_is_one_row_of_ink():
    found = sheet(lines(np.array([[20.0, 40.5]]), np.array([[30.0, 40.5]]), BOX, 0.7))
    expected = np.zeros_like(found)
    expected[20, 10:20] = 0.7
    assert np.allclose(found, expected, atol=1e-6)


def test_an_upright_line_between_two_columns_is_shared_by_them():
    found = sheet(lines(np.array([[35.0, 50.0]]), np.array([[35.0, 42.0]]), BOX, 1.0))
    expected = np.zeros_like(found)
    expected[22:30, 24:26] = 0.5
    assert np.allclose(found, expected, atol=1e-5)


def test_a_line_has_the_ink_of_its_length_and_its_middle():
    starts, ends = places(300, seed=2), places(300, seed=3)
    rows, columns = np.mgrid[: BOX.height, : BOX.width] + 0.5
    for a, b in zip(starts, ends, strict=True):
        found = sheet(lines(a[None], b[None], BOX, 0.4))
        assert found.sum() == pytest.approx(0.4 * np.hypot(*(b - a)), rel=1e-4)
        middle = (found * columns).sum() / found.sum() + BOX.left, (found * rows).sum() / found.sum() + BOX.top
        assert middle == pytest.approx((a + b) / 2, abs=0.51)
        direction, normal = (b - a) / np.hypot(*(b - a)), np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
        for row, column in np.argwhere(found > 1e-4):
            apart = np.array([column + 0.5 + BOX.left, row + 0.5 + BOX.top]) - a
            assert abs(apart @ normal) < np.hypot(1, 0.5)
            assert -1.1 < apart @ direction < np.hypot(*(b - a)) + 1.1


def test_each_line_can_have_its_own_ink():
    starts, ends = places(20, seed=4), places(20, seed=5)
    ink = np.linspace(0.1, 2, 20)
    together = sheet(lines(starts, ends, BOX, ink))
    apart = sum(sheet(lines(starts[i : i + 1], ends[i : i + 1], BOX, float(ink[i]))) for i in range(20))
    assert np.allclose(together, apart, atol=1e-4)


def test_a_point_is_no_line():
    here = places(5)
    assert sheet(lines(here, here, BOX, 1.0)).sum() == 0


def test_ends_that_are_not_finite_have_no_line():
    bad = np.array([[np.nan, 40], [np.inf, 40], [40, -np.inf], [np.inf, np.inf]])
    good = np.full((4, 2), 40.0)
    for starts, ends in ((bad, good), (good, bad), (bad, bad)):
        assert sheet(lines(starts, ends, BOX, 1.0)).sum() == 0


numbers = st.floats(-150, 150, width=32)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=8))
def test_lines_are_cut_where_they_leave_the_box(ends):
    """Against points along the line, tested one by one."""
    both = np.array(ends, float)
    a, b = both[:, :2], both[:, 2:]
    starts, stops, which = clipped(a, b, BOX)
    low, high = np.array([12, 22]), np.array([67, 67])
    shares = np.linspace(0, 1, 501)
    for i in range(len(both)):
        along = a[i] + shares[:, None] * (b[i] - a[i])
        inside = ((along >= low) & (along <= high)).all(1)
        kept = [j for j, w in enumerate(which) if w == i]
        assert len(kept) <= 1
        length = np.hypot(*(b[i] - a[i]))
        found = np.hypot(*(stops[kept[0]] - starts[kept[0]])) if kept else 0.0
        assert found == pytest.approx(inside.mean() * length, abs=length / 250 + 1e-6)
        for j in kept:
            assert ((starts[j] >= low - 1e-6) & (stops[j] <= high + 1e-6)).all()
    at, ink = lines(a, b, BOX, 1.0)
    assert ((at >= 0) & (at < BOX.area)).all()
    assert ink.sum() == pytest.approx(np.hypot(*(stops - starts).T).sum(), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("box", [Box(0, 0, 1, 1), Box(0, 0, 4, 4), Box(0, 0, 5, 300)])
def test_a_small_box_stays_whole(box):
    a = np.random.default_rng(6).uniform(-20, 20, (50, 2))
    for at, _ in (lines(a, -a, box, 1.0), dots(a, box, 2.0, 0.5)):
        assert ((at >= 0) & (at < box.area)).all()


# -- colours and pictures


def test_ink_covers_as_translucent_discs_do():
    found = ramp("#ffffff", "#ffffff")
    depth = np.arange(LEVELS) / (LEVELS - 1) * FULL
    assert np.abs((found >> 24) - 255 * (1 - np.exp(-depth)) / (1 - np.exp(-FULL))).max() <= 0.51
    assert found[0] == 0
    assert found[-1] == 0xFFFFFFFF


def test_little_ink_is_thin_and_much_is_thick():
    found = ramp("#ff0000", "#0000ff")
    alpha = (found >> 24).astype(float)
    red, green, blue = found >> 16 & 255, found >> 8 & 255, found & 255
    assert (green == 0).all()
    assert np.abs(red - alpha * (1 - alpha / 255)).max() <= 1.5  # premultiplied
    assert np.abs(blue - alpha * alpha / 255).max() <= 1.5


def test_a_picture_has_the_ink_in_its_colours_and_only_the_rows_with_ink(pixels):
    colours = ramp("#204080", "#60a0ff")
    points = places(30, seed=7, margin=15)
    taps = dots(points, BOX, 2.0, 0.5)
    picture, first = Sheet(BOX).picture([taps], colours, 2.0)
    depth = sheet(taps)
    rows = np.flatnonzero(depth.any(1))
    assert (first, picture.height()) == (rows[0], rows[-1] - rows[0] + 1)
    assert picture.devicePixelRatio() == 2.0
    levels = np.minimum(depth[rows[0] : rows[-1] + 1] * ((LEVELS - 1) / FULL), LEVELS - 1)
    words = np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), BOX.width)
    either = [colours[(levels + d).clip(0, LEVELS - 1).astype(int)] for d in (-1e-3, 1e-3)]  # float32 rounds
    assert ((words == either[0]) | (words == either[1])).all()


def test_a_sheet_is_clean_the_next_time():
    colours, page = ramp("#ffffff", "#ffffff"), Sheet(BOX)
    one, other = dots(places(20, seed=8), BOX, 2.0, 0.5), dots(places(20, seed=9), BOX, 2.0, 0.5)
    page.picture([one], colours, 1.0)
    again, first = page.picture([other], colours, 1.0)
    fresh, fresh_first = Sheet(BOX).picture([other], colours, 1.0)
    assert first == fresh_first
    assert again == fresh
    assert page.picture([], colours, 1.0)[0].isNull()
