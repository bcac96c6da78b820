"""The digits against scikit-learn's copy of them, their drawing against Pillow, their augmentation against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from diffstudio.data import digits
from diffstudio.resources import resource


@pytest.fixture(scope="module")
def uci():
    """(1797, 8, 8) counts and their labels, as scikit-learn carries them."""
    found = load_digits()
    return found.images.astype(np.uint8), found.target


def test_the_bundled_pictures_are_the_uci_test_set_in_its_order(uci):
    with np.load(resource("data", "digits.npz")) as stored:
        np.testing.assert_array_equal(stored["images"], uci[0])
        np.testing.assert_array_equal(stored["labels"], uci[1])


def test_every_fifth_picture_is_held_out_and_no_other(uci):
    fifth = np.arange(1797) % 5 == 4
    for split, chosen, count in (("held-out", fifth, 359), ("train", ~fifth, 1438)):
        pictures, labels = digits.load(split)
        assert pictures.shape == (count, 1, 28, 28)
        np.testing.assert_array_equal(labels, uci[1][chosen])
        np.testing.assert_array_equal(pictures, digits.enlarge(uci[0][chosen]))


@pytest.mark.parametrize("split", ["train", "held-out"])
def test_pictures_reach_from_paper_to_ink_and_no_further(split):
    pictures, labels = digits.load(split)
    assert pictures.dtype == np.float32
    assert (pictures.min(), pictures.max()) == (-1, 1)
    assert set(labels) == set(range(10))
    edge = np.concatenate([pictures[:, 0, [0, -1]].ravel(), pictures[:, 0, :, [0, -1]].ravel()])
    assert np.all(edge == -1)  # the padding keeps paper round every digit


def test_enlarging_is_pillows_bicubic_followed_by_a_smooth_threshold(uci):
    """Pillow's bicubic filter is the same cubic (a = −1/2) with the same treatment of the border."""
    grey = uci[0][:50]
    for picture, ours in zip(np.pad(grey, ((0, 0), (1, 1), (1, 1))), digits.enlarge(grey), strict=True):
        image = Image.fromarray((picture / 16).astype(np.float32))
        smooth = np.asarray(image.resize((28, 28), Image.Resampling.BICUBIC))
        u = np.clip((smooth - 0.2) / 0.55, 0, 1)
        np.testing.assert_allclose(ours[0], 2 * (3 * u**2 - 2 * u**3) - 1, atol=1e-5)


@pytest.mark.parametrize(
    ("count", "shade"), [(0, -1), (3, -1), (7.6, 0), (12, 1), (16, 1)], ids=["white", "faint", "half", "dark", "black"]
)
def test_the_middle_of_an_even_picture_has_the_shade_of_its_count(count, shade):
    """0.2 of full ink and less is paper, 0.75 and more is ink, the edge lies in the middle between them."""
    even = np.full((1, 8, 8), count)
    assert digits.enlarge(even)[0, 0, 13:15, 13:15] == pytest.approx(shade, abs=1e-6)


def test_enlarging_keeps_the_order_of_the_counts(uci):
    """Averaged back over the cells of the 8×8 picture the shades rank as the counts do, unlike those of its mirror."""
    grey = uci[0][:200]
    for counts, large in zip(grey, digits.enlarge(grey)[:, 0], strict=True):
        cells = np.asarray(Image.fromarray(large).resize((10, 10), Image.Resampling.BOX))[1:-1, 1:-1]
        rank = stats.spearmanr(cells.ravel(), counts.ravel()).statistic
        assert rank > 0.85
        for wrong in (counts.T, counts[::-1], counts[:, ::-1]):
            assert stats.spearmanr(cells.ravel(), wrong.ravel()).statistic < rank


@pytest.mark.parametrize("split", ["train", "held-out"])
def test_a_drawn_picture_is_one_of_its_class_and_of_its_split(split):
    labels = np.repeat(np.arange(10), 5)
    drawn = digits.draw(labels, np.random.default_rng(0), split)
    pictures, known = digits.load(split)
    for picture, label in zip(drawn, labels, strict=True):
        assert any(np.array_equal(picture, other) for other in pictures[known == label])


def test_every_picture_of_a_class_can_be_drawn():
    drawn = digits.draw(np.full(2000, 4), np.random.default_rng(0), "held-out")
    assert len(np.unique(drawn.reshape(2000, -1), axis=0)) == np.sum(digits.load("held-out")[1] == 4)


def test_augmenting_is_the_affine_map_that_scipy_makes_of_the_same_numbers():
    pictures = digits.load("train")[0][:20]
    ours = digits.augment(pictures, np.random.default_rng(7))
    rng = np.random.default_rng(7)
    turn = np.radians(rng.uniform(-8, 8, 20))
    scale = 1 + rng.uniform(-0.08, 0.08, (20, 2))
    shear = rng.uniform(-0.12, 0.12, 20)
    shift = rng.uniform(-1.5, 1.5, (20, 2))
    for i, picture in enumerate(pictures[:, 0]):
        cos, sin = np.cos(turn[i]), np.sin(turn[i])
        turned = np.array([[cos, sin], [-sin, cos]])  # on (y, x)
        matrix = np.array([[1, 0], [shear[i], 1]]) @ np.diag(scale[i, ::-1]) @ turned
        offset = shift[i, ::-1] + 13.5 - matrix @ [13.5, 13.5]
        theirs = ndimage.affine_transform(picture, matrix, offset, order=1, mode="grid-constant", cval=-1.0)
        np.testing.assert_allclose(ours[i, 0], theirs, atol=3e-3)


def test_augmenting_by_nothing_changes_nothing(monkeypatch):
    for name in ("MAX_SHIFT", "MAX_TURN", "MAX_SCALE", "MAX_SHEAR"):
        monkeypatch.setattr(digits, name, 0.0)
    pictures = digits.load("train")[0][:5]
    np.testing.assert_allclose(digits.augment(pictures, np.random.default_rng(0)), pictures, atol=1e-5)


def test_augmented_pictures_stay_in_range_and_keep_their_class():
    """A neighbour classifier that has seen changed training pictures alone reads the held-out ones as they are."""
    train, known = digits.load("train")
    held_out, labels = digits.load("held-out")
    changed = digits.augment(train, np.random.default_rng(1))
    assert changed.dtype == np.float32
    assert changed.min() >= -1
    assert changed.max() <= 1
    assert np.abs(changed - train).mean() > 0.05
    judge = KNeighborsClassifier(3).fit(changed.reshape(len(changed), -1), known)
    assert judge.score(held_out.reshape(len(held_out), -1), labels) > 0.95
