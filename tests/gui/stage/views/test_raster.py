"""Values to colours and colours to cells, against plain loops."""

import numpy as np
import pytest

from diffstudio.gui.stage.views.grid import layout
from diffstudio.gui.stage.views.raster import enlarged, raster, rgb, shrunk, tiled, to_array, to_image
from diffstudio.modalities import colour
from diffstudio.studio.export import pictures


def channels(words):
    return np.stack([words >> 16 & 255, words >> 8 & 255, words & 255], -1).astype(np.uint8)


def fixed(array):
    """A run that holds one array in every record."""
    return lambda k, t: (array, np.zeros_like(array))


def test_greys_are_the_values_from_black_to_white(make_run):
    ramp = np.linspace(-1.3, 1.3, 64).reshape(1, 1, 8, 8)
    run = make_run(batch=1, values=fixed(ramp))
    found = raster(run.trace, 0, "xt", slice(None), True)
    expected = np.clip(np.floor(ramp[:, 0].astype(np.float32) * 127.5 + 128), 0, 255)
    assert np.array_equal(channels(found.pixels), np.repeat(expected[..., None], 3, -1))
    assert (found.limit, found.not_finite) == (None, 0)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_channels_are_red_green_blue(make_run, count):
    values = np.random.default_rng(1).uniform(-1, 1, (2, count, 5, 6))
    run = make_run(batch=2, shape=(count, 5, 6), values=fixed(values))
    found = channels(raster(run.trace, 3, "xt", slice(None), True).pixels)
    for c in range(3):
        expected = np.floor(values[:, c].astype(np.float32) * 127.5 + 128) if c < count else np.zeros((2, 5, 6))
        assert np.array_equal(found[..., c], expected)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("name", ["eps_hat", "delta"])
def test_signed_tensors_take_the_diverging_map(make_run, name, dark):
    run = make_run(batch=2)
    trace, k = run.trace, 15
    if name == "eps_hat":
        xt, x0 = trace.array(k, "xt"), trace.array(k, "x0_hat")
        value, limit = (xt - trace.scalar(k, "a") * x0) / trace.scalar(k, "s"), 3.0
    else:
        value = trace.array(k, "xt") - trace.array(k - 1, "xt")
        limit = np.sort(np.abs(value).ravel())[int(0.995 * value.size)]
    found = raster(trace, k, name, slice(None), dark)
    assert found.limit == pytest.approx(limit, rel=1e-6)
    place = value[:, 0] / limit * 127.5 + 127.5
    rows = channels(found.pixels)
    table = colour.diverging(dark)
    for index in np.ndindex(place.shape):
        near = {int(np.clip(place[index] + d, 0, 255)) for d in (-1e-3, 0, 1e-3)}  # float32 may fall on either side
        assert any(np.array_equal(rows[index], table[row]) for row in near)


def test_it_is_what_is_exported(make_run):
    run = make_run(batch=4, shape=(3, 9, 7))
    for name in ("xt", "x0_hat", "eps_hat", "delta"):
        found = channels(raster(run.trace, 14, name, slice(None), True).pixels)
        assert np.array_equal(found, pictures.tiles(run.trace, 14, name))


def test_what_is_not_finite_is_magenta_and_counted(make_run):
    values = np.zeros((2, 3, 4, 4))
    values[0, 1, 2, 3], values[1, 0, 0, 0], values[1, 2, 0, 0] = np.nan, np.inf, -np.inf
    run = make_run(batch=2, shape=(3, 4, 4), values=fixed(values))
    for name in ("xt", "eps_hat"):
        found = raster(run.trace, 5, name, slice(None), True)
        magenta = (channels(found.pixels) == (255, 0, 255)).all(-1)
        assert np.argwhere(magenta).tolist() == [[0, 2, 3], [1, 0, 0]]
    assert raster(run.trace, 5, "xt", slice(None), True).not_finite == 3


def test_where_the_path_grows_x_t_is_shown_divided(make_run):
    values = np.full((1, 1, 2, 2), 30.0)
    run = make_run(batch=1, shape=(1, 2, 2), path=lambda t: (1.0, 80 * t), values=fixed(values))
    for k in (0, 4, 10):
        gain = 1 / np.hypot(1, run.trace.scalar(k, "s")) if k else 1
        shown = channels(raster(run.trace, k, "xt", 0, True).pixels)[0, 0, 0, 0]
        assert abs(int(shown) - min(255, 30 * gain * 127.5 + 128)) <= 1


@pytest.mark.parametrize("count", [1, 5, 6])
def test_tiles_are_exact_squares_on_paper(count):
    rng = np.random.default_rng(count)
    pixels = 0xFF000000 | rng.integers(0, 1 << 24, (count, 7, 9), np.uint32)
    grid = layout(count, 9, 7, 500, 300)
    assert grid.scale > 1
    found = tiled(pixels, grid, "#123456")
    expected = np.full_like(found, 0xFF123456)
    for i in range(count):
        x, y = grid.cell(i)[0] - grid.left, grid.cell(i)[1] - grid.top
        for row in range(grid.height):
            for column in range(grid.width):
                expected[y + row, x + column] = pixels[i, row // grid.scale, column // grid.scale]
    assert np.array_equal(found, expected)


def test_shrinking_takes_the_mean_of_the_area():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (3, 64, 96)).astype(np.uint32)
    found = shrunk(0xFF000000 | grey * np.uint32(0x010101), 24, 16) & 255
    expected = grey.reshape(3, 16, 4, 24, 4).mean((2, 4))
    assert np.abs(found.astype(float) - expected).max() <= 1.5


def test_one_sample_does_not_bleed_into_the_next_when_shrunk():
    pixels = np.full((2, 60, 60), 0xFF000000, np.uint32)
    pixels[1] = 0xFFFFFFFF
    found = shrunk(pixels, 17, 13)
    assert (found[0] == 0xFF000000).all()
    assert (found[1] == 0xFFFFFFFF).all()


def test_many_large_samples_are_shrunk_alike():
    pixels = np.full((40, 1000, 4), 0xFF000000, np.uint32) | np.arange(40, dtype=np.uint32)[:, None, None]
    found = shrunk(pixels, 2, 100)  # more rows than Qt's fixed point counts
    assert (found == pixels[:, :100, :2]).all()


def test_enlarging_repeats_pixels():
    pixels = np.arange(6, dtype=np.uint32).reshape(2, 3)
    found = enlarged(pixels, 3)
    assert all(found[y, x] == pixels[y // 3, x // 3] for y in range(6) for x in range(9))


@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_picture_and_an_array_are_the_same(width):
    pixels = 0xFF000000 | np.random.default_rng(2).integers(0, 1 << 24, (5, width), np.uint32)
    picture = to_image(pixels[::-1].copy()[::-1], 2.0)  # not contiguous
    assert (picture.width(), picture.height(), picture.devicePixelRatio()) == (width, 5, 2.0)
    assert np.array_equal(to_array(picture), pixels)
    assert [picture.pixel(width - 1, y) for y in range(5)] == pixels[:, -1].tolist()


def test_colours_by_name():
    assert rgb("#123456") == 0xFF123456


def test_values_beyond_every_bound_are_black_and_white_and_what_was_recorded_stays():
    values = np.array([-np.inf, -1e38, -1, 0, 1, 1e38, np.inf], np.float32)
    before = values.copy()
    assert colour.to_uint8(values, 127.5, 128).tolist() == [0, 0, 0, 128, 255, 255, 255]
    assert colour.signed_index(values, 1e-6).tolist() == [0, 0, 0, 127, 255, 255, 255]
    assert colour.to_uint8(np.array([np.nan], np.float32), 127.5, 128).dtype == np.uint8
    assert np.array_equal(values, before)


def test_latents_are_coloured_as_the_pictures_of_them(make_run):
    rows = [[0.5, 0, 0, 0, 0.25], [0, -0.5, 0, 0, 0], [0, 0, 0.25, 0.25, -0.5]]
    run = make_run(forward=0, reverse=3, shape=(4, 4, 5), card={"decoded": [3, 32, 40], "colours": rows})
    run.append(2)
    for name in ("xt", "x0_hat", "delta"):
        found = raster(run.trace, 1, name, slice(0, 3), True)
        np.testing.assert_array_equal(channels(found.pixels), pictures.tiles(run.trace, 1, name))
