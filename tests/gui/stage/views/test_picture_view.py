"""Samples that are pictures: contrast, the outline of what was drawn anew, what there was before."""

import numpy as np
import pytest
from PySide6.QtGui import QImage

from diffstudio.data import spoken
from diffstudio.gui.kit import theme
from diffstudio.gui.stage.canvas import Canvas
from diffstudio.gui.stage.views import picture_view
from diffstudio.gui.stage.views.audio.audio_view import AudioView
from diffstudio.gui.stage.views.image.image_view import ImageView
from diffstudio.gui.stage.views.outline import border
from diffstudio.gui.stage.views.raster import frames, raster
from diffstudio.gui.stage.views.video.video_view import VideoView
from diffstudio.studio.masks import recorded


def grey_of(pixels):
    return (pixels & 255).astype(int)


@pytest.fixture
def shown(qtbot):
    """`shown(kind, trace, k)`: a view of it, as the canvas shows it."""

    def make(kind, trace, k=15, size=(400, 326)):
        view = kind(theme.DARK)
        qtbot.addWidget(view)
        view.resize(*size)
        view.set_trace(trace)
        view.show_record(k)
        view.show()
        return view

    return make


@pytest.fixture
def holds(make_run):
    """`holds(states)`: a run of one record, (B, *shape)."""

    def make(states, modality="image", **more):
        states = np.asarray(states, np.float32)
        values = lambda k, t: (states, states)  # noqa: E731
        return make_run(0, 1, modality, len(states), shape=states.shape[1:], values=values, **more).trace

    return make


# -- contrast


def test_each_sample_is_stretched_from_its_least_to_its_greatest_value(make_run):
    trace = make_run(batch=3).trace
    plain, found = (raster(trace, 15, "xt", slice(0, 3), True, stretch=on) for on in (False, True))
    values = trace.array(15, "xt", slice(0, 3))[:, 0]
    assert plain.spans is None
    np.testing.assert_allclose(found.spans, np.stack([values.min((1, 2)), values.max((1, 2))], 1))
    for pixels, sample in zip(grey_of(found.pixels), values, strict=True):
        assert (pixels.min(), pixels.max()) == (0, 255)
        share = (sample - sample.min()) / np.ptp(sample)
        assert np.abs(pixels - share * 255).max() <= 1


def test_what_is_flat_or_not_finite_is_not_stretched(holds):
    states = np.full((2, 1, 4, 4), 0.25)
    states[1, 0, 0] = np.nan, -np.inf, 0.1, 0.2
    found = raster(holds(states), 0, "xt", slice(0, 2), True, stretch=True)
    np.testing.assert_allclose(found.spans, [(-1, 1), (0.1, 0.25)], rtol=1e-6)
    assert (grey_of(found.pixels[0]) == 159).all()
    assert found.pixels[1, 0, 0] == found.pixels[1, 0, 1] == 0xFFFF00FF
    assert grey_of(found.pixels[1])[0, 2] == 0 and grey_of(found.pixels[1])[1, 1] == 255


def test_frames_of_a_clip_have_one_contrast(holds):
    trace = holds(np.linspace(-0.5, 0.5, 3 * 16).reshape(1, 3, 1, 4, 4), "video")
    every = frames(trace, 0, "xt", 0, True, stretch=True)
    assert (grey_of(every.pixels[0]).min(), grey_of(every.pixels[2]).max()) == (0, 255)
    assert grey_of(every.pixels[1]).min() > 60
    for frame in range(3):
        alone = raster(trace, 0, "xt", 0, True, frame, stretch=True)
        np.testing.assert_array_equal(alone.pixels[0], every.pixels[frame])


def test_differences_and_latents_are_never_stretched(make_run, shown):
    trace = make_run(batch=2).trace
    assert raster(trace, 15, "eps_hat", 0, True, stretch=True).spans is None
    view = shown(ImageView, trace)
    view.set_option("stretch", True)
    view.set_trace(make_run(batch=2, shape=(4, 6, 5), card={"decoded": [1, 12, 10]}).trace)
    assert "stretch" not in view.options and not view._scene.stretch
    view.set_trace(trace)
    assert view._scene.stretch, "it comes back with what can be stretched"


def test_colours_are_stretched_together_and_have_no_grey_legend(holds, shown):
    states = np.zeros((1, 3, 4, 4))
    states[0, 0], states[0, 2] = 0.5, -0.5
    view = shown(ImageView, holds(states), k=0)
    view.set_option("stretch", True)
    view._scene.compose()
    assert view._scene.raster.pixels[0, 0, 0] == 0xFFFF8000
    assert view._scales() == [] and "lowest" in view._note()


def test_the_legend_says_what_black_and_white_stand_for(make_run, shown):
    view = shown(ImageView, make_run(batch=3).trace)

    def said():
        view._scene.compose()
        return [(scale.title, scale.low, scale.high) for scale in view._scales()], view._note()

    assert said() == ([("", "−1", "+1")], "")
    view.set_option("stretch", True)
    note = "each sample from its own lowest value to its highest"
    assert said() == ([("", "its lowest", "its highest")], note)
    view.set_single(True)
    values = view._scene.trace.array(15, "xt", 0)
    low, high = (f"{v:.2f}".replace("-", "−") for v in (values.min(), values.max()))
    assert said() == ([("", low, high)], note)
    view.set_tensor("eps_hat")
    assert said() == ([("", "−3.00", "3.00")], "")


def test_of_a_scaled_state_the_legend_says_the_recorded_values(make_run, shown):
    view = shown(ImageView, make_run(path=lambda t: (1.0, 80 * t)).trace, k=5)
    view.set_option("stretch", True)
    view.set_single(True)
    view._scene.compose()
    values = view._scene.trace.array(5, "xt", 0)
    assert [scale.high for scale in view._scales()] == [f"{values.max():.2f}"]


def test_clips_and_their_frames_below_are_stretched_together(holds, shown):
    view = shown(VideoView, holds(np.linspace(-0.5, 0.5, 2 * 3 * 16).reshape(2, 3, 1, 4, 4), "video"), k=0)
    assert view.options == ("stretch",)
    before = view.strip._pixels.copy()
    view.set_option("stretch", True)
    assert (view.strip._pixels != before).any()
    assert grey_of(view.strip._pixels).min() == 0 and grey_of(view.strip._pixels).max() == 255
    view.set_sample(1)
    assert grey_of(view.strip._pixels).max() == 255


def test_black_and_white_of_a_spectrogram_are_silence_and_the_loudest(holds, shown):
    card = {"audio": spoken.SPEC.model_dump()}
    view = shown(AudioView, holds(np.linspace(-0.9, 0.4, 2048).reshape(1, 1, 64, 32), "audio", card=card), k=0)
    view._scene.compose()
    [scale] = view._scales()
    assert (scale.title, scale.low) == ("level", "silence") and scale.high.endswith(" dB")
    view.set_option("stretch", True)
    view._scene.compose()
    assert view._scene.raster.spans is not None


# -- the outline


def test_the_border_runs_along_the_edges_of_the_region():
    inside = np.zeros((4, 5), bool)
    inside[1:3, 2:] = True
    path = border(inside)
    lines = []
    for i in range(0, path.elementCount(), 2):
        a, b = path.elementAt(i), path.elementAt(i + 1)
        lines.append(tuple(round(v, 6) for v in (a.x, a.y, b.x, b.y)))
    assert sorted(lines) == sorted(
        [(0.4, 0.25, 1, 0.25), (0.4, 0.75, 1, 0.75), (0.4, 0.25, 0.4, 0.75), (1, 0.25, 1, 0.75)]
    )


def test_the_border_of_two_parts_of_a_row_is_two_lines():
    path = border(np.array([[1, 0, 1]], bool))
    assert path.elementCount() // 2 == 4 + 4


def test_a_mask_is_outlined_where_it_lies(make_run, shown, grab, monkeypatch):
    inside = np.zeros((7, 5), bool)
    inside[2:5, 1:3] = True
    asked = []
    monkeypatch.setattr(picture_view, "drawn_anew", lambda trace, sample=0: asked.append(sample) or inside)
    view = shown(ImageView, make_run(batch=4, shape=(1, 7, 5)).trace)
    assert view.options == ("stretch", "outline")
    with_it = grab(view)
    view.set_option("outline", False)
    without = grab(view)
    changed = (with_it[:300] != without[:300]).any(-1)
    for sample in range(4):
        box = view._scene.box(sample)
        pixel = box.width() / 5
        region = box.adjusted(pixel, 2 * pixel, -2 * pixel, -2 * pixel)
        top, bottom, left, right = (round(v) for v in (region.top(), region.bottom(), region.left(), region.right()))
        for line in (changed[top - 2 : top + 2], changed[bottom - 2 : bottom + 2]):
            assert line[:, left : right + 1].any(0).mean() > 0.9
        for line in (changed[:, left - 2 : left + 2], changed[:, right - 2 : right + 2]):
            assert line[top : bottom + 1].any(1).mean() > 0.9
        assert not changed[top + 4 : bottom - 4, left + 4 : right - 4].any(), "inside nothing covers the sample"
        changed[top - 3 : bottom + 4, left - 3 : right + 4] = False
    assert not changed.any()
    assert set(asked) == {0, 1, 2, 3}
    assert view.picture() == copied_without(view), "a copied picture has no notes in it"


def copied_without(view):
    view.set_option("outline", False)
    out = QImage(view.picture())
    view.set_option("outline", True)
    return out


def test_the_outline_of_a_clip_is_that_of_its_frame(holds, shown, grab, monkeypatch):
    side_by_side = np.zeros((4, 3 * 5 - 1), bool)
    side_by_side[1:3, 5:7] = True  # of the second frame alone
    monkeypatch.setattr(picture_view, "drawn_anew", lambda trace, sample=0: side_by_side)
    view = shown(VideoView, holds(np.zeros((1, 3, 1, 4, 4)), "video"), k=0)
    counts = []
    for frame in range(3):
        view.clock.move_to(frame)
        grab(view)
        found = view.images._borders.get(0)
        counts.append(0 if found is None else found.elementCount())
    assert counts == [0, 8, 0]


def test_a_run_whose_mask_is_recorded_has_an_outline_and_others_do_not(make_run, shown):
    anew = np.zeros((1, 7, 5), np.float32)
    anew[:, 3:, 2] = 1
    run = make_run(shape=(1, 7, 5), mask=recorded(anew), request={"mask": "gone.png"})
    assert "outline" in shown(ImageView, run.trace).options
    assert "outline" not in shown(ImageView, make_run().trace).options


# -- before


def test_before_is_what_the_run_started_from_at_every_step(make_run, shown, playhead, qtbot):
    trace = make_run(batch=2, request={"source": "data"}).trace
    view = shown(ImageView, trace)
    assert "before" in view.options
    view.set_tensor("x0_hat")
    after = view.shown_now
    view.set_option("before", True)
    assert view.shown_now == (0, "xt") and "what the run started from" in compose(view)
    view.show_record(12)
    view.set_tensor("eps_hat")
    assert view.shown_now == (0, "xt")
    view.set_option("before", False)
    assert view.shown_now == (12, "eps_hat") and after == (15, "x0_hat")


def compose(view):
    view._scene.compose()
    return view._note()


def test_a_run_from_noise_has_no_before(make_run, shown):
    assert "before" not in shown(ImageView, make_run().trace).options


def test_before_ends_with_the_run_that_it_was_asked_of(make_run, playhead, qtbot):
    canvas = Canvas(playhead, theme.DARK)
    qtbot.addWidget(canvas)
    canvas.set_trace(make_run(request={"source": "data"}).trace)
    assert "before" in canvas.offered()
    canvas.set_option("before", True)
    canvas.set_option("stretch", True)
    canvas.set_trace(make_run(request={"source": "data"}).trace)
    assert not canvas.option("before") and canvas.option("stretch")
