"""Latents on the canvas: quick colours at once, the true pictures of the step at the playhead on demand."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.gui.stage.views.view import PICTURES

ROWS = [[0.5, 0, 0, 0, 0.25], [0, -0.5, 0, 0, 0], [0, 0, 0.25, 0.25, -0.5]]
WHITE = (255, 255, 255)


@pytest.fixture
def run(make_run):
    """Three samples of latents 4×4×5, pictures 3×8×10."""
    made = make_run(forward=0, reverse=4, shape=(4, 4, 5), card={"decoded": [3, 8, 10], "colours": ROWS})
    made.append(3)
    return made


@pytest.fixture
def view(image_view, run):
    image_view.set_trace(run.trace)
    image_view.set_tensor("x0_hat")
    image_view.show_record(1)
    return image_view


def middle(view, grab, sample):
    x, y, width, height = view._scene.grid.cell(sample)
    return tuple(int(level) for level in grab(view)[y + height // 2, x + width // 2])


def white():
    return np.ones((1, 3, 8, 10), np.float32)


def test_only_latents_can_be_decoded(view, make_run):
    assert view.options == ("decoded",)
    assert "linear map" in view._decoded.note
    view.set_trace(make_run().trace)
    assert view.options == ()
    with pytest.raises(ValueError, match="no option"):
        view.set_option("trails", True)


def test_what_is_seen_is_asked_for_and_drawn(view, run, qtbot, grab):
    view.set_sample(1)
    with qtbot.waitSignal(view.modelWanted) as signal:
        view.set_option("decoded", True)
    kind, asked, parts = signal.args
    assert kind == PICTURES
    assert [sample for sample, _ in parts] == [1, 0, 2]  # the selected one first
    np.testing.assert_array_equal(parts[0][1], run.trace.array(1, "x0_hat", slice(1, 2)))
    before = middle(view, grab, 0)
    view.take_found(PICTURES, asked, (1, white()))
    assert middle(view, grab, 1) == WHITE
    assert middle(view, grab, 0) == before != WHITE
    assert "1 of 3" in view._decoded.note
    assert not view._decoded._timer.isActive()  # the others are coming
    view.take_found(PICTURES, asked, (0, white()))
    view.take_found(PICTURES, asked, (2, white()))
    assert view._decoded.note == "decoded"
    view.set_option("decoded", False)
    assert middle(view, grab, 1) != WHITE


def test_a_picture_belongs_to_its_step_and_tensor(view, qtbot, grab):
    with qtbot.waitSignal(view.modelWanted) as signal:
        view.set_option("decoded", True)
    with qtbot.waitSignal(view.modelWanted) as second:
        view.show_record(2)
    for sample in range(3):
        view.take_found(PICTURES, signal.args[1], (sample, white()))  # late: kept, not shown
    assert middle(view, grab, 0) != WHITE
    assert second.args[1] != signal.args[1]
    view.show_record(1)
    assert middle(view, grab, 0) == WHITE
    assert not view._decoded._timer.isActive()
    view.set_tensor("delta")  # signed: it has no picture
    assert view._decoded.note == "" and not view._decoded._timer.isActive()


def test_one_sample_alone_is_decoded_alone(view, qtbot, grab):
    view.set_single(True)
    with qtbot.waitSignal(view.modelWanted) as signal:
        view.set_option("decoded", True)
    kind, asked, parts = signal.args
    assert kind == PICTURES
    assert [sample for sample, _ in parts] == [0]
    half = white()
    half[..., 5:] = -1  # the right half is black
    view.take_found(PICTURES, asked, (0, half))
    scene = view._scene
    shown = grab(view)
    y = scene.view.y + int(2 * scene.view.scale)
    assert tuple(shown[y, scene.view.x + int(0.5 * scene.view.scale)]) == WHITE
    assert tuple(shown[y, scene.view.x + int(4.5 * scene.view.scale)]) == (0, 0, 0)


def test_a_model_that_is_gone_is_said_and_not_asked_for_again(view, qtbot):
    with qtbot.waitSignal(view.modelWanted) as signal:
        view.set_option("decoded", True)
    view.take_problem(PICTURES, signal.args[1], "there is no model 'faces'")
    assert "no model 'faces'" in view._decoded.note
    view.show_record(2)
    assert not view._decoded._timer.isActive()


def test_what_a_run_has_swallowed_is_asked_again(view, qtbot):
    with qtbot.waitSignal(view.modelWanted):
        view.set_option("decoded", True)
    with qtbot.waitSignal(view.modelWanted):
        view.refresh()
