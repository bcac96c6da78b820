"""The points view: what is painted lies where the recorded numbers say; what the mouse does."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from scipy import ndimage

from diffstudio.gui.kit import theme
from diffstudio.gui.stage.views.points import axes
from diffstudio.gui.stage.views.points.points_scene import DOTS, EPS_SHARE
from diffstudio.gui.stage.views.points.points_view import NEAR, ZOOM
from diffstudio.gui.stage.views.view import SCORE

SPOTS = np.array([[0.0, 0.0], [1.0, 0.5], [-1.0, 1.2], [0.4, -1.3], [-0.9, -0.7]])


def moving(k, t):
    """Five points that wander to the right, a guess that stands still."""
    return SPOTS + np.array([0.02 * k, 0]), SPOTS[::-1]


@pytest.fixture
def show(points_view):
    """Shows a record as the canvas does, with nothing but the options that are named; returns the scene."""

    def do(run, k=15, tensor="xt", sample=0, single=False, on=()):
        points_view.set_trace(run.trace)
        points_view.set_tensor(tensor)
        points_view.set_sample(sample)
        points_view.set_single(single)
        for name in points_view._scene.options:
            points_view.set_option(name, name in on)
        points_view.show_record(k)
        points_view.repaint()
        return points_view._scene

    return do


@pytest.fixture
def run(make_run):
    return make_run(modality="points", batch=5, values=moving)


@pytest.fixture
def drawn(points_view, pixels):
    """Where the plot differs from the bare plane: (400, 400) bool, without selection and notes."""

    def find():
        scene = points_view._scene
        base = pixels(scene.base(points_view.width(), points_view.height(), points_view.font()))
        changed = (pixels(points_view.picture()) != base).any(-1)
        assert not changed[:, :46].any() and not changed[374 + 30 :].any()  # nothing beside the plot
        return changed[4:404, 46:446]

    return find


def on_plot(at):
    """Widget coordinates of a place in the plot."""
    corner = axes.plot_box(460, 430).topLeft()
    return at[0] + corner.x(), at[1] + corner.y()


def near_lines(starts, ends, within):
    """(400, 400) bool: pixels whose centre is near one of some lines; by distances, pixel by pixel."""
    y, x = np.mgrid[:400, :400] + 0.5
    out = np.zeros((400, 400), bool)
    for a, b in zip(starts, ends, strict=True):
        along = b - a
        share = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(1e-9, along @ along), 0, 1)
        out |= np.hypot(x - a[0] - share * along[0], y - a[1] - share * along[1]) <= within
    return out


# -- what is painted


@pytest.mark.parametrize("tensor", ["xt", "x0_hat"])
def test_a_dot_lies_on_every_point(show, run, drawn, tensor):
    scene = show(run, tensor=tensor)
    labels, many = ndimage.label(drawn())
    assert many == 5
    found = np.array(ndimage.center_of_mass(labels > 0, labels, range(1, 6)))[:, ::-1] + 0.5
    expected = scene.plane.to_screen(run.trace.array(15, tensor))
    for at in expected:
        assert np.hypot(*(found - at).T).min() < 0.4
    area = np.bincount(labels.ravel())[1:]
    assert area == pytest.approx(np.pi * (DOTS[0][1] + 0.5) ** 2, rel=0.25)


def test_the_plane_has_equal_scales_and_holds_both_ends(show, run):
    scene = show(run)
    for k in (0, 10, 11, 21):
        at = scene.plane.to_screen(run.trace.array(k, "xt"))
        assert at.min() > 0 and at.max() < 400
    origin, right, up = scene.plane.to_screen(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    assert origin == pytest.approx([200, 200])
    assert right[0] - origin[0] == pytest.approx(origin[1] - up[1])


def test_where_the_path_grows_points_are_shown_scaled_and_read_out_as_recorded(
    show, make_run, points_view, mouse, values
):
    run = make_run(modality="points", batch=5, path=lambda t: (1.0, 80 * t), values=lambda k, t: (SPOTS * 30, SPOTS))
    scene = show(run, k=13)
    gain = 1 / np.hypot(1, run.trace.scalar(13, "s"))
    assert scene.at == pytest.approx(scene.plane.to_screen(SPOTS * 30 * gain), abs=1e-3)
    mouse(points_view, "move", *on_plot(scene.at[1]))
    assert values(points_view.readout()) == [2, 5, 30, 15]


def test_trails_follow_the_recorded_steps(show, run, drawn):
    scene = show(run, k=21)
    dots = drawn()
    show(run, k=21, on=("trails",))
    added = drawn() & ~dots
    steps = [scene.plane.to_screen(run.trace.array(j, "xt")) for j in range(11, 22)]
    exact = near_lines(np.concatenate(steps[:-1]), np.concatenate(steps[1:]), 1.2)
    assert added.sum() > 5 * 10
    assert not (added & ~exact).any()
    show(run, k=11, on=("trails",))
    assert ndimage.label(drawn())[1] == 5  # a chain's first record has none


def test_the_data_lie_under_the_samples(show, make_run, points_view, pixels):
    run = make_run(modality="points", batch=5, values=moving, labels=(0,) * 5, card={"data": {"dataset": "shapes-2d"}})
    scene = show(run)
    assert points_view.missing("underlay") == ""
    without = pixels(points_view.picture())
    show(run, on=("underlay",))
    changed = (pixels(points_view.picture()) != without).any(-1)[4:404, 46:446]
    (left, bottom), (right, top) = scene.plane.to_screen(np.array([[0.0, 0.0], [1.0, 1.0]]))
    rows, columns = np.nonzero(changed)
    assert left - 2 <= columns.min() and columns.max() <= right + 2
    assert top - 2 <= rows.min() and rows.max() <= bottom + 2
    assert changed[int(top) + 2 : int(bottom) - 2, int(left) + 2 : int(right) - 2].mean() > 0.7
    for x, y in scene.at.round().astype(int):  # a sample hides the data
        assert np.array_equal(pixels(points_view.picture())[y + 4, x + 46], without[y + 4, x + 46])


def test_there_is_no_underlay_without_data(show, run, points_view):
    show(run, on=("underlay",))
    assert "not at hand" in points_view.missing("underlay")


@pytest.mark.parametrize("tensor", ["eps_hat", "delta"])
def test_eps_and_delta_are_lines_from_x_t(show, make_run, drawn, tensor):
    values = {tensor: lambda k, t: (SPOTS + 0.15 * (k == 15) * SPOTS[::-1], SPOTS / 2)}
    run = make_run(modality="points", batch=5, values=values[tensor])
    scene = show(run, tensor="xt")
    dots = drawn()
    show(run, tensor=tensor, on=("trails",))  # lines have no trails
    added = drawn() & ~dots
    xt, x0 = run.trace.array(15, "xt"), run.trace.array(15, "x0_hat")
    if tensor == "eps_hat":
        along = EPS_SHARE * (xt - run.trace.scalar(15, "a") * x0) / run.trace.scalar(15, "s")
    else:
        along = xt - run.trace.array(14, "xt")
    starts, ends = scene.plane.to_screen(xt), scene.plane.to_screen(xt + along)
    assert not (added & ~near_lines(starts, ends, 1.2)).any()
    missing = near_lines(starts, ends, 0.3) & ~drawn()
    assert missing.sum() <= 5


def test_the_split_is_a_line_from_the_free_prediction_to_that_with_the_class(show, make_run, drawn):
    names = ("xt", "x0_hat", "x0_cond", "x0_free")
    fields = tuple({"name": name, "shape": (5, 2)} for name in names)
    run = make_run(modality="points", batch=5, values=moving, fields=fields, path=lambda t: (1.0, 80 * t))
    scene = show(run, k=13, tensor="split")
    free, cond = (scene.plane.to_screen(run.trace.array(13, name)) for name in ("x0_free", "x0_cond"))
    assert scene.at == pytest.approx(free)
    assert np.hypot(*(cond - free).T).min() > 10
    assert (near_lines(free, cond, 0.3) & ~drawn()).sum() <= 5


def test_density_lines_go_round_the_cloud(show, make_run, drawn):
    cloud = np.random.default_rng(0).normal(0, 0.5, (4000, 2))
    run = make_run(forward=2, reverse=3, modality="points", batch=4000, values=lambda k, t: (cloud, cloud))
    scene = show(run, k=3)
    dots = drawn()
    show(run, k=3, on=("density",))
    added = drawn() & ~dots
    y, x = np.mgrid[:400, :400] + 0.5
    radius = np.hypot(x - 200, y - 200) / scene.plane.scale / 0.5
    outer = np.sqrt(-2 * np.log(0.1))  # of the disc that holds nine tenths
    assert added.sum() > 50
    assert (np.abs(radius[added] - outer) < 0.5).mean() > 0.5  # the others lie where the dots are dense
    assert radius[added].max() < outer + 0.8


def test_score_arrows_are_asked_for_and_drawn(show, run, points_view, qtbot, pixels):
    with qtbot.waitSignal(points_view.modelWanted) as asked:
        show(run, on=("arrows",))
    kind, about, [(at, log_snr)] = asked.args
    assert (kind, log_snr) == (SCORE, run.trace.scalar(15, "log_snr"))
    without = pixels(points_view.picture())
    points_view.take_found(SCORE, about, np.full_like(at, 0.5))
    changed = (pixels(points_view.picture()) != without).any(-1)[4:404, 46:446]
    middle = points_view._scene.plane.to_screen(at.astype(float))
    half = 38 * 0.85 / 2 / np.sqrt(2) * np.array([1, -1])
    exact = near_lines(middle - half, middle + half, 7)  # with its head
    assert changed.sum() > 15 * len(at)
    assert not (changed & ~exact).any()
    points_view.set_option("arrows", False)
    assert np.array_equal(pixels(points_view.picture()), without)


def test_one_alone_leaves_the_others_faint(show, run, points_view, pixels):
    scene = show(run)
    both = {}
    for single in (False, True):
        points_view.set_single(single)
        picture = pixels(points_view.picture()).astype(int)
        x, y = scene.at[3].astype(int)
        both[single] = np.abs(picture[y + 4, x + 46] - picture[2, 50]).sum()
    assert both[True] < 0.5 * both[False]


def test_the_selected_point_has_a_ring(show, run, points_view, grab):
    scene = show(run, sample=0)
    before = grab(points_view)
    points_view.set_sample(2)
    changed = (grab(points_view) != before).any(-1)
    y, x = np.mgrid[:430, :460] + 0.5
    near = np.minimum(*(np.hypot(x - on_plot(scene.at[i])[0], y - on_plot(scene.at[i])[1]) for i in (0, 2)))
    assert changed.sum() > 40
    assert near[changed].max() < 10


def test_the_point_under_the_cursor_shows_its_whole_path(show, run, points_view, grab, mouse):
    scene = show(run, k=16)
    before = grab(points_view)
    mouse(points_view, "move", *on_plot(scene.at[3]))
    changed = (grab(points_view) != before).any(-1)[4:404, 46:446]
    path = scene.plane.to_screen(np.stack([run.trace.array(j, "xt", 3) for j in range(11, 22)]))
    ring = np.hypot(*(np.mgrid[:400, :400] + 0.5 - scene.at[3][::-1, None, None])) < 9
    assert not (changed & ~ring & ~near_lines(path[:-1], path[1:], 3.5)).any()
    missing = near_lines(path[:-1], path[1:], 0.4) & ~changed
    assert missing.sum() <= 12  # under the dot itself


def test_not_finite_points_are_counted_and_the_rest_is_drawn(show, make_run, drawn, points_view):
    def broken(k, t):
        at = SPOTS.copy()
        if k == 15:
            at[1], at[3] = (np.nan, 0), (np.inf, np.inf)
        return at, SPOTS

    run = make_run(modality="points", batch=5, values=broken)
    show(run, on=("trails", "density"))
    assert "2 not finite" in points_view.readout()
    show(run)
    assert ndimage.label(drawn())[1] == 3
    for tensor in ("eps_hat", "delta"):
        show(run, tensor=tensor, sample=1)
        points_view.repaint()
        assert "–" in points_view.readout()


def test_notes_say_what_is_not_as_it_seems(show, make_run, points_view, run):
    from diffstudio.gui.stage.views.points import points_words

    def note():
        return points_words.note(points_view._scene, points_view._score.longest)

    show(run)
    assert note() == ""
    show(run, tensor="eps_hat")
    assert note() == "lines from x_t: 0.1 · ε̂"
    show(run, tensor="eps_hat", k=4)
    assert note() == "lines from x_t: 0.1 · ε (true)"
    show(run, tensor="x0_hat", on=("arrows",))
    assert note() == "score arrows are shown with x_t"
    show(make_run(modality="points", path=lambda t: (1.0, 80 * t)), k=11)
    assert note() == f"shown ÷ {np.hypot(1, 80):.2f}"


def test_a_trace_that_was_cut_says_so(show, run, points_view, grab):
    show(run, k=3)
    run.trace.path.write_bytes(run.trace.path.read_bytes()[:1600])
    points_view.show_record(20)
    grab(points_view)
    assert "was cut while it was open" in points_view._scene.problem
    assert points_view.readout() == "point 1 of 5"
    points_view.fit()
    grab(points_view)


# -- the readout and the mouse


@pytest.mark.parametrize("tensor", ["xt", "x0_hat", "eps_hat", "delta"])
def test_the_readout_is_what_is_recorded(show, run, points_view, mouse, values, tensor):
    scene = show(run, tensor=tensor)
    trace = run.trace
    xt, x0 = trace.array(15, "xt"), trace.array(15, "x0_hat")
    eps = (xt - trace.scalar(15, "a") * x0) / trace.scalar(15, "s")
    expected = {
        "xt": [xt], "x0_hat": [x0], "eps_hat": [xt, eps], "delta": [xt, xt - trace.array(14, "xt")]
    }[tensor]  # fmt: skip
    for i in range(5):
        mouse(points_view, "move", *on_plot(scene.at[i] + (3, -4)))
        found = values(points_view.readout().replace("Δ", "").replace("ε̂", ""))
        assert found == pytest.approx([i + 1, 5, *np.concatenate([part[i] for part in expected])], abs=0.00501)


def test_only_a_point_that_is_near_is_meant(show, run, points_view, mouse):
    scene = show(run, sample=4)
    mouse(points_view, "move", *on_plot(scene.at[0] + (NEAR - 0.5, 0)))
    assert points_view.readout().startswith("point 1 of 5")
    mouse(points_view, "move", *on_plot(scene.at[0] + (NEAR + 0.5, 0)))
    assert points_view.readout().startswith("point 5 of 5")
    mouse(points_view, "move", *on_plot(scene.at[0]))
    QApplication.sendEvent(points_view, QEvent(QEvent.Type.Leave))
    assert points_view.readout().startswith("point 5 of 5")


def test_a_point_beside_the_plot_is_not_meant(show, run, points_view, mouse):
    scene = show(run, sample=4)
    x, y = scene.at[0]
    scene.moved = scene.plane.panned(-x - 3, 0)  # the first point is left of the plot now
    scene.changed(True)
    points_view.repaint()
    clicked = []
    points_view.sampleClicked.connect(clicked.append)
    for kind in ("move", "press", "release"):
        mouse(points_view, kind, *on_plot((-3, y)))
    assert points_view.readout().startswith("point 5 of 5")
    assert clicked == []


def test_a_click_selects_and_a_drag_does_not(show, run, points_view, mouse):
    scene = show(run)
    clicked = []
    points_view.sampleClicked.connect(clicked.append)
    at = on_plot(scene.at[2])
    mouse(points_view, "press", *at)
    mouse(points_view, "move", at[0] + 2, at[1])  # a hand is never still
    mouse(points_view, "release", at[0] + 2, at[1])
    assert clicked == [2]
    plane = scene.plane
    mouse(points_view, "press", *at)
    mouse(points_view, "move", at[0] + 30, at[1] - 20)
    assert points_view.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    mouse(points_view, "move", at[0] + 50, at[1] - 40)
    mouse(points_view, "release", at[0] + 50, at[1] - 40)
    assert clicked == [2]
    assert (scene.plane.x, scene.plane.y) == pytest.approx((plane.x + 50, plane.y - 40))
    points_view.fit()
    assert scene.plane == plane


def test_a_double_click_asks_for_one_point_and_back(show, run, points_view, mouse):
    scene = show(run)
    wanted = []
    points_view.singleWanted.connect(wanted.append)
    mouse(points_view, "double", *on_plot(scene.at[1]))
    mouse(points_view, "double", *on_plot((5, 5)))
    points_view.set_single(True)
    mouse(points_view, "double", *on_plot((5, 5)))
    assert wanted == [True, False]


def test_the_wheel_zooms_about_the_cursor(show, run, points_view, wheel, values, mouse):
    scene = show(run)
    fitted, at = scene.plane, (120.0, 310.0)
    x, y = on_plot(at)
    place = fitted.to_world(*at)
    mouse(points_view, "move", x, y)
    for turn in (120, 240, -120):
        wheel(points_view, x, turn, y=y)
        assert scene.plane.to_world(*at) == pytest.approx(place)
    assert scene.plane.scale == pytest.approx(fitted.scale * ZOOM**2)
    assert values(points_view.readout())[-1] == round(100 * ZOOM**2)
    points_view.fit()
    assert scene.plane == fitted
    assert "%" not in points_view.readout()


def test_the_eye_stays_where_it_was_between_runs_of_one_model(show, make_run, points_view, wheel):
    def another(name):
        return make_run(modality="points", batch=5, values=moving, card={"name": name})

    scene = show(another("rings"))
    wheel(points_view, 200, 240)
    zoomed = scene.plane
    points_view.set_trace(another("rings").trace)
    assert scene.plane == zoomed
    points_view.set_trace(another("moons").trace)
    assert scene.moved is None


def test_another_size_keeps_the_middle(show, run, points_view, wheel):
    scene = show(run)
    wheel(points_view, 300, 120)
    middle = scene.plane.to_world(200, 200)
    points_view.resize(560, 330)
    assert scene.plane.to_world(250, 150) == pytest.approx(middle)


def test_a_growing_run_finds_its_bounds(show, make_run, points_view):
    run = make_run(modality="points", batch=5, values=lambda k, t: (SPOTS * (1 + k / 4), SPOTS), records=3)
    scene = show(run, k=2)
    small = scene.plane.scale
    run.append(19)
    points_view.refresh()
    assert scene.plane.scale < small
    points_view.show_record(21)
    points_view.repaint()
    assert scene.at.min() > 0 and scene.at.max() < 400


@pytest.mark.parametrize("size", [(1, 1), (47, 31), (60, 34), (500, 31)])
def test_no_view_is_too_small(show, run, points_view, grab, size):
    points_view.resize(*size)
    show(run, k=20, on=("trails", "underlay", "density"))
    for tensor in ("xt", "delta"):
        points_view.set_tensor(tensor)
        grab(points_view)


def test_what_it_cannot_show(make_run, points_view, run):
    assert points_view.problem(run.trace) == ""
    assert "are not points of the plane: their shape is (1, 8, 8)" in points_view.problem(make_run().trace)


def test_nothing_is_shown_without_a_trace(show, run, points_view, drawn):
    show(run)
    points_view.set_trace(None)
    points_view.repaint()
    assert points_view.readout() == ""
    assert not drawn().any()


def test_a_theme_changes_paper_and_ink(show, run, points_view, grab, colour):
    show(run)
    points_view.apply_theme(theme.LIGHT)
    assert np.array_equal(grab(points_view)[20, 60], colour(theme.LIGHT.bg))
