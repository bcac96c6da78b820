"""The canvas: what it shows of which trace, and what it keeps from one to the next."""

import itertools
import json

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from diffstudio.analysis.fields import TENSORS
from diffstudio.gui.kit import theme
from diffstudio.gui.kit.actions import ACTIONS
from diffstudio.gui.stage.canvas import Canvas
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.options import OPTIONS
from diffstudio.gui.stage.views.points.points_view import PointsView
from diffstudio.gui.stage.views.view import SCORE


@pytest.fixture
def canvas(qtbot, playhead):
    theme.apply(QApplication.instance(), theme.DARK)
    made = Canvas(playhead, theme.DARK)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    return made


@pytest.fixture
def show(canvas, playhead):
    """Shows a run as the main window does; returns the view."""

    def do(run):
        canvas.set_trace(run.trace)
        playhead.reset(len(run.trace))
        return canvas._view

    return do


@pytest.fixture
def button(canvas):
    """The header's button with that name for screen readers."""

    def find(name):
        (found,) = [b for b in canvas.header.findChildren(QPushButton) if b.accessibleName() == name]
        return found

    return find


def seen(canvas):
    """What the canvas paints below its header."""
    canvas.repaint()
    return canvas._stack.currentWidget()


# -- which view


def test_each_modality_has_its_view(show, make_run, canvas):
    assert isinstance(show(make_run()), ImageView)
    assert isinstance(seen(canvas), ImageView) and canvas.header.isVisible()
    assert isinstance(show(make_run(modality="points")), PointsView)
    assert isinstance(seen(canvas), PointsView)


def test_views_are_made_once_and_let_go_of_what_they_do_not_show(show, make_run):
    image, points = make_run(), make_run(modality="points")
    first = show(image)
    show(points)
    assert first._scene.trace is None
    assert show(image) is first


def test_the_empty_page_says_what_to_do(show, make_run, canvas, grab):
    canvas.show_empty("Press Enter")
    assert seen(canvas) is canvas.empty
    assert canvas.empty.text == canvas.empty.accessibleName() == "Press Enter"
    assert not canvas.header.isVisible() and canvas.readout() == "" and canvas.picture().isNull()
    written = grab(canvas)
    canvas.show_empty("")
    assert (grab(canvas) != written).any()
    show(make_run())
    canvas.set_trace(None)
    assert seen(canvas) is canvas.empty


@pytest.mark.parametrize(
    ("modality", "shape", "says"),
    [
        ("smell", (4096,), "There is no view for traces of smell yet."),
        ("points", (3,), "This trace's samples are not points of the plane: their shape is (3,)."),
        ("image", (28, 28), "This trace's samples are not pictures: their shape is (28, 28)."),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(show, make_run, canvas, modality, shape, says):
    show(make_run())
    assert show(make_run(2, 2, modality, shape=shape)) is None
    assert seen(canvas) is canvas.empty
    assert canvas.empty.text == says
    canvas.flip()
    canvas.toggle_single()
    canvas.set_sample(1)
    assert show(make_run()) is not None


# -- the playhead


def test_it_follows_the_playhead(show, make_run, playhead):
    view = show(make_run())
    for k in (21, 3, 11, 0):
        playhead.move_to(k)
        assert view._scene.k == k


def test_a_record_that_does_not_exist_leaves_what_is_shown(show, make_run, canvas):
    view = show(make_run(records=5))
    for k in (5, -1, 99):
        canvas.show_step(k)
        assert view._scene.k == 4


def test_a_live_run_is_followed(show, make_run, canvas, playhead):
    run = make_run(records=1)
    view = show(run)
    for k in range(1, 22):
        run.append()
        playhead.grow(len(run.trace))
        canvas.refresh()
        assert view._scene.k == k


def test_titles_are_true_of_the_chain_at_the_playhead(show, make_run, playhead, button):
    show(make_run())
    titles = [button(f"Show {name}") for name in ("x_t", "x̂0", "ε̂", "Δ")]
    playhead.move_to(4)
    assert [b.text() for b in titles] == ["x_t", "x_0 (true)", "ε (true)", "Δ"]
    widths = [b.width() for b in titles]
    playhead.move_to(14)
    assert [b.text() for b in titles] == ["x_t", "x̂0", "ε̂", "Δ"]
    assert [b.width() for b in titles] == widths


# -- tensor, sample, single, options


def test_tensors_are_switched(show, make_run, canvas, qtbot, button, grab):
    view = show(make_run())
    changes, pictures = [], []
    canvas.tensorChanged.connect(changes.append)
    for title in ("x̂0", "ε̂", "Δ", "x_t"):
        qtbot.mouseClick(button(f"Show {title}"), Qt.MouseButton.LeftButton)
        assert canvas.tensor == view._scene.tensor == changes[-1]
        assert button(f"Show {title}").isChecked()
        pictures.append(grab(view))
    assert changes == ["x0_hat", "eps_hat", "delta", "xt"]
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))
    canvas.set_tensor("xt")
    assert len(changes) == 4
    with pytest.raises(ValueError, match="no tensor 'x': choose one of xt, "):
        canvas.set_tensor("x")


def test_flip_goes_to_and_fro(show, make_run, canvas):
    show(make_run())
    seen = []
    canvas.tensorChanged.connect(seen.append)
    canvas.flip()
    canvas.flip()
    canvas.set_tensor("delta")
    canvas.flip()
    assert seen == ["x0_hat", "xt", "delta", "xt"]


def test_only_what_the_trace_holds_is_offered(show, make_run, canvas, button):
    canvas.set_tensor("x0_hat")
    show(make_run(fields=({"name": "xt", "shape": (3, 1, 8, 8)},)))
    assert canvas.tensor == "xt"
    offered = [name for name in ("x_t", "x̂0", "ε̂", "Δ") if button(f"Show {name}").isEnabled()]
    assert offered == ["x_t", "Δ"]
    assert button("Show ε̂").toolTip() == "This trace does not hold what it takes."
    show(make_run())
    assert button("Show ε̂").isEnabled()
    assert "The noise that the model sees" in button("Show ε̂").toolTip()


HALVES = ("x0_cond", "x0_free", "split")


def with_halves(batch=3, shape=(1, 8, 8)):
    return tuple({"name": name, "shape": (batch, *shape)} for name in ("xt", "x0_hat", "x0_cond", "x0_free"))


@pytest.mark.parametrize("modality", ["image", "points"])
def test_the_halves_of_guidance_are_shown_where_the_trace_holds_them(show, make_run, canvas, button, modality, grab):
    titles = {"x0_cond": "Show x̂0 class", "x0_free": "Show x̂0 free", "split": "Show class − free"}
    shape = (2,) if modality == "points" else (1, 8, 8)
    show(make_run(modality=modality))
    assert not any(button(title).isVisible() for title in titles.values())
    view = show(make_run(modality=modality, fields=with_halves(shape=shape)))
    canvas.set_tensor("xt")
    pictures = [grab(view)]
    for name, title in titles.items():
        assert button(title).isVisible() and button(title).isEnabled()
        button(title).click()
        assert canvas.tensor == view._scene.tensor == name
        pictures.append(grab(view))
    assert all((a != b).any() for a, b in itertools.combinations(pictures, 2))


def test_a_trace_without_the_halves_falls_back(show, make_run, canvas, button):
    canvas.restore({"tensor": "split"})
    view = show(make_run())
    assert canvas.tensor == view._scene.tensor == "xt" and button("Show x_t").isChecked()
    canvas.set_tensor("split")  # by a script or a key: not there, nothing changes
    assert canvas.tensor == "xt" and button("Show x_t").isChecked()
    show(make_run(fields=with_halves()))
    canvas.set_tensor("split")
    seen = []
    canvas.tensorChanged.connect(seen.append)
    show(make_run())
    assert (canvas.tensor, seen) == ("xt", ["xt"])


def test_a_click_selects_a_sample_and_keys_the_next(show, make_run, canvas, mouse, qtbot):
    view = show(make_run(batch=5))
    selected = []
    canvas.sampleChanged.connect(selected.append)
    x, y, width, height = view._scene.grid.cell(3)
    mouse(view, "press", x + width / 2, y + height / 2)
    mouse(view, "release", x + width / 2, y + height / 2)
    assert canvas.sample == view._scene.sample == 3
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    for _ in range(6):
        qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert selected == [3, 4, 3, 2, 1, 0]


def test_a_sample_stays_within_the_batch(show, make_run, canvas):
    show(make_run(batch=5))
    canvas.set_sample(99)
    assert canvas.sample == 4
    selected = []
    canvas.sampleChanged.connect(selected.append)
    view = show(make_run(batch=2))
    assert (canvas.sample, view._scene.sample, selected) == (1, 1, [1])  # the film strip learns of it


@pytest.mark.parametrize("modality", ["image", "points"])
def test_enter_and_a_double_click_show_one_alone(show, make_run, canvas, mouse, qtbot, modality, button):
    view = show(make_run(modality=modality))
    changes = []
    canvas.singleChanged.connect(changes.append)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert canvas.single and view._scene.single
    assert button("Show one sample alone").text() == "Single"
    mouse(view, "double", view.width() / 2, view.height() / 2)
    assert not view._scene.single
    assert button("Show one sample alone").text() == {"image": "Grid", "points": "All"}[modality]
    qtbot.mouseClick(button("Show one sample alone"), Qt.MouseButton.LeftButton)
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)  # that is Generate
    assert changes == [True, False, True]


def test_points_have_options_and_images_do_not(show, make_run, canvas, qtbot, button):
    names = {
        "trails": "Trails",
        "underlay": "Data underlay",
        "arrows": "Score arrows",
        "density": "Density",
        "log_p": "log p",
    }
    view = show(make_run(modality="points", card={"data": {"dataset": "shapes-2d"}}))
    changes = []
    canvas.optionChanged.connect(lambda name, on: changes.append((name, on)))
    for name, title in names.items():
        assert button(title).isVisible() and button(title).isChecked() == OPTIONS[name]
        qtbot.mouseClick(button(title), Qt.MouseButton.LeftButton)
        assert canvas.option(name) == view.option(name) == (not OPTIONS[name])
    assert changes == [(name, not OPTIONS[name]) for name in names]
    show(make_run())
    assert not any(button(title).isVisible() for title in names.values())
    canvas.set_option("density", False)  # by its key, while images are shown
    assert not show(make_run(modality="points")).option("density")
    with pytest.raises(KeyError):
        canvas.set_option("colour", True)


def test_an_underlay_that_is_not_there_says_why(show, make_run, button):
    show(make_run(modality="points"))
    assert not button("Data underlay").isEnabled()
    assert "not at hand" in button("Data underlay").toolTip()
    show(make_run(modality="points", card={"data": {"dataset": "shapes-2d"}}))
    assert button("Data underlay").isEnabled()


def test_everything_is_kept_from_one_trace_to_the_next(show, make_run, canvas):
    canvas.set_tensor("eps_hat")
    canvas.set_option("trails", False)
    canvas.toggle_single()
    for modality in ("image", "points", "image"):
        view = show(make_run(modality=modality))
        assert (view._scene.tensor, view._scene.single) == ("eps_hat", True)
        if modality == "points":
            assert not view.option("trails")


@pytest.mark.parametrize("modality", ["image", "points"])
def test_zoom_is_kept_between_runs_of_one_model(show, make_run, canvas, wheel, modality):
    canvas.toggle_single()
    view = show(make_run(modality=modality, card={"name": "one"}))
    wheel(view, 200, 240, y=100)
    zoom = view._scene.zoom
    assert zoom > 1
    show(make_run(modality=modality, card={"name": "one"}))
    assert view._scene.zoom == pytest.approx(zoom, rel=0.2)
    canvas.fit()
    assert view._scene.zoom < zoom


# -- scores


def test_scores_are_asked_for_and_stale_ones_dropped(show, make_run, canvas, playhead, qtbot):
    view = show(make_run(modality="points"))
    canvas.set_option("arrows", True)
    with qtbot.waitSignal(canvas.modelWanted) as asked:
        playhead.move_to(15)
    kind, about, [(at, _)] = asked.args
    assert kind == SCORE
    playhead.move_to(16)
    canvas.take_found(SCORE, about, np.ones_like(at))
    assert view._score.longest is None
    with qtbot.waitSignal(canvas.modelWanted) as asked:
        playhead.move_to(15)
    canvas.take_found(SCORE, asked.args[1], np.ones_like(at))
    assert view._score.longest == pytest.approx(np.sqrt(2))
    show(make_run())
    canvas.take_found(SCORE, about, np.ones_like(at))  # images have none


# -- state


def test_state_is_json_and_comes_back(canvas, playhead, qtbot):
    canvas.set_tensor("delta")
    canvas.toggle_single()
    canvas.set_option("density", True)
    other = Canvas(playhead, theme.LIGHT)
    qtbot.addWidget(other)
    other.restore(json.loads(json.dumps(canvas.state())))
    assert (other.tensor, other.single, other.option("density"), other.option("trails")) == ("delta", True, True, True)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"tensor": "x", "single": 1, "options": []},
        {"tensor": [], "single": None, "options": {"trails": "no", "x": True}},
    ],
)
def test_bad_states_change_nothing(canvas, bad):
    before = canvas.state()
    canvas.restore(bad)
    assert canvas.state() == before


# -- around it


def test_the_readout_is_in_the_header(show, make_run, canvas, mouse, qtbot):
    view = show(make_run(batch=4))
    x, y, width, height = view._scene.grid.cell(2)
    mouse(view, "move", x + width / 2, y + height / 2)
    assert canvas.header.readout.text == canvas.readout() == view.readout()
    assert canvas.readout().startswith("sample 3 of 4 · (4, 4) = ")
    canvas.header.readout.repaint()
    assert canvas.header.readout.accessibleName() == canvas.readout()


def test_a_quiet_word_while_something_is_under_way(show, make_run, canvas):
    show(make_run())
    canvas.set_busy("Loading the model…")
    assert canvas._busy.isVisible() and canvas._busy.text() == "Loading the model…"
    canvas.resize(900, 500)
    assert canvas._busy.geometry().center().x() == pytest.approx(450, abs=1)
    assert canvas._busy.y() > canvas.header.height()
    canvas.set_busy(None)
    assert not canvas._busy.isVisible()


def test_a_theme_reaches_every_view(show, make_run, canvas, grab, colour):
    canvas.apply_theme(theme.LIGHT)
    assert np.array_equal(grab(canvas.empty)[2, 2], colour(theme.LIGHT.bg))
    image = show(make_run())  # made after the change
    points = show(make_run(modality="points"))
    canvas.apply_theme(theme.DARK)
    assert {view._scene.tokens for view in (image, points)} == {theme.DARK}
    assert np.array_equal(grab(points)[20, 60], colour(theme.DARK.bg))


def test_the_clipboard_gets_what_is_shown(show, make_run, canvas):
    for modality in ("image", "points"):
        view = show(make_run(modality=modality))
        assert canvas.picture() == view.picture()
        assert not canvas.picture().isNull()


def test_every_tensor_has_a_button():
    from diffstudio.gui.stage.header import tensor_titles

    assert set(TENSORS) == set(tensor_titles())
    assert all(f"tensor_{name}" in ACTIONS for name in TENSORS)
