"""Latents drawn as colours by the map on their card."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.modalities import Meaning, Shown, image

ROWS = [[0.5, 0, 0, 0, 0.25], [0, -0.5, 0, 0, 0], [0, 0, 0.25, 0.25, -0.5]]


def latents(**card):
    return Meaning("image", (4, 2, 3), {"decoded": [3, 16, 24], **card})


@pytest.fixture
def x():
    return np.random.default_rng(0).uniform(-1, 1, (2, 4, 2, 3)).astype(np.float32)


def test_a_place_gets_the_colour_of_the_map(x):
    found = image.in_colour(latents(colours=ROWS), x)
    assert found.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(found[1, :, 0, 2], np.array(ROWS)[:, :4] @ x[1, :, 0, 2] + [0.25, 0, -0.5], rtol=1e-5)
    pixels = image.draw(latents(colours=ROWS), Shown(x))
    np.testing.assert_array_equal(pixels, image.to_pixels(found))


def test_pictures_stay_as_they_are(x):
    assert image.in_colour(Meaning("image", (4, 2, 3), {"decoded": [], "colours": ROWS}), x) is x


@pytest.mark.parametrize("colours", [[], None, "red", [[1, 2]], [[1, 2], [3]], [[float("nan")] * 5] * 3, [[1e39] * 5]])
def test_without_a_map_that_fits_many_channels_are_their_mean_in_grey(x, colours):
    np.testing.assert_allclose(image.in_colour(latents(colours=colours), x), x.mean(1, keepdims=True))


def test_what_is_not_finite_is_magenta_at_its_place_only(x):
    x[0, 3, 1, 1] = np.nan
    pixels = image.draw(latents(colours=ROWS), Shown(x))
    assert tuple(pixels[0, 1, 1]) == image.NOT_FINITE
    assert (pixels == image.NOT_FINITE).all(-1).sum() == 1
