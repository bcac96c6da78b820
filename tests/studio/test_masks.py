"""The mask of an inpainting: white is repainted."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from diffstudio.errors import BadFile, BadInput
from diffstudio.studio.masks import load_mask


@pytest.fixture
def saved(tmp_path):
    """Write an array as a picture; its path."""

    def saved(values, mode=None, name="mask.png"):
        picture = Image.fromarray(np.array(values, np.uint8))
        (picture.convert(mode) if mode else picture).save(tmp_path / name)
        return tmp_path / name

    return saved


@pytest.mark.parametrize("mode", [None, "RGB", "RGBA", "LA", "1", "P"])
def test_white_is_one_and_black_is_none(saved, mode):
    found = load_mask(saved([[0, 255, 0], [255, 255, 0]], mode), (1, 2, 3))
    assert (found.shape, found.dtype) == ((1, 2, 3), np.float32)
    assert found.tolist() == [[[0, 1, 0], [1, 1, 0]]]


def test_greys_blend(saved):
    np.testing.assert_allclose(load_mask(saved([[0, 51, 255]]), (3, 1, 3)), [[[0, 0.2, 1]]], rtol=1e-6)


def test_what_is_transparent_is_kept(saved):
    rows = [[[255, 255, 255, 255], [255, 255, 255, 0], [0, 0, 0, 255]]]
    assert load_mask(saved(rows), (1, 1, 3)).tolist() == [[[1, 0, 0]]]


def test_another_size_is_refused_with_both(saved):
    path = saved(np.full((5, 4), 255))
    with pytest.raises(BadInput, match=r"^mask\.png is a mask of 4×5 pixels, the model needs 5×4: draw it there$"):
        load_mask(path, (1, 4, 5))


@pytest.mark.parametrize("values", [np.zeros((2, 2)), [[[255, 255, 255, 0]] * 2] * 2])
def test_nothing_to_repaint_is_refused(saved, values):
    with pytest.raises(BadInput, match=r"^mask\.png has no white pixel"):
        load_mask(saved(values), (1, 2, 2))


def test_no_picture_and_no_file_are_refused(tmp_path):
    with pytest.raises(BadInput, match="there is no file"):
        load_mask(tmp_path / "none.png", (1, 2, 2))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(BadFile, match=r"bad\.png is not a picture"):
        load_mask(tmp_path / "bad.png", (1, 2, 2))
