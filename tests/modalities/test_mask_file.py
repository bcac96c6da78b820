"""Masks follow what they mask: pictures their fit, clips their frames, spectrograms their place."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from diffstudio.data import spoken
from diffstudio.errors import BadInput
from diffstudio.modalities import Meaning, Placing, Shown, Taking
from diffstudio.modalities.mask_file import clip_mask, picture_mask, sound_mask
from diffstudio.modalities.picture_file import read_picture

MODEL, CLIP = Meaning("image", (1, 28, 28)), Meaning("video", (5, 3, 8, 12))
SOUND = Meaning("audio", (1, 64, 32), {"audio": spoken.SPEC.model_dump(mode="json")})


def saved(path, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


def blob(width, height):
    """A white ellipse off the middle, on black."""
    y, x = np.mgrid[:height, :width]
    return 255 * (((x - 0.6 * width) / width) ** 2 + ((y - 0.4 * height) / height) ** 2 < 0.05).astype(np.uint8)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(56, 56), (640, 480), (300, 700)])
def test_a_mask_of_its_sources_size_lies_where_the_source_lies(tmp_path, size, fit):
    """The same picture as source and as mask comes out in the same places."""
    path = saved(tmp_path / "a.png", blob(*size))
    source = (read_picture(path, MODEL, Taking(fit=fit)).rows[0, 0] + 1) / 2
    mask = picture_mask(path, MODEL, Placing(size, fit))[0]
    assert mask.shape == (28, 28) and np.abs(mask - source).mean() < 0.02
    assert ((mask > 0.5) == (source > 0.5)).mean() > 0.97


def test_padding_is_kept_whatever_the_colour_of_the_border(tmp_path):
    path = saved(tmp_path / "a.png", np.full((20, 40), 255))
    mask = picture_mask(path, MODEL, Placing((40, 20), "pad"))[0]
    assert (mask[7:21] == 1).all() and not mask[:7].any() and not mask[21:].any()


def test_each_pixel_is_the_share_of_those_it_covers(tmp_path):
    large = np.zeros((56, 56))
    large[:, 29:] = 255  # one column of a pair
    mask = picture_mask(saved(tmp_path / "a.png", large), MODEL, Placing((56, 56)))[0]
    assert (mask[:, :14] == 0).all() and (mask[:, 15:] == 1).all()
    np.testing.assert_allclose(mask[:, 14], 0.5, atol=0.01)


def test_without_a_source_of_its_size_a_mask_of_the_models_aspect_will_do_and_no_other(tmp_path):
    assert picture_mask(saved(tmp_path / "a.png", blob(56, 56)), MODEL, Placing()).shape == (1, 28, 28)
    path = saved(tmp_path / "m.png", blob(64, 48))
    with pytest.raises(BadInput, match=r"m\.png is a mask of 64×48 pixels, the model needs 28×28: draw it there$"):
        picture_mask(path, MODEL, Placing())
    with pytest.raises(BadInput, match=r"needs 28×28 or 640×480, as its source has: draw it there"):
        picture_mask(path, MODEL, Placing((640, 480), "crop"))


def test_sixteen_bits_are_a_mask_too(tmp_path):
    deep = np.zeros((28, 28), np.uint16)
    deep[:, 14:] = 65535
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert picture_mask(tmp_path / "a.png", MODEL, Placing())[0, 0].tolist() == [0] * 14 + [1] * 14


def frames(count):
    """Frame i has its column i white, and its first row."""
    out = np.zeros((count, 8, 12), np.uint8)
    for i in range(count):
        out[i, :, i] = 255
    out[:, 0] = 255
    return out


def test_a_still_mask_is_that_of_all_frames(tmp_path):
    mask = clip_mask(saved(tmp_path / "a.png", frames(1)[0]), CLIP, Placing())
    assert mask.shape == (1, 1, 8, 12) and mask[0, 0, 1].tolist() == [1, *[0] * 11]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "folder"])
def test_a_clip_masks_each_frame_by_its_own(tmp_path, name):
    path, drawn = tmp_path / name, [Image.fromarray(frame) for frame in frames(5)]
    if name == "folder":
        path.mkdir()
        for i, frame in enumerate(drawn):
            frame.save(path / f"{i}.png")
    else:
        drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=100)
    mask = clip_mask(path, CLIP, Placing())
    np.testing.assert_array_equal(mask[:, 0], frames(5) / 255)


def test_equal_frames_that_were_joined_in_the_file_are_all_there(tmp_path):
    drawn = [Image.fromarray(frames(2)[i]) for i in (0, 0, 0, 1, 1)]
    drawn[0].save(tmp_path / "a.gif", save_all=True, append_images=drawn[1:], duration=100)
    mask = clip_mask(tmp_path / "a.gif", CLIP, Placing())
    np.testing.assert_array_equal(mask[:, 0], frames(2)[[0, 0, 0, 1, 1]] / 255)


@pytest.mark.parametrize("scale", [1, 4])
@pytest.mark.parametrize("wide", [1, 2])
def test_a_mask_over_a_spectrogram_lies_where_it_is_drawn(tmp_path, scale, wide):
    state = np.full((1, 1, 64, 32), -1, np.float32)
    state[0, 0, 50:60, 20:24] = 1  # high and late
    drawn = SOUND.kind.draw(SOUND, Shown(state))[0, :, ::2]
    picture = drawn.repeat(wide, 1).repeat(scale, 0).repeat(scale, 1)
    mask = sound_mask(saved(tmp_path / "a.png", picture), SOUND, Placing())
    np.testing.assert_array_equal(mask, (state[0] + 1) / 2)


def test_a_picture_of_another_shape_is_no_spectrogram(tmp_path):
    with pytest.raises(BadInput, match=r"is a mask of 64×48 pixels, the model needs 64×64, its spectrogram"):
        sound_mask(saved(tmp_path / "a.png", blob(64, 48)), SOUND, Placing())
