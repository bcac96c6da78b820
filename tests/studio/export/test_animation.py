"""Animated pictures, read back with another decoder's eyes: number of pictures, times, loop, pixels."""

import numpy as np
import pytest
from PIL import Image

from diffstudio.studio.export import pictures
from diffstudio.studio.export.animation import durations
from diffstudio.studio.export.write import ExportOptions, export

FORMATS = ("a.gif", "a.webp", "a.apng", "a.png")


def play(path):
    """[(pixels, milliseconds)] and how often it loops (None: no loop is stored)."""
    with Image.open(path) as picture:
        shown = []
        for k in range(getattr(picture, "n_frames", 1)):
            picture.seek(k)
            picture.load()
            shown.append((np.asarray(picture.convert("RGB")).astype(int), round(picture.info.get("duration", 0))))
        return shown, picture.info.get("loop")


@pytest.mark.parametrize("name", FORMATS)
def test_every_step_is_there_for_its_time_with_its_pixels(both, tmp_path, name):
    export(both, tmp_path / name, ExportOptions("animation", chain="both", scale=3, fps=10, hold_seconds=1))
    shown, loop = play(tmp_path / name)
    assert len(shown) == 10
    assert [time for _, time in shown] == [100] * 9 + [1100]
    assert loop == 0
    for k, (found, _) in enumerate(shown):
        wanted = pictures.picture(both, k, "xt", None, 3, pictures.DARK).astype(int)
        paper = (wanted == pictures.DARK.paper).all(-1)
        assert (found[~paper] == wanted[~paper]).all()  # GIF too: its palette holds every grey
        assert np.abs(found - wanted).max() <= 4  # the paper's tinge is all that GIF changes


@pytest.mark.parametrize("name", FORMATS)
def test_equal_pictures_keep_the_time(make_trace, tmp_path, name):
    states = np.zeros((6, 1, 1, 3, 3), np.float32)
    states[3:] = 1
    export(make_trace(states), tmp_path / name, ExportOptions("animation", fps=20, hold_seconds=0.5))
    shown, _ = play(tmp_path / name)
    assert sum(time for _, time in shown) == 6 * 50 + 500
    assert (shown[0][0] == 128).all()
    assert (shown[-1][0] == 255).all()


@pytest.mark.parametrize(("loop", "stored"), [(0, 0), (1, None), (3, 2)])
def test_a_gif_plays_as_often_as_asked(both, tmp_path, loop, stored):
    # A GIF's number counts the repetitions after the first time; without one it plays once.
    export(both, tmp_path / "a.gif", ExportOptions("animation", loop=loop))
    assert play(tmp_path / "a.gif")[1] == stored


@pytest.mark.parametrize("name", ["a.webp", "a.apng"])
def test_the_others_count_the_times_themselves(both, tmp_path, name):
    export(both, tmp_path / name, ExportOptions("animation", loop=3))
    assert play(tmp_path / name)[1] == 3


@pytest.mark.parametrize("name", FORMATS)
def test_one_step_is_an_animation_too(both, tmp_path, name):
    export(both, tmp_path / name, ExportOptions("animation", first=9, scale=2))
    shown, _ = play(tmp_path / name)
    assert len(shown) == 1


@pytest.mark.parametrize("fps", [3, 7, 10, 24, 30, 50])
@pytest.mark.parametrize("tick", [1, 10])
def test_the_pace_is_kept_on_average(fps, tick):
    times = durations(100, ExportOptions(fps=fps, hold_seconds=0), tick)
    assert all(time % tick == 0 and abs(time - 1000 / fps) <= tick for time in times)
    assert abs(sum(times) - 100_000 / fps) <= tick


@pytest.mark.parametrize("dark", [True, False])
def test_a_gif_of_the_change_has_the_colours_of_the_map(both, tmp_path, dark):
    export(both, tmp_path / "a.gif", ExportOptions("animation", tensor="delta", dark=dark, scale=2))
    look = pictures.DARK if dark else pictures.LIGHT
    for k, (found, _) in zip(range(5, 10), play(tmp_path / "a.gif")[0], strict=True):
        wanted = pictures.picture(both, k, "delta", None, 2, look).astype(int)
        assert np.abs(found - wanted).max() <= 6
        assert (found == wanted).all(-1).mean() > 0.95


def test_what_is_not_finite_stays_magenta_in_a_gif(make_trace, tmp_path):
    states = np.random.default_rng(3).uniform(-1, 1, (3, 1, 1, 16, 16)).astype(np.float32)
    states[1, 0, 0, 4, 7] = np.nan
    export(make_trace(states), tmp_path / "a.gif", ExportOptions("animation", sample=0, scale=1))
    magenta = [(found == (255, 0, 255)).all(-1) for found, _ in play(tmp_path / "a.gif")[0]]
    assert [m.sum() for m in magenta] == [0, 1, 0]
    assert magenta[1][4, 7]


def test_a_colour_gif_is_close_to_the_colours(make_trace, tmp_path):
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    states = np.stack([np.stack([np.stack([x, y, np.full_like(x, u)])]) for u in np.linspace(-1, 1, 5)])
    trace = make_trace(states.astype(np.float32))
    export(trace, tmp_path / "a.gif", ExportOptions("animation", scale=1))
    export(trace, tmp_path / "a.webp", ExportOptions("animation", scale=1))
    pairs = zip(play(tmp_path / "a.gif")[0], play(tmp_path / "a.webp")[0], strict=True)
    for (gif, _), (exact, _) in pairs:  # dithered: near by is right on average
        error = (gif - exact).reshape(8, 8, 8, 8, 3).mean((1, 3))
        assert np.abs(error).mean() < 2


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("dark", [True, False])
def test_clouds_keep_their_colours(cloud, tmp_path, name, dark):
    export(cloud, tmp_path / name, ExportOptions("animation", scale=1, dark=dark))
    look = pictures.DARK if dark else pictures.LIGHT
    for k, (found, _) in zip(range(4, 8), play(tmp_path / name)[0], strict=True):
        wanted = pictures.picture(cloud, k, "xt", None, 1, look).astype(int)
        assert np.abs(found - wanted).max() <= (2 if name == "a.gif" else 0)
