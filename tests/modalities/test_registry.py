"""Every modality's record keeps what it promises, and has a view."""

import numpy as np
import pytest

from diffstudio.errors import BadInput
from diffstudio.gui.stage.canvas import VIEWS
from diffstudio.modalities import MODALITIES, Meaning, Shown
from diffstudio.studio.export.options import CLIPS, KINDS, SUFFIXES, kinds_for, suffixes_of

EACH = pytest.mark.parametrize("name", MODALITIES)


def test_every_modality_has_a_view_and_every_view_a_modality():
    assert set(VIEWS) == set(MODALITIES)


@EACH
def test_the_own_formats_hold_kinds_that_there_are(name):
    row = MODALITIES[name]
    for suffix, kinds in row.exports.items():
        assert suffix.startswith(".") and set(kinds) <= set(KINDS)
        assert row.write is not None
        assert kinds_for(suffix.upper(), name) == kinds
    playing = set(CLIPS) if row.play is not None else set()
    assert set(suffixes_of(name)) == set(SUFFIXES) | set(row.exports) | playing


@EACH
def test_the_suffix_of_one_sample_can_be_written(name):
    row = MODALITIES[name]
    assert row.sample_suffix in suffixes_of(name)


@EACH
def test_files_of_others_are_refused_by_the_suffixes_that_are_taken(name):
    with pytest.raises(BadInput, match=rf"can't write samples of {name} as a '\.xyz' file"):
        kinds_for(".xyz", name)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_clips_tile_and_frames_are_as_large_as_they_say(channels):
    meaning = Meaning("video", (6, channels, 5, 4))
    rows = np.random.default_rng(0).normal(size=(2, *meaning.shape)).astype(np.float32)
    kind = meaning.kind
    assert kind.draw is not None and kind.tile is not None and kind.play is not None and kind.frames is not None
    for limit in (None, 2.0):
        assert kind.draw(meaning, Shown(rows, limit=limit)).shape == (2, *kind.tile(meaning), 3)
        assert kind.play(meaning, Shown(rows, limit=limit)).shape == (2, *kind.frames(meaning), 3)
    assert kind.colours(meaning) == ("grey" if channels == 1 else "any")


@pytest.mark.parametrize("shape", [(1, 5, 4), (3, 5, 4)])
def test_a_tile_is_as_large_as_it_says(shape):
    meaning = Meaning("image", shape)
    rows = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    draw, tile = meaning.kind.draw, meaning.kind.tile
    assert draw is not None and tile is not None
    for limit in (None, 2.0):
        tiles = draw(meaning, Shown(rows, limit=limit))
        assert tiles.shape == (3, *tile(meaning), 3) and tiles.dtype == np.uint8
    assert meaning.kind.colours(meaning) == ("grey" if shape[0] == 1 else "any")
