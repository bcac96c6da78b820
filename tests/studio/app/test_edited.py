"""What was drawn anew lies on the pictures where it is seen; and what there was before."""

from __future__ import annotations

import numpy as np
import pytest

from diffstudio.data import spoken
from diffstudio.studio.app.edited import drawn_anew
from diffstudio.studio.export import pictures
from diffstudio.studio.masks import recorded

AUDIO = {"modality": "audio", "audio": spoken.SPEC.model_dump(mode="json")}


def masked(trace, mask):
    trace.header = trace.header.model_copy(update={"mask": recorded(np.asarray(mask, np.float32))})
    return trace


@pytest.mark.parametrize(
    ("shape", "card", "anew"),
    [
        ((1, 5, 4), {}, np.s_[..., 1:3, 2:]),
        ((3, 5, 4), {}, np.s_[..., 1:3, 2:]),
        ((5, 3, 6, 8), {"modality": "video"}, np.s_[2, :, 1:3, 4:]),
        ((1, 64, 32), AUDIO, np.s_[..., 50:, 3:9]),
    ],
)
def test_it_lies_where_the_pictures_show_it(make_trace, shape, card, anew):
    mask = np.zeros(shape)
    mask[anew] = 1
    states = np.full((2, 2, *shape), -1, np.float32)
    states[:, :, mask == 1] = 1  # white exactly where it was drawn anew
    trace = masked(make_trace(states, card=card), mask)
    found = drawn_anew(trace, 1)
    np.testing.assert_array_equal(found, pictures.tiles(trace, 1, "xt", 1)[0, ..., 0] > 127)
    assert found.any() and not found.all()


def test_of_points_it_is_their_coordinates_each_its_own(make_trace):
    states = np.zeros((2, 3, 2), np.float32)
    trace = masked(make_trace(states), [[0, 1], [0, 0], [1, 1]])
    assert [drawn_anew(trace, i).tolist() for i in range(3)] == [[[False, True]], [[False, False]], [[True, True]]]


def test_without_a_mask_there_is_none_and_a_damaged_one_is_none(make_trace):
    trace = make_trace(np.zeros((2, 1, 1, 4, 4), np.float32))
    assert drawn_anew(trace) is None
    masked(trace, np.ones((1, 4, 4)))
    broken = trace.header.mask.model_copy(update={"levels": "bm90IGEgc3RyZWFt"})
    trace.header = trace.header.model_copy(update={"mask": broken})
    assert drawn_anew(trace) is None
