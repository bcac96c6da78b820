"""The density map: when it asks, what it keeps, and that it lies where the density is."""

import numpy as np
import pytest

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.points import heat
from diffstudio.gui.stage.views.points.density_map import DECIDING, PAUSE_MS, subject
from diffstudio.gui.stage.views.view import DENSITY
from diffstudio.studio.request.request import Request


def log_p(points):
    """A Gaussian of width 0.3 about (1, 0.5)."""
    return -(((points - (1.0, 0.5)) ** 2).sum(1)) / 2 / 0.3**2 - np.log(2 * np.pi * 0.3**2)


@pytest.fixture
def shown(points_view, make_run):
    def do(**header):
        run = make_run(
            modality="points", batch=5, values=lambda k, t: (np.full((5, 2), -1.5), np.ones((5, 2))), **header
        )
        points_view.set_trace(run.trace)
        points_view.set_option("log_p", True)
        points_view.set_option("trails", False)
        points_view.show_record(15)
        return points_view

    return do


@pytest.fixture
def answered(shown, qtbot):
    """Answers every question, or the first `questions`; what was asked."""

    def do(view, questions=3):
        asked = []
        for _ in range(questions):
            with qtbot.waitSignal(view.modelWanted) as signal:
                pass
            kind, about, wanted = signal.args
            assert kind == DENSITY
            asked.append((about, wanted))
            for indices, at in wanted:
                view.take_found(DENSITY, about, (indices, log_p(at)))
        return asked

    return do


def test_colours_are_even_to_the_eye_and_begin_with_the_paper(colour):
    for tokens in (theme.DARK, theme.LIGHT):
        table = heat.colours(tokens.dark)
        assert np.array_equal(table[0], colour(tokens.bg))
        apart = np.hypot.reduce(np.diff(heat.to_oklab(table[::15] / 255.0), axis=0), axis=1)
        assert apart.max() < 1.25 * apart.min()  # 8 bits of a dark colour are coarse
        light = heat.to_oklab(table / 255.0)[:, 0]
        assert (np.diff(light[::8]) > 0).all() == tokens.dark


def test_what_decides_is_named_as_the_request_names_it(make_run):
    assert set(DECIDING) <= set(Request.model_fields)
    one = make_run(modality="points", request={"model": "a", "label": 1, "seed": 1})
    same = make_run(modality="points", request={"model": "a", "label": 1, "seed": 2})
    other = make_run(modality="points", request={"model": "a", "label": 2, "seed": 1})
    assert subject(one.trace) == subject(same.trace) != subject(other.trace)


def test_the_map_is_highest_where_the_density_is(shown, answered, pixels):
    view = shown()
    before = pixels(view.picture()).astype(int)
    answered(view)
    assert view.density.note == ""
    assert view.density.highest == pytest.approx(-np.log(2 * np.pi * 0.3**2), abs=0.02)
    changed = np.abs(pixels(view.picture()).astype(int) - before).sum(-1)[4:370, 46:446]
    y, x = np.unravel_index(changed[:340].argmax(), changed[:340].shape)
    assert view._scene.plane.to_world(x, y) == pytest.approx((1, 0.5), abs=0.15)
    far = view._scene.plane.to_screen(np.array([[-1.0, -1.0]]))[0].astype(int)
    assert changed[far[1], far[0]] == 0
    view.set_option("log_p", False)
    assert np.array_equal(pixels(view.picture()), before)


def test_each_stride_is_asked_for_once_and_the_first_shows_something(shown, answered):
    view = shown()
    (((about, stride), wanted),) = answered(view, questions=1)
    assert stride == 4 and view.density.highest is not None
    assert view.density.note.startswith("log p: ")
    view.refresh()
    rest = answered(view, questions=2)
    assert [about for (about, _), _ in rest] == [about] * 2
    assert [stride for (_, stride), _ in rest] == [2, 1]
    indices = np.concatenate([part for _, parts in [(None, wanted), *rest] for part, _ in parts])
    assert len(indices) == len(set(indices.tolist()))
    assert view.density.note == ""


def test_what_is_far_below_is_interpolated_and_said_to_be(shown, answered, mouse):
    view = shown()
    asked = answered(view)
    on = asked[0][0][0][1]
    assert sum(len(part) for _, parts in asked for part, _ in parts) < 0.9 * on.columns * on.rows
    assert not view.density.is_interpolated(1.0, 0.5)
    known = {int(i) for _, parts in asked for part, _ in parts for i in part}
    nearby = on.points(np.arange(on.columns * on.rows))
    far = next(i for i, (x, y) in enumerate(nearby) if -1 < x < 0 and y > 1 and i not in known)
    (place,) = view._scene.plane.to_screen(nearby[[far]].astype(float))
    mouse(view, "move", place[0] + 46, place[1] + 4)
    assert view.readout().startswith("log p ≈ −")


def test_a_map_is_kept(shown, answered, qtbot):
    view = shown()
    answered(view)
    asked = []
    view.modelWanted.connect(lambda *a: asked.append(a))
    view.show_record(16)
    view.set_option("log_p", False)
    view.set_option("log_p", True)
    shown(request={"seed": 3})  # another run of the same model
    qtbot.wait(2 * PAUSE_MS)
    assert asked == [] and view.density.highest is not None
    shown(request={"label": 2})
    assert view.density.highest is None
    qtbot.wait(2 * PAUSE_MS)
    assert len(asked) == 1


def test_the_readout_says_what_is_under_the_cursor(shown, answered, mouse, values):
    view = shown()
    answered(view)
    x, y = view._scene.plane.to_screen(np.array([[1.0, 0.2]]))[0]
    mouse(view, "move", x + 46, y + 4)
    assert view.readout().startswith("log p ")
    found = values(view.readout())
    assert found[0] == pytest.approx(log_p(np.array([[1.0, 0.2]]))[0], abs=0.05)
    assert found[1:] == pytest.approx([1.0, 0.2], abs=0.02)


def test_what_is_not_possible_is_a_sentence_until_it_is_asked_anew(shown, qtbot):
    view = shown()
    with qtbot.waitSignal(view.modelWanted) as asked:
        pass
    view.take_problem(*asked.args[:2], "the model is gone")
    assert view.density.note == "no log p: the model is gone"
    view.set_option("log_p", False)
    with qtbot.waitSignal(view.modelWanted):
        view.set_option("log_p", True)
