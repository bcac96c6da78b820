"""The picture in a card, from weights whose samples are known."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from cards import read_card
from PIL import Image

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.networks import NETWORKS
from diffstudio.specs import PathSpec
from diffstudio.training.thumbnail import STEPS, _cloud, thumbnail

ARGS = {"mlp": {"width": 8, "depth": 1, "embed": 8}, "unet": {"channels": [8], "embed": 8, "patch": 2}}


def picture(encoded):
    image = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
    assert image.format == "PNG"
    return image


def zeros(network, shape, labels=4):
    """A card that predicts x0, and weights that are all zero: x̂0 is the last bias."""
    card = Card(
        name="x",
        modality="image" if len(shape) == 3 else "points",
        shape=shape,
        path=PathSpec(),
        prediction="x0",
        network=network,
        network_args=ARGS[network],
        labels=tuple("abcdefgh"[:labels]),
        data=TrainingData(dataset=""),
        step=0,
    )
    args = {k: tuple(v) if isinstance(v, list) else v for k, v in ARGS[network].items()}
    weights = NETWORKS[network](shape, labels, **args).state_dict()
    return card, {name: torch.zeros_like(value) for name, value in weights.items()}


@pytest.mark.parametrize("value", [-1.0, 0.0, 0.5, 1.0, 7.0])
def test_a_model_of_one_shade_gives_a_picture_of_that_shade(value):
    card, weights = zeros("unet", (1, 16, 16))
    weights["leave.2.bias"].fill_(value)
    image = picture(thumbnail(card, weights))
    assert (image.size, image.mode) == ((56, 56), "L")
    expected = (min(value, 1.0) + 1) * 127.5
    assert np.abs(np.asarray(image) - expected).max() <= 0.5


def test_three_channels_are_red_green_and_blue():
    card, weights = zeros("unet", (3, 16, 16))
    weights["leave.2.bias"][:4] = 1.0  # patches of 2×2 come as four channels each: red
    weights["leave.2.bias"][4:] = -1.0
    image = picture(thumbnail(card, weights))
    assert image.mode == "RGB"
    assert image.getcolors() == [(56 * 56, (255, 0, 0))]


@pytest.mark.parametrize(("labels", "asked"), [(6, 3), (4, 3), (2, 1), (0, None)])
@pytest.mark.parametrize(("network", "shape", "samples"), [("unet", (1, 16, 16), 1), ("mlp", (2,), 1500)])
def test_the_samples_are_of_the_fourth_class_or_the_last(network, shape, samples, labels, asked, monkeypatch):
    seen = []

    class Listener(torch.nn.Module):
        def forward(self, x, t, labels):
            seen.append(None if labels is None else labels.tolist())
            return torch.zeros_like(x)

    monkeypatch.setattr("diffstudio.training.thumbnail.build", lambda card: Listener())
    card, _ = zeros(network, shape, labels)
    assert thumbnail(card, {}) == thumbnail(card, {})
    assert len(seen) == 2 * STEPS
    assert all(found == (None if asked is None else [asked] * samples) for found in seen)


def test_points_that_are_all_one_show_as_one_spot_in_the_middle():
    card, weights = zeros("mlp", (2,))
    weights["leave.2.bias"][:] = torch.tensor([0.25, -0.5])
    shades = np.asarray(picture(thumbnail(card, weights)))
    assert shades.shape == (56, 56)
    bright = np.argwhere(shades > 20)  # one dot of 112×112, made smaller
    assert 1 <= len(bright) <= 16
    assert np.abs(bright - 27.5).max() < 3


def test_points_are_drawn_with_x_to_the_right_and_y_up():
    corner = np.repeat([[1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]], 50, axis=0)
    shades = _cloud(corner)
    middle = shades.shape[0] // 2
    quarters = {
        "upper left": shades[:middle, :middle],
        "upper right": shades[:middle, middle:],
        "lower left": shades[middle:, :middle],
        "lower right": shades[middle:, middle:],
    }
    assert {name for name, part in quarters.items() if part.max() > 200} == {"upper left", "upper right", "lower left"}


def test_narrow_modes_are_more_than_specks():
    """A ring of eight Gaussians of σ 0.01: each is seen when the picture is made smaller."""
    angles = np.repeat(np.arange(8) * np.pi / 4, 190)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1) + 0.01 * np.random.default_rng(0).normal(size=(1520, 2))
    small = np.asarray(Image.fromarray(_cloud(ring)).resize((56, 56), Image.Resampling.BICUBIC))
    assert (small > 200).sum() >= 8 * 2
    assert (small > 20).mean() < 0.1


def test_a_diverged_model_still_gives_a_picture():
    card, weights = zeros("unet", (1, 16, 16))
    weights["leave.2.bias"].fill_(float("nan"))
    assert picture(thumbnail(card, weights)).size == (56, 56)
    card, weights = zeros("mlp", (2,))
    weights["leave.2.bias"].fill_(float("nan"))
    assert picture(thumbnail(card, weights)).size == (56, 56)


def test_a_trained_checkpoint_carries_its_picture(make_recipe, run):
    image = picture(read_card(run(make_recipe())[0]).thumbnail)
    assert image.size == (56, 56)
    assert np.ptp(np.asarray(image)) > 50
