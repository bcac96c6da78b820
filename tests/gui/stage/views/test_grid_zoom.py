"""The grid, zoomed: about the cursor, dragged, exact squares, and the way back; the same for every batch."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRect, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication

from diffstudio.data import spoken
from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.audio.audio_view import AudioView
from diffstudio.gui.stage.views.grid import Zoom, layout, zoomed
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.points.points_view import PointsView
from diffstudio.gui.stage.views.text.text_view import TextView


@pytest.fixture
def open_view(qtbot, make_run, text_trace):
    """A view of a modality with a batch, 400 × 326 (or another size)."""

    def do(modality, batch=256, size=(400, 326)):
        theme.apply(QApplication.instance(), theme.DARK)
        kind = {"image": ImageView, "audio": AudioView, "text": TextView, "points": PointsView}[modality]
        card = {"audio": spoken.SPEC.model_dump()} if modality == "audio" else {}
        shape = {"audio": (1, 64, 32)}.get(modality)
        run = None if modality == "text" else make_run(2, 2, modality, batch=batch, shape=shape, card=card)
        view = kind(theme.DARK)
        qtbot.addWidget(view)
        view.resize(*size)
        view.show()
        view.set_trace(text_trace() if run is None else run.trace)
        view.show_record(3)
        view.run = run
        return view

    return do


def focus(view, reason):
    """The keyboard's focus comes, whether or not the test's window is the active one."""
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusIn, reason))


def squares(pixels, scale):
    return pixels.repeat(scale, 0).repeat(scale, 1)


def grey(x):
    return np.repeat(np.clip(x[0] * 127.5 + 128, 0, 255).astype(np.uint8)[..., None], 3, 2)


def place(view, x, y):
    """The sample under a place, and where in its cell, 0..1."""
    return view._scene.grid.at(x, y, view._scene.scroll)


def middle(view, x, y):
    """The middle of the cell that is nearest to a place."""
    scene = view._scene
    boxes = [scene.grid.cell(i, scene.scroll) for i in range(scene.grid.count)]
    centres = [(left + width / 2, top + height / 2) for left, top, width, height in boxes]
    return min(centres, key=lambda at: abs(at[0] - x) + abs(at[1] - y))


@pytest.mark.parametrize("modality", ["image", "audio"])
def test_the_wheel_zooms_about_the_cursor(open_view, wheel, modality):
    view = open_view(modality)
    (x, y), cell = middle(view, 130, 100), view._scene.grid.width
    before = place(view, x, y)
    for _ in range(4):
        wheel(view, x, 120, y=y)
    assert view._scene.grid.width > 1.5 * cell
    after = place(view, x, y)
    assert after[0] == before[0] and np.allclose(after[1:], before[1:], atol=0.15)


def test_zoomed_cells_are_exact_squares_of_their_own_samples(open_view, wheel, grab):
    view = open_view("image")
    for _ in range(3):
        wheel(view, 130, 120, y=100)
    scene, painted = view._scene, grab(view)
    assert scene.grid.scale >= 3 and len(scene.cells()) > 4
    for i in scene.cells():
        x, y, width, height = scene.grid.cell(i)
        hidden = view.chip.geometry().adjusted(-2, -2, 2, 2).intersects(QRect(x, y, width, height))
        if hidden or x < 3 or y < 3 or x + width > 395 or y + height > 295 or i == scene.sample:
            continue
        expected = squares(grey(view.run.trace.array(3, "xt", i)), scene.grid.scale)
        assert np.array_equal(painted[y : y + height, x : x + width], expected), i


def test_a_drag_moves_a_zoomed_grid_and_a_click_still_selects(open_view, wheel, mouse):
    view, clicked = open_view("image"), []
    view.sampleClicked.connect(clicked.append)
    x, y = middle(view, 60, 60)
    mouse(view, "move", x, y)
    mouse(view, "press", x, y)
    mouse(view, "move", 90, 40)
    mouse(view, "release", 90, 40)
    assert len(clicked) == 1, "of a grid that fits, a press selects and nothing moves"
    for _ in range(3):
        wheel(view, 200, 120, y=150)
    left, top = view._scene.grid.left, view._scene.grid.top
    mouse(view, "press", 200, 150)
    mouse(view, "move", 230, 140)
    mouse(view, "release", 230, 140)
    assert (view._scene.grid.left, view._scene.grid.top) == (left + 30, top - 10)
    assert len(clicked) == 1, "a drag is no click"
    at = place(view, 100, 100)
    mouse(view, "move", 100, 100)
    mouse(view, "press", 100, 100)
    mouse(view, "release", 100, 100)
    assert clicked[1:] == ([at[0]] if at else [])


@pytest.mark.parametrize("modality", ["image", "audio", "text", "points"])
def test_the_corner_says_the_zoom_and_leads_back(open_view, wheel, qtbot, modality):
    view = open_view(modality, batch=64)
    whole = view.picture()
    assert view.chip.isHidden()
    wheel(view, 200, 240, y=150)
    assert view.chip.isVisible() and view.chip.text().endswith("Fit  0")
    assert view.rect().contains(view.chip.geometry())
    assert view.picture() != whole
    qtbot.mouseClick(view.chip, Qt.MouseButton.LeftButton)
    assert view.chip.isHidden() and view.picture() == whole


@pytest.mark.parametrize("modality", ["image", "audio", "text"])
def test_zooming_out_ends_where_everything_fits(open_view, wheel, modality):
    view = open_view(modality, batch=64)
    fitted = view._scene.grid
    for _ in range(40):
        wheel(view, 100, 120, y=100)
    top = view._scene.grid
    assert top.width > fitted.width and view._scene.grid_zoom.level == view._scene.top_level
    wheel(view, 100, 120, y=100)
    assert view._scene.grid == top, "there is a largest zoom"
    for _ in range(60):
        wheel(view, 100, -120, y=100)
    assert view._scene.grid == fitted


@pytest.mark.parametrize("modality", ["image", "audio", "text"])
def test_the_selected_sample_comes_into_view(open_view, modality):
    view = open_view(modality, batch=64)
    last = 2 if modality == "text" else 63
    view.zoom_by(3, QPointF(5, 5))
    view.set_sample(last)
    scene = view._scene
    x, y, width, height = scene.grid.cell(last)
    right, bottom = x + width <= scene.room[0] + 1, y + height <= scene.room[1] + 1
    assert (x >= 0 or width > scene.room[0]) and (y >= 0 or height > scene.room[1])
    assert (right or width > scene.room[0]) and (bottom or height > scene.room[1])


def test_a_long_grid_scrolls_and_ctrl_zooms_it(open_view, wheel):
    view = open_view("image", batch=900)
    assert view._bar.isVisible()
    wheel(view, 100, -120, y=100)
    assert view._bar.value() > 0 and not view._scene.grid_zoom.level
    x, y = middle(view, 100, 100)
    before = place(view, x, y)
    wheel(view, x, 120, y=y, ctrl=True)
    assert view._scene.grid_zoom.level == 1 and not view._bar.isVisible()
    assert place(view, x, y)[0] == before[0]


def test_single_and_back_leaves_the_grid_as_it_was(open_view, wheel):
    view = open_view("image")
    wheel(view, 200, 240, y=150)
    grid = view._scene.grid
    view.set_single(True)
    assert view.chip.isHidden()
    wheel(view, 200, 240, y=150)
    assert view.chip.isVisible(), "a single sample is zoomed too"
    view.set_single(False)
    assert view._scene.grid == grid and view.chip.isVisible()


def test_the_zoom_stays_between_runs_of_one_size_alone(open_view, make_run, wheel):
    view = open_view("image", batch=64)
    wheel(view, 200, 240, y=150)
    view.set_trace(make_run(2, 2, batch=64).trace)
    assert view._scene.grid_zoom.level == 2
    view.set_trace(make_run(2, 2, batch=9).trace)
    assert not view._scene.grid_zoom.level and view.chip.isHidden()


def test_scrubbing_a_zoomed_grid_shows_the_other_step(open_view, wheel, grab):
    view = open_view("image", batch=64)
    wheel(view, 200, 240, y=150)
    before = grab(view)
    view.show_record(1)
    assert not np.array_equal(grab(view), before)


def test_a_part_of_the_grid_always_stays_in_view():
    grid = layout(100, 8, 8, 400, 300)
    for x, y in ((-9999, -9999), (9999, 9999)):
        found = zoomed(grid, (120, 120), 15, Zoom(3, x, y), (400, 300))
        assert found.left < 400 and found.left + found.span > 0
        assert found.top < 300 and found.top + found.content > 0
    small = zoomed(grid, (8, 8), 1, Zoom(1, -9999, 50), (4000, 3000))
    assert small.left == (4000 - small.span) // 2, "what is smaller than the room stays in its middle"


def test_only_the_columns_that_are_seen_are_drawn(open_view, wheel):
    view = open_view("image")
    for _ in range(20):
        wheel(view, 200, 120, y=150)
    assert len(view._scene.cells()) <= 4 < view._scene.grid.columns


# -- keys


@pytest.mark.parametrize("modality", ["image", "audio", "points"])
def test_arrows_go_from_sample_to_sample_where_tab_has_led(open_view, qtbot, modality):
    view, wanted = open_view(modality, batch=64), []
    view.sampleClicked.connect(lambda i: (wanted.append(i), view.set_sample(i)))
    focus(view, Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up):
        qtbot.keyClick(view, key)
    down = 1 if modality == "points" else view._scene.grid.columns
    assert wanted == [1, 1 + down, down, 0]
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert wanted[-1] == 0


def test_arrows_stay_with_the_timeline_after_a_click(open_view, qtbot):
    view, wanted = open_view("image"), []
    view.sampleClicked.connect(wanted.append)
    focus(view, Qt.FocusReason.MouseFocusReason)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    focus(view, Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert wanted == []


def test_in_the_single_view_rows_are_steps(open_view):
    view = open_view("image")
    view.set_sample(10)
    assert view.neighbour(0, 1) == 10 + view._scene.grid.columns
    view.set_single(True)
    assert (view.neighbour(0, 1), view.neighbour(-1, 0)) == (11, 9)
