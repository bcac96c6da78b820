"""One sample large: zoom about the cursor, pan, what is visible."""

import random

import pytest

from diffstudio.gui.stage.views.close_up import KEPT, SCALES, CloseUp, fitted

SIZE, ROOM = (28, 20), (700, 500)


def test_the_whole_sample_fits_as_large_as_it_can_at_a_whole_scale():
    view = fitted(SIZE, ROOM, 8)
    assert view.scale == int(min(684 / 28, 484 / 20)) == 24
    assert (view.x, view.y) == ((700 - 28 * 24) // 2, (500 - 20 * 24) // 2)


def test_a_large_sample_is_shrunk_to_fit():
    view = fitted((4000, 1000), ROOM, 8)
    assert view.scale == pytest.approx(684 / 4000)
    assert view.x == 8


def test_zoom_keeps_the_pixel_under_the_cursor():
    view = fitted(SIZE, ROOM, 8)
    for steps in (1, 2, -1, -3):
        for x, y in ((350, 250), (120.5, 400.0)):
            zoomed = view.zoomed(steps, x, y, SIZE, ROOM)
            assert SCALES.index(zoomed.scale) == SCALES.index(24) + steps
            before = ((x - view.x) / view.scale, (y - view.y) / view.scale)
            after = ((x - zoomed.x) / zoomed.scale, (y - zoomed.y) / zoomed.scale)
            assert after == pytest.approx(before, abs=0.5 / zoomed.scale + 1e-9)


def test_zoom_ends_at_the_first_and_the_last_scale():
    view = fitted(SIZE, ROOM, 8)
    assert view.zoomed(99, 350, 250, SIZE, ROOM).scale == SCALES[-1]
    assert view.zoomed(-99, 350, 250, SIZE, ROOM).scale == SCALES[0]
    tiny = fitted((2, 2), ROOM, 8)  # larger than the last scale already
    assert tiny.scale > SCALES[-1]
    assert tiny.zoomed(1, 350, 250, (2, 2), ROOM) == tiny


def test_a_corner_always_stays_in_the_view():
    rng = random.Random(3)
    for _ in range(300):
        view = CloseUp(rng.choice(SCALES), 0, 0).panned(rng.randint(-9000, 9000), rng.randint(-9000, 9000), SIZE, ROOM)
        for at, side, extent in zip((view.x, view.y), SIZE, ROOM, strict=True):
            seen = min(extent, at + side * view.scale) - max(0, at)
            assert seen >= min(KEPT, extent, side * view.scale) - 1


def test_the_window_is_what_touches_the_room():
    rng = random.Random(5)
    for _ in range(300):
        view = CloseUp(rng.choice(SCALES[3:]), rng.randint(-800, 690), rng.randint(-500, 490))
        left, right, top, bottom = view.window(SIZE, ROOM)
        columns = [i for i in range(28) if view.x + i * view.scale < 700 and view.x + (i + 1) * view.scale > 0]
        rows = [j for j in range(20) if view.y + j * view.scale < 500 and view.y + (j + 1) * view.scale > 0]
        assert list(range(left, right)) == columns
        assert list(range(top, bottom)) == rows


def test_the_pixel_at_a_position():
    view = CloseUp(10, 30, -20)
    assert view.at(30, -20) == (0, 0)
    assert view.at(39.9, -10.1) == (0, 0)
    assert view.at(40, -10) == (1, 1)
    assert view.at(29, 0) == (-1, 2)
