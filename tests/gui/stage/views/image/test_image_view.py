"""The image view: what is painted is what is recorded, pixel by pixel; what the mouse does."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFocusEvent
from PySide6.QtWidgets import QApplication, QScrollBar

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.close_up import CloseUp
from diffstudio.modalities import colour as maps


@pytest.fixture
def show(image_view):
    """Shows a record as the canvas does; returns the scene, where one can look up what lies where."""

    def do(run, k=15, tensor="xt", sample=0, single=False):
        image_view.set_trace(run.trace)
        image_view.set_tensor(tensor)
        image_view.set_sample(sample)
        image_view.set_single(single)
        image_view.show_record(k)
        image_view.repaint()
        return image_view._scene

    return do


def grey(values):
    """−1 … 1 as bytes, three channels alike."""
    return np.repeat(np.clip(np.floor(values * 127.5 + 128), 0, 255).astype(np.uint8)[..., None], 3, -1)


def squares(pixels, scale):
    """Each pixel as scale×scale, by a loop over the screen."""
    tall, wide = pixels.shape[0] * scale, pixels.shape[1] * scale
    return np.array([[pixels[y // scale, x // scale] for x in range(wide)] for y in range(tall)])


def true_tensor(trace, k, name):
    """The four tensors from what is recorded."""
    xt, x0 = trace.array(k, "xt"), trace.array(k, "x0_hat")
    if name == "eps_hat":
        return (xt - trace.scalar(k, "a") * x0) / trace.scalar(k, "s")
    if name == "delta":
        return xt - trace.array(k - 1, "xt")
    return {"xt": xt, "x0_hat": x0}[name]


def in_cell(scene, sample, column, row):
    """The middle of a sample's pixel in the grid."""
    x, y, width, height = scene.grid.cell(sample, scene.scroll)
    return x + (column + 0.5) * width / scene.size[0], y + (row + 0.5) * height / scene.size[1]


# -- what is painted


@pytest.mark.parametrize("tensor", ["xt", "x0_hat"])
def test_every_cell_shows_its_sample_in_exact_squares(show, make_run, image_view, grab, tensor):
    scene = show(make_run(batch=5), tensor=tensor, sample=3)
    painted = grab(image_view)
    assert scene.grid.scale > 1
    for i, sample in enumerate(true_tensor(scene.trace, 15, tensor)):
        x, y, width, height = scene.grid.cell(i)
        assert np.array_equal(painted[y : y + height, x : x + width], squares(grey(sample[0]), scene.grid.scale))


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("tensor", ["eps_hat", "delta"])
def test_signed_tensors_are_painted_in_the_diverging_map(show, make_run, image_view, grab, tensor, tokens):
    image_view.apply_theme(tokens)
    scene = show(make_run(batch=4), tensor=tensor)
    painted = grab(image_view)
    values = true_tensor(scene.trace, 15, tensor)
    limit = 3.0 if tensor == "eps_hat" else np.sort(np.abs(values).ravel())[int(0.995 * values.size)]
    rows = np.clip(values / np.float32(limit) * 127.5 + 127.5, 0, 255).astype(int)
    for i in range(4):
        x, y, width, height = scene.grid.cell(i)
        expected = squares(maps.diverging(tokens.dark)[rows[i, 0]], scene.grid.scale)
        wrong = (painted[y : y + height, x : x + width] != expected).any(-1)
        assert wrong.mean() < 0.03  # where float32 falls on the other side of a row


def test_a_single_sample_is_painted_in_exact_squares(show, make_run, image_view, grab):
    scene = show(make_run(batch=3), sample=2, single=True)
    painted = grab(image_view)
    view = scene.view
    assert view.scale == int(min(384 / 8, 284 / 8))
    expected = squares(grey(scene.trace.array(15, "xt")[2, 0]), int(view.scale))
    assert np.array_equal(painted[view.y : view.y + len(expected), view.x : view.x + len(expected)], expected)


def test_a_zoomed_part_is_painted_where_it_belongs(show, make_run, image_view, grab):
    scene = show(make_run(batch=1, shape=(1, 40, 40)), single=True)
    scene.close_up = CloseUp(20, -130, -210)
    scene.changed()
    painted = grab(image_view)[:300]
    sample = grey(scene.trace.array(15, "xt")[0, 0])
    for x in range(0, 400, 13):
        for y in range(0, 300, 13):
            assert np.array_equal(painted[y, x], sample[(y + 210) // 20, (x + 130) // 20])


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_squares_are_exact_on_every_screen(show, make_run, image_view, pixels, ratio):
    scene = show(make_run(batch=4))
    scene.room, scene.ratio = (int(400 * ratio), int(300 * ratio)), ratio
    scene.lay_out()
    scene.compose()
    found = pixels(scene.picture)
    left, top = scene.at
    for i, sample in enumerate(scene.trace.array(15, "xt")):
        x, y, width, height = scene.grid.cell(i)
        inside = found[y - top : y - top + height, x - left : x - left + width]
        assert np.array_equal(inside, squares(grey(sample[0]), scene.grid.scale))


def test_the_selected_sample_is_framed_in_the_gap(show, make_run, image_view, grab, colour):
    scene = show(make_run(batch=4), sample=0)
    before = grab(image_view)
    image_view.set_sample(3)
    changed = np.argwhere((grab(image_view) != before).any(-1))
    accent = colour(theme.DARK.lane_a)
    x, y, width, height = scene.grid.cell(3)
    assert np.array_equal(grab(image_view)[y - 1, x + width // 2], accent)
    assert np.array_equal(grab(image_view)[y + height // 2, x + width], accent)
    for row, column in changed:
        assert scene.grid.at(column, row) is None  # never over a sample


def test_numbers_are_written_where_there_is_room(show, make_run, image_view, grab):
    scene = show(make_run(batch=1, shape=(1, 4, 4)), single=True)
    assert scene.view.scale >= 40
    assert np.array_equal(scene.values, scene.trace.array(15, "xt")[0])
    side, flat = int(scene.view.scale), grey(scene.trace.array(15, "xt")[0, 0])
    painted = grab(image_view)
    for row in range(4):
        for column in range(4):
            y, x = scene.view.y + row * side, scene.view.x + column * side
            ink = (painted[y : y + side, x : x + side] != flat[row, column]).any(-1)
            assert 20 < ink.sum() < 0.4 * side * side  # a few letters
            assert not ink[:4].any() and not ink[-4:].any()
    scene.close_up = CloseUp(20, 0, 0)
    scene.changed()
    scene.compose()
    assert scene.values is None


def test_the_note_and_the_bar_stay_below_the_samples(show, make_run, image_view, grab):
    show(make_run(path=lambda t: (1.0, 80 * t)))
    scaled = grab(image_view)
    show(make_run())
    plain = grab(image_view)
    assert (scaled[300:, :100] != plain[300:, :100]).any()  # "shown ÷ …"
    image_view.set_tensor("eps_hat")
    assert (grab(image_view)[300:, 200:] != plain[300:, 200:]).any()  # the colour bar
    assert (plain[300:] == plain[325, 0]).all()


def test_the_picture_is_the_batch_without_frame_and_notes(show, make_run, image_view, pixels, colour):
    scene = show(make_run(batch=4), sample=2)
    found = pixels(image_view.picture())
    left, top = scene.grid.left, scene.grid.top
    assert found.shape[:2] == (scene.grid.content, scene.grid.span)
    expected = np.empty_like(found)
    expected[:] = colour(theme.DARK.bg)
    for i, sample in enumerate(scene.trace.array(15, "xt")):
        x, y, width, height = scene.grid.cell(i)
        expected[y - top : y - top + height, x - left : x - left + width] = squares(grey(sample[0]), scene.grid.scale)
    assert np.array_equal(found, expected)
    image_view.set_single(True)
    assert np.array_equal(pixels(image_view.picture()), squares(grey(scene.trace.array(15, "xt")[2, 0]), 35))


def test_a_trace_that_was_cut_says_so_in_place_of_the_samples(show, make_run, image_view, grab):
    run = make_run()
    show(run, k=3)
    run.trace.path.write_bytes(run.trace.path.read_bytes()[:2000])
    image_view.show_record(20)
    image_view.repaint()
    assert "was cut while it was open" in image_view._scene.problem
    assert image_view.readout().startswith("sample 1 of 3 · ") and "=" not in image_view.readout(), (
        "no value is claimed"
    )
    image_view.show_record(0)
    image_view.repaint()
    assert image_view._scene.problem == ""


def test_a_view_of_no_height_is_survived(show, make_run, image_view, grab):
    for shape in ((1, 8, 8), (1, 60, 60)):
        show(make_run(batch=100, shape=shape, forward=2, reverse=2), k=2)
        for height in (1, 27, 30, 40):
            image_view.resize(50, height)
            grab(image_view)


# -- the readout


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("tensor", ["xt", "x0_hat", "eps_hat", "delta"])
def test_the_readout_is_the_recorded_value_under_the_cursor(show, make_run, image_view, mouse, values, tensor, single):
    run = make_run(batch=6)
    scene = show(run, tensor=tensor, sample=4, single=single)
    expected = true_tensor(run.trace, 15, tensor)
    for sample, column, row in [(4, 0, 0), (4, 7, 7), (4, 2, 5), (1, 6, 1)]:
        if single and sample != 4:
            continue
        if single:
            at = scene.view.x + (column + 0.5) * scene.view.scale, scene.view.y + (row + 0.5) * scene.view.scale
        else:
            at = in_cell(scene, sample, column, row)
        mouse(image_view, "move", *at)
        number, batch, x, y, value, _ = values(image_view.readout())
        assert (number, batch, x, y) == (sample + 1, 6, column, row)
        assert value == pytest.approx(expected[sample, 0, row, column], abs=0.00501)


def test_the_readout_has_every_channel_and_is_not_clipped(show, make_run, image_view, mouse, values):
    colours = np.stack([np.full((4, 4), v) for v in (5.25, -7.5, np.nan)])[None]
    scene = show(make_run(batch=1, shape=(3, 4, 4), values=lambda k, t: (colours, 0 * colours)))
    mouse(image_view, "move", *in_cell(scene, 0, 1, 2))
    assert "(1, 2) = (5.25, −7.50, –)" in image_view.readout()
    assert "16 not finite" in image_view.readout()


def test_without_a_cursor_the_readout_is_of_the_selected_sample(show, make_run, image_view, mouse, qtbot):
    scene = show(make_run(), sample=1)
    mouse(image_view, "move", *in_cell(scene, 2, 3, 3))
    with qtbot.waitSignal(image_view.readoutChanged):
        QApplication.sendEvent(image_view, QEvent(QEvent.Type.Leave))
    assert image_view.readout().startswith("sample 2 of 3 · ")
    assert "(" not in image_view.readout()
    image_view.set_trace(None)
    assert image_view.readout() == ""


def test_the_footer_is_nobodys(show, make_run, image_view, mouse):
    scene = show(make_run(), single=True)
    scene.close_up = CloseUp(128, 0, 0)
    mouse(image_view, "move", 50, 299)
    assert "(" in image_view.readout()
    mouse(image_view, "move", 50, 301)
    assert "(" not in image_view.readout()


# -- the mouse


def test_a_click_selects_the_sample(show, make_run, image_view, mouse):
    scene = show(make_run(batch=6))
    clicked = []
    image_view.sampleClicked.connect(clicked.append)
    for sample in (4, 1):
        mouse(image_view, "press", *in_cell(scene, sample, 4, 4))
        mouse(image_view, "release", *in_cell(scene, sample, 4, 4))
    x, y, width, _ = scene.grid.cell(0)
    mouse(image_view, "press", x + width + 1, y)  # the gap
    assert clicked == [4, 1]


def test_a_double_click_asks_for_one_sample_and_back(show, make_run, image_view, mouse):
    scene = show(make_run(batch=6))
    wanted = []
    image_view.singleWanted.connect(wanted.append)
    mouse(image_view, "double", *in_cell(scene, 2, 4, 4))
    mouse(image_view, "double", 1, 1)
    image_view.set_single(True)
    mouse(image_view, "double", 1, 1)
    assert wanted == [True, False]


def test_the_wheel_zooms_about_the_cursor(show, make_run, image_view, wheel, mouse, values):
    scene = show(make_run(shape=(1, 28, 28)), single=True)
    x, y = 150.0, 120.0
    mouse(image_view, "move", x, y)
    before = scene.under(x, y)
    scales = [scene.view.scale]
    for turn in (120, 120, -120, 60, 60, -1200):
        wheel(image_view, x, turn, y=y)
        scales.append(scene.view.scale)
        if turn > 0:
            assert scene.under(x, y) == before
        assert values(image_view.readout())[-1] == 100 * scene.view.scale
    assert scales == [10, 12, 16, 12, 12, 16, 0.5]


def test_a_drag_moves_the_sample_with_the_cursor(show, make_run, image_view, mouse):
    scene = show(make_run(), single=True)
    start = scene.view
    mouse(image_view, "press", 200, 150)
    mouse(image_view, "move", 230, 140)
    assert image_view.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    mouse(image_view, "move", 260, 130)
    mouse(image_view, "release", 260, 130)
    assert (scene.view.x, scene.view.y) == (start.x + 60, start.y - 20)
    mouse(image_view, "move", 300, 300)
    assert (scene.view.x, scene.view.y) == (start.x + 60, start.y - 20)
    image_view.fit()
    assert scene.view == start


def test_a_batch_that_does_not_fit_is_scrolled(show, make_run, image_view, wheel, grab):
    run = make_run(batch=900, forward=2, reverse=2)
    scene = show(run, k=2)
    bar = image_view.findChild(QScrollBar)
    assert bar.isVisible() and bar.maximum() == scene.grid.scroll_limit > 0
    wheel(image_view, 100, -120, y=100)
    assert scene.scroll == bar.value() > 0
    image_view.set_sample(899)
    assert bar.value() == bar.maximum()
    painted = grab(image_view)
    x, y, width, height = scene.grid.cell(899, scene.scroll)
    expected = squares(grey(run.trace.array(2, "xt", 899)[0]), scene.grid.scale)
    assert np.array_equal(painted[y : y + height, x : x + width], expected)
    image_view.fit()
    assert bar.value() == 0
    image_view.set_single(True)
    assert not bar.isVisible()


def test_the_eye_stays_where_it_was_between_runs_of_one_shape(show, make_run, image_view, wheel):
    scene = show(make_run(), single=True)
    wheel(image_view, 150, 240, y=100)
    zoomed = scene.view
    image_view.set_trace(make_run().trace)
    assert scene.view == zoomed
    image_view.set_trace(make_run(shape=(1, 9, 9)).trace)
    assert scene.close_up is None


def test_another_size_keeps_a_part_in_view(show, make_run, image_view, mouse):
    scene = show(make_run(), single=True)
    mouse(image_view, "press", 200, 150)
    mouse(image_view, "move", 390, 290)
    image_view.resize(200, 150)
    assert scene.view.x < 200 and scene.view.y < 124


def test_what_it_cannot_show(make_run, image_view):
    assert image_view.problem(make_run().trace) == ""
    points = make_run(modality="points").trace
    assert image_view.problem(points) == "This trace's samples are not pictures: their shape is (2,)."


def test_a_frame_shows_that_the_keyboard_is_here(show, make_run, image_view, grab):
    show(make_run())
    accent = QColor(theme.DARK.lane_a).getRgb()[:3]
    image_view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert tuple(grab(image_view)[0, 200]) != accent
    image_view.clearFocus()
    image_view.setFocus(Qt.FocusReason.TabFocusReason)
    assert tuple(grab(image_view)[0, 200]) == accent
    QApplication.sendEvent(image_view, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.TabFocusReason))
    assert tuple(grab(image_view)[0, 200]) != accent
