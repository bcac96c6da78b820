"""Clips in the window: which frame is painted, how it plays, what the strip and the x-t slice show."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.raster import to_array
from diffstudio.gui.stage.views.video.clip_clock import ClipClock
from diffstudio.gui.stage.views.video.video_view import VideoView

SHAPE = (5, 3, 6, 8)


@pytest.fixture
def view(qtbot):
    made = VideoView(theme.DARK)
    qtbot.addWidget(made)
    made.resize(500, 420)
    made.show()
    made.clock.set_playing(False)
    return made


@pytest.fixture
def show(view, make_run):
    """Two clips in which each frame of each record has a colour of its own."""

    def values(k, t):
        frames = np.linspace(-0.9, 0.9, 5)[None, :, None, None, None] + 0.01 * k
        clip, channel = (
            np.array([0, 0.05])[:, None, None, None, None],
            np.array([0, -0.2, -0.4])[None, None, :, None, None],
        )
        xt = np.broadcast_to(frames + clip + channel, (2, *SHAPE)).copy()
        xt[:, :, :, 2, 3] = 1.0  # a white pixel in row 2, column 3
        return xt, -xt

    def do(k=3, tensor="xt", sample=0, single=False):
        run = make_run(modality="video", batch=2, shape=SHAPE, values=values)
        view.set_trace(run.trace)
        view.set_tensor(tensor)
        view.set_sample(sample)
        view.set_single(single)
        view.show_record(k)
        return run.trace

    return do


def levels(x):
    """(…, C, H, W) → (…, H, W) 0xffRRGGBB, written out."""
    bytes_ = np.clip(np.floor(x * 127.5 + 128), 0, 255).astype(np.uint32)
    red, green, blue = np.moveaxis(bytes_, -3, 0)
    return 0xFF000000 | red << 16 | green << 8 | blue


@pytest.mark.parametrize("frame", [0, 2, 4])
@pytest.mark.parametrize("sample", [0, 1])
def test_the_frame_that_is_chosen_is_the_one_that_is_painted(view, show, frame, sample):
    trace = show(sample=sample, single=True)
    view.clock.move_to(frame)
    scale = view.images._scene.view.scale
    expected = levels(trace.array(3, "xt", sample)[frame]).repeat(int(scale), 0).repeat(int(scale), 1)
    np.testing.assert_array_equal(to_array(view.picture()), expected)


def test_all_clips_show_the_same_frame_in_the_grid(view, show):
    trace = show()
    view.clock.move_to(3)
    picture, grid = to_array(view.picture()), view.images._scene.grid
    for sample in range(2):
        x, y, width, height = grid.cell(sample)
        left, top = x - grid.cell(0)[0], y - grid.cell(0)[1]
        cell = picture[top : top + height, left : left + width]
        np.testing.assert_array_equal(cell[:: grid.scale, :: grid.scale], levels(trace.array(3, "xt", sample)[3]))


def test_the_strip_holds_the_frames_of_the_selected_clip_at_the_playhead(view, show):
    trace = show(k=7, tensor="x0_hat", sample=1)
    np.testing.assert_array_equal(view.strip._pixels, levels(trace.array(7, "x0_hat", 1)))
    view.set_sample(0)
    view.show_record(9)
    np.testing.assert_array_equal(view.strip._pixels, levels(trace.array(9, "x0_hat", 0)))


def test_the_slice_is_one_row_of_every_frame(view, show, mouse):
    trace = show()
    clip = levels(trace.array(3, "xt", 0))
    np.testing.assert_array_equal(view.strip.slice, clip[:, 3])  # the middle row at first
    cell = view.strip.cell(4)
    mouse(view.strip, "press", cell.center().x(), cell.top() + 2.5 * cell.height() / 6)
    np.testing.assert_array_equal(view.strip.slice, clip[:, 2])
    assert view.clock.frame == 4
    box = view.strip.slice_box()
    mouse(view.strip, "press", box.center().x(), box.top() + 1.5 * box.height() / 5)
    assert view.clock.frame == 1
    assert view.strip.row == 2


def test_signed_tensors_have_one_limit_for_all_frames(view, show):
    show(tensor="delta")
    limits = set()
    for frame in range(5):
        view.clock.move_to(frame)
        view.images._scene.compose()
        limits.add(view.images._scene.raster.limit)
    assert len(limits) == 1


def test_the_readout_names_the_value_of_the_frame(view, show, mouse):
    trace = show(single=True)
    view.clock.move_to(1)
    scene = view.images._scene
    x, y = scene.view.x + 3.5 * scene.view.scale, scene.view.y + 2.5 * scene.view.scale
    mouse(view.images, "move", x / scene.ratio, y / scene.ratio)
    assert "(3, 2) = (1.00, 1.00, 1.00)" in view.readout()
    mouse(view.images, "move", (x - scene.view.scale) / scene.ratio, y / scene.ratio)
    expected = ", ".join(f"{v:.2f}".replace("-", "−") for v in trace.array(3, "xt", 0)[1][:, 2, 2])
    assert f"(2, 2) = ({expected})" in view.readout()


def test_slider_strip_and_number_agree(view, show):
    show()
    view.slider.setValue(3)
    assert view.clock.frame == 3
    assert view._number.text() == "frame 4 of 5"
    view.clock.move_by(1)
    view.clock.move_by(1)
    assert (view.slider.value(), view.clock.frame) == (0, 0)  # round and round


def test_a_click_into_the_clips_selects_and_the_button_plays(view, show, mouse, qtbot):
    show()
    grid = view.images._scene.grid
    x, y, width, height = grid.cell(1)
    with qtbot.waitSignal(view.sampleClicked) as caught:
        mouse(view.images, "press", x + width / 2, y + height / 2)
    assert caught.args == [1]
    qtbot.mouseClick(view.play, Qt.MouseButton.LeftButton)
    assert view.clock.playing
    assert view.play.accessibleName() == "Pause the clips"


def test_pictures_are_refused_and_clips_are_not(make_run):
    assert VideoView.problem(make_run(modality="video", shape=SHAPE, records=1).trace) == ""
    assert "(1, 8, 8)" in VideoView.problem(make_run(records=1).trace)


class TestClock:
    def test_it_goes_round_while_somebody_looks(self):
        clock = ClipClock()
        seen = []
        clock.frameChanged.connect(seen.append)
        clock.set_count(3)
        assert not clock._timer.isActive()
        clock.set_seen(True)
        assert clock._timer.isActive()
        for _ in range(4):
            clock.tick()
        assert seen == [1, 2, 0, 1]
        clock.set_seen(False)
        assert not clock._timer.isActive()

    def test_a_hand_on_the_frames_pauses(self):
        clock = ClipClock()
        clock.set_count(10)
        clock.set_seen(True)
        clock.move_to(7)
        assert (clock.frame, clock.playing, clock._timer.isActive()) == (7, False, False)
        clock.move_to(99)
        assert clock.frame == 9
        clock.toggle()
        assert clock._timer.isActive()

    def test_a_shorter_clip_keeps_the_frame_inside(self):
        clock = ClipClock()
        clock.set_count(10)
        clock.move_to(9)
        clock.set_count(4)
        assert clock.frame == 3
        clock.set_count(0)
        clock.set_seen(True)
        clock.set_playing(True)
        assert (clock.frame, clock._timer.isActive()) == (0, False)
