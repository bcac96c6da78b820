"""Thumbnails: drawn between events, kept, never a wrong one."""

import numpy as np
import pytest

from diffstudio.gui.kit import theme
from diffstudio.gui.timeline import thumbnails as module
from diffstudio.gui.timeline.thumbnails import Thumbnails


@pytest.fixture
def thumbnails(qtbot):
    made = Thumbnails(theme.DARK)
    made.set_side(24, 1.0)
    return made


def wait(qtbot, thumbnails):
    qtbot.waitUntil(lambda: not thumbnails.busy)


def grey(pixmap, x=12, y=12):
    return pixmap.toImage().pixelColor(x, y).red()


def test_pictures_come_in_the_order_asked_for(thumbnails, make_run, qtbot):
    thumbnails.set_trace(make_run().trace)
    seen = []
    thumbnails.ready.connect(seen.append)
    assert thumbnails.get(0) is None
    thumbnails.want([5, 0, 5, 21])
    wait(qtbot, thumbnails)
    assert seen == [5, 0, 21]
    assert thumbnails.get(0).width() == 24
    assert grey(thumbnails.get(0)) == 255  # the clean sample is white
    assert thumbnails.get(7) is None


def test_a_slice_of_work_ends_when_its_time_is_up(thumbnails, make_run, monkeypatch, qtbot):
    monkeypatch.setattr(module, "BUDGET_SECONDS", 0.0)
    thumbnails.set_trace(make_run().trace)
    thumbnails.want(range(10))
    thumbnails._work()
    assert [thumbnails.get(k) is not None for k in range(3)] == [True, False, False]
    assert thumbnails.busy
    wait(qtbot, thumbnails)
    assert all(thumbnails.get(k) is not None for k in range(10))


def test_while_they_are_held_none_is_drawn_and_then_all_are(thumbnails, make_run, qtbot):
    thumbnails.set_trace(make_run().trace)
    thumbnails.hold(True)
    thumbnails.want(range(3))
    wait(qtbot, thumbnails)
    assert thumbnails.get(0) is None
    thumbnails.hold(False)
    wait(qtbot, thumbnails)
    assert all(thumbnails.get(k) is not None for k in range(3))


def test_another_tensor_sample_trace_or_theme_is_another_picture(thumbnails, make_run, qtbot):
    run, other = make_run(), make_run()
    thumbnails.set_trace(run.trace)

    def drawn():
        thumbnails.want([10])
        wait(qtbot, thumbnails)
        return thumbnails.get(10).toImage()

    first = drawn()
    changes = (
        lambda: thumbnails.set_what("x0_hat", 0),
        lambda: thumbnails.set_what("xt", 1),
        lambda: thumbnails.set_tokens(theme.LIGHT),
        lambda: thumbnails.set_trace(other.trace),
        lambda: thumbnails.set_side(20, 1.0),
    )
    for change in changes:
        change()
        assert thumbnails.get(10) is None
        drawn()
    thumbnails.set_trace(run.trace)
    thumbnails.set_tokens(theme.DARK)
    thumbnails.set_what("xt", 0)
    thumbnails.set_side(24, 1.0)
    assert thumbnails.get(10).toImage() == first


def test_records_that_do_not_exist_yet_are_not_drawn(thumbnails, make_run, qtbot):
    run = make_run(records=3)
    thumbnails.set_trace(run.trace)
    thumbnails.want(range(22))
    wait(qtbot, thumbnails)
    assert thumbnails.get(2) is not None and thumbnails.get(3) is None
    run.append()
    thumbnails.want(range(22))
    wait(qtbot, thumbnails)
    assert thumbnails.get(3) is not None


def test_the_cache_forgets_the_longest_unused(thumbnails, make_run, monkeypatch, qtbot):
    monkeypatch.setattr(module, "CACHE_BYTES", 5 * 24 * 24 * 4)
    thumbnails.set_trace(make_run().trace)
    thumbnails.want(range(5))
    wait(qtbot, thumbnails)
    thumbnails.get(0)
    thumbnails.want([9])
    wait(qtbot, thumbnails)
    assert thumbnails.get(0) is not None and thumbnails.get(1) is None


def test_high_density_pictures_have_their_pixels(thumbnails, make_run, qtbot):
    thumbnails.set_trace(make_run().trace)
    thumbnails.set_side(24, 2.0)
    thumbnails.want([0])
    wait(qtbot, thumbnails)
    assert thumbnails.get(0).width() == 48 and thumbnails.get(0).devicePixelRatio() == 2


@pytest.mark.parametrize("tensor", ["xt", "x0_hat", "eps_hat", "delta"])
@pytest.mark.parametrize("side", [24, 200])
def test_clouds(thumbnails, make_run, qtbot, tensor, side):
    thumbnails.set_trace(make_run(modality="points", batch=40).trace)
    thumbnails.set_side(side, 1.0)
    thumbnails.set_what(tensor, 0)
    thumbnails.want([15])
    wait(qtbot, thumbnails)
    assert thumbnails.get(15).width() == side
    assert len({thumbnails.get(15).toImage().pixel(x, y) for x in range(side) for y in range(side)}) > 2


def test_the_square_of_a_growing_cloud_is_chosen_once_and_at_the_end(thumbnails, make_run):
    run = make_run(modality="points", batch=40, records=1)
    thumbnails.set_trace(run.trace)
    first = thumbnails._within
    assert first is not None
    run.append(10)
    thumbnails.refresh()
    assert thumbnails._within == first
    run.append(11)
    thumbnails.refresh()
    assert thumbnails._within_final


def test_a_trace_that_is_cut_meanwhile_gives_no_picture_and_no_error(thumbnails, make_run, qtbot):
    run = make_run()
    thumbnails.set_trace(run.trace)
    run.trace.close()
    seen = []
    thumbnails.ready.connect(seen.append)
    thumbnails.want([3])
    wait(qtbot, thumbnails)
    assert seen == [3] and thumbnails.get(3) is None
    thumbnails.want([3])
    assert not thumbnails.busy  # it is not tried again and again


def test_values_that_are_not_finite(thumbnails, make_run, qtbot, monkeypatch):
    run = make_run()
    thumbnails.set_trace(run.trace)
    monkeypatch.setattr(run.trace, "array", lambda k, name, sample=None: np.full((1, 1, 8, 8), np.nan, np.float32))
    thumbnails.want([3])
    wait(qtbot, thumbnails)
    assert thumbnails.get(3).toImage().pixelColor(12, 12).name() == "#ff00ff"
