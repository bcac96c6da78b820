"""Strokes of a round brush, held against the distance to a line; what is painted over."""

import numpy as np
import pytest
from PIL import Image

from diffstudio.checkpoints.catalog import default_catalog
from diffstudio.data import sample
from diffstudio.errors import BadInput
from diffstudio.studio.app.painting import DEPTH, Painting, backdrop, near_line
from diffstudio.studio.request.request import Request


@pytest.mark.parametrize("end", [(11.0, 4.5), (3.2, 9.9), (2.0, 3.0)])
@pytest.mark.parametrize("radius", [0.5, 2.0, 3.3])
def test_a_stroke_covers_what_is_near_its_line(end, radius):
    start, along = np.array([2.0, 3.0]), np.linspace(0, 1, 4001)[:, None]
    points = start + along * (np.array(end) - start)
    middles = np.stack(np.meshgrid(np.arange(16) + 0.5, np.arange(12) + 0.5), -1)
    far = np.sqrt(((middles[:, :, None] - points) ** 2).sum(-1)).min(-1)
    found = near_line((12, 16), tuple(start), end, radius)
    sure = abs(far - radius) > 1e-3
    assert np.array_equal(found[sure], (far <= radius)[sure])


def test_a_click_of_the_smallest_brush_paints_the_pixel_under_it():
    painting = Painting((10, 10))
    painting.grow(1e-9)
    painting.begin()
    painting.line((3.05, 7.95), (3.05, 7.95), True)
    assert np.argwhere(painting.pixels).tolist() == [[7, 3]]


def test_a_stroke_may_begin_and_end_outside():
    painting = Painting((10, 10))
    painting.begin()
    painting.line((-50.0, 5.0), (50.0, 5.0), True)
    assert painting.pixels[5].all() and not painting.pixels[0].any()


def test_erasing_takes_away_what_is_under_the_brush_alone():
    painting = Painting((10, 10), np.ones((10, 10)))
    painting.begin()
    painting.line((5.0, 5.0), (5.0, 5.0), False)
    assert not painting.pixels[5, 5] and painting.pixels[0, 0]


def test_undo_and_redo_walk_over_strokes_inverting_and_clearing():
    painting = Painting((6, 6))
    states = [painting.pixels.copy()]
    for change in ("stroke", "invert", "clear", "stroke"):
        if change == "stroke":
            painting.begin()
            painting.line((1.0, 1.0), (4.0, 1.0), True)
            painting.line((4.0, 1.0), (4.0, 4.0), True)
        else:
            getattr(painting, change)()
        states.append(painting.pixels.copy())
    assert not painting.can_redo
    for state in states[-2::-1]:
        painting.undo()
        assert np.array_equal(painting.pixels, state)
    assert not painting.can_undo
    for state in states[1:]:
        painting.redo()
        assert np.array_equal(painting.pixels, state)
    painting.undo()
    painting.clear()
    assert not painting.can_redo, "another change was made"


def test_the_memory_of_strokes_is_bounded():
    painting = Painting((2, 2))
    for _ in range(DEPTH + 5):
        painting.invert()
    for _ in range(DEPTH):
        painting.undo()
    assert not painting.can_undo


def test_what_is_given_is_not_painted_on():
    given = np.zeros((4, 4))
    Painting((4, 4), given).invert()
    assert not given.any()


@pytest.fixture(scope="module")
def card():
    return default_catalog().find("digits").card


@pytest.mark.parametrize(("label", "drawn"), [(4, 4), ("each", 7), (None, None)])
def test_the_backdrop_is_the_first_sample_that_the_run_starts_from(card, label, drawn):
    x = sample("digits", (drawn,), (17,))[0][0, 0]
    found = backdrop(card, Request(source="data", label=label, seed=17, samples=3))
    assert found.shape == (28, 28, 3)
    assert np.abs(found[:, :, 1] / 127.5 - 1 - x).max() < 0.01


def test_the_backdrop_of_a_file_is_the_fitted_file(card, tmp_path):
    Image.new("L", (60, 40), 200).save(tmp_path / "grey.png")
    request = Request(source="file", source_file=str(tmp_path / "grey.png"), source_fit="crop", source_invert=True)
    assert (abs(backdrop(card, request).astype(int) - 55) <= 1).all()
    with pytest.raises(BadInput, match="there is no file"):
        backdrop(card, request.model_copy(update={"source_file": str(tmp_path / "none.png")}))
