"""Regions in words, for every modality's axes; and what is no region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffstudio.data import spoken
from diffstudio.modalities import Meaning
from diffstudio.modalities.region import Inside, Span, Whole, inside, parse_region

IMAGE, CLIP, TEXT = Meaning("image", (1, 4, 6)), Meaning("video", (5, 3, 4, 6)), Meaning("text", (1, 8))
SOUND = Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump(mode="json")})
POINTS = Meaning("points", (2,))


def where(text, meaning, rows=None):
    """The region over the states' own shape."""
    found = inside(parse_region(text), meaning.kind.axes(meaning, rows))
    shape = meaning.shape if rows is None else rows.shape
    return np.broadcast_to(found, shape)


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("x 0..13", ((Span("x", 0, 13),),)),
        ("x 0 .. 13, y 4", ((Span("x", 0, 13), Span("y", 4, 4)),)),
        ("0.1..0.25 s", ((Span("s", 0.1, 0.25),),)),
        ("100 ... 250 ms", None),
        ("100..250 ms, 0.3..2 kHz", ((Span("s", 0.1, 0.25), Span("hz", 300, 2000)),)),
        ("frames 3..7; frame 9", ((Span("frame", 3, 7),), (Span("frame", 9, 9),))),
        ("y", ((Whole("y"),),)),
        ("x −1…-0.5", ((Span("x", -1, -0.5),),)),
        ("x 5..2", ((Span("x", 2, 5),),)),
        ("inside (0 0) (4, 0) (4 4)", ((Inside(((0, 0), (4, 0), (4, 4))),),)),
    ],
)
def test_what_people_write_is_understood(text, boxes):
    if boxes is None:
        with pytest.raises(ValueError, match="is no region"):
            parse_region(text)
        return
    found = parse_region(text)
    assert len(found.boxes) == len(boxes)
    for mine, theirs in zip(found.boxes, boxes, strict=True):
        for term, expected in zip(mine, theirs, strict=True):
            assert type(term) is type(expected) and term[0] == expected[0]
            np.testing.assert_allclose(np.array(term[1:], float), np.array(expected[1:], float))


@pytest.mark.parametrize("text", ["", " ; ", "3..7", "x 1..", "inside (0 0) (1 1)", "inside 3", "x 1 2", "x..y"])
def test_what_is_no_region_is_one_sentence(text):
    with pytest.raises(ValueError, match="region"):
        parse_region(text)


@given(st.text(max_size=60))
def test_no_text_ends_in_another_error(text):
    try:
        parse_region(text)
    except ValueError as error:
        assert "\n" not in str(error).strip() or "\n" in text


def test_pixels_of_a_picture():
    found = where("x 1..2, y 3; x 5", IMAGE)[0]
    assert np.argwhere(found).tolist() == [[0, 5], [1, 5], [2, 5], [3, 1], [3, 2], [3, 5]]
    assert (where("not x 1..2, y 3; x 5", IMAGE)[0] == ~found).all()


def test_a_polygon_holds_the_pixels_whose_place_is_within():
    found = where("inside (0.5 -1) (4.5 -1) (4.5 1.5) (0.5 1.5)", IMAGE)[0]
    assert (found == where("x 1..4, y 0..1", IMAGE)[0]).all()


def test_frames_of_a_clip_and_their_pixels():
    found = where("frame 2..3, x 4..5", CLIP)
    assert found[1:3, :, :, 4:].all() and found.sum() == 2 * 3 * 4 * 2


def test_seconds_and_hertz_of_a_sound():
    times = (np.arange(32) + 0.5) * 128 / 8000
    found = where("0.1..0.25 s", SOUND)[0]
    assert (found == ((times >= 0.1) & (times <= 0.25))[None]).all() and 0 < found.sum() < found.size
    band = where("300..2000 Hz", SOUND)[0]
    assert band.any(1).sum() > 10 and (band[:, :1] == band).all()
    low, high = np.flatnonzero(band[:, 0])[[0, -1]]
    assert where(f"0..{300 - 1e-3} Hz", SOUND)[0, :low].all() and not band[high + 1 :].any()


def test_letters_of_a_text():
    assert np.flatnonzero(where("letter 3..5", TEXT)[0]).tolist() == [2, 3, 4]


def test_coordinates_of_points_or_those_that_lie_there():
    rows = np.float32([[0, 0], [2, 1], [-1, 3]])
    assert where("y", POINTS, rows).tolist() == [[False, True]] * 3
    assert where("x 0..2", POINTS, rows).tolist() == [[True, True], [True, True], [False, False]]
    assert where("y, x 0..2", POINTS, rows).tolist() == [[False, True], [False, True], [False, False]]
    lasso = where("inside (-2 2) (0 2) (0 4) (-2 4)", POINTS, rows)
    assert lasso.all(1).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("text", "meaning", "sentence"),
    [
        ("frame 2", IMAGE, "there is no axis 'frame' here: a region speaks of x, y"),
        ("x 1", TEXT, "there is no axis 'x' here: a region speaks of letter"),
        ("inside (0 0) (1 0) (1 1)", SOUND, "there is no axis 'x' here: a region speaks of s, hz"),
        ("frame", CLIP, r"'frame' needs a range, like frame 2\.\.5"),
    ],
)
def test_an_axis_that_is_not_there_is_named(text, meaning, sentence):
    with pytest.raises(ValueError, match=sentence):
        where(text, meaning)
