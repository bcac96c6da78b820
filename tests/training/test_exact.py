"""The bundled exact models: what their files hold is what the code would write, and what their titles say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffstudio import data
from diffstudio.checkpoints.header import read_card
from diffstudio.checkpoints.store import load_weights
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.times import Level, levels
from diffstudio.networks.model import load_file
from diffstudio.resources import resource
from diffstudio.studio.request.defaults import default_request
from diffstudio.training import exact


def bundled(name):
    return resource("checkpoints") / f"{name}.safetensors"


def sample(name, count, label=None, **changes):
    """What the model's own defaults give: (count, …)."""
    model = load_file(bundled(name))
    request = default_request(model.card, name, **changes)
    noise = SampleNoise(0, count, model.card.shape)
    grid = levels(model.path, request.steps, request.grid)
    cond = model.labels(label, count)
    *_, last = reverse(model.denoiser, model.path, grid, noise.draw(), noise, solver=request.solver, cond=cond)
    return last.xt.flatten(1).double()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(exact.MODELS))
def test_a_bundled_file_is_what_the_code_writes(name, tmp_path):
    file = exact.write(name, tmp_path)
    assert file.name == bundled(name).name
    aside = {"sha256", "thumbnail"}  # the last bits of an eigenvector may differ between machines
    written, there = (read_card(path).model_dump(exclude=aside) for path in (file, bundled(name)))
    assert written == there
    ours, theirs = load_weights(file), load_weights(bundled(name))
    assert ours.keys() == theirs.keys()
    for key in ours:
        if key == "factors":  # their columns may change sign
            for one, other in zip(ours[key], theirs[key], strict=True):
                torch.testing.assert_close(one @ one.T, other @ other.T, rtol=1e-2, atol=1e-3)
        else:
            torch.testing.assert_close(ours[key], theirs[key], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", list(exact.MODELS))
def test_a_card_says_all_and_stands_among_the_exact_ones(name):
    card = read_card(bundled(name))
    assert card.group == "exact"
    assert card.title
    assert card.description
    assert card.thumbnail
    assert card.licence
    assert card.data.credit
    assert data.dataset(card.data.dataset).labels == card.labels
    request = default_request(card, name)
    assert request.guidance == 1.0
    assert request.model_dump().items() >= card.defaults.items()
    assert bundled(name).stat().st_size < 1.5e6


def test_samples_of_the_ring_have_its_modes_and_their_spread():
    found = sample("exact-ring", 2000)
    means = torch.tensor(data.ring2d.MEANS)
    mode = torch.cdist(found, means).argmin(1)
    counts = torch.bincount(mode, minlength=8).numpy()
    assert np.abs(counts - 250).max() < 4 * np.sqrt(250 * 7 / 8)
    assert (found - means[mode]).std().item() == pytest.approx(0.01, rel=0.05)
    assert (torch.cdist(sample("exact-ring", 50, label=2), means).argmin(1) == 2).all()


def test_samples_of_the_memorised_digits_are_training_digits_of_their_class():
    pictures, labels = data.digits.load("train")
    found = sample("exact-digits", 8, label=4)
    own = torch.tensor(pictures[labels == 4]).flatten(1).double()
    assert torch.cdist(found, own).min(1).values.max() < 1e-3


def test_samples_of_the_points_are_points_of_the_set():
    """Up to the σ of the last step, 0.002: between two points nearer than that lies a mean of them."""
    draw, labels = data.dataset("shapes-2d").draw, np.repeat(np.arange(8), exact.POINTS)
    known = torch.tensor(draw(labels, np.random.default_rng(0), "train")[labels == 6]).double()
    fresh = torch.tensor(draw(np.full(100, 6), np.random.default_rng(9), "train")).double()
    sampled, others = (torch.cdist(x, known).min(1).values for x in (sample("exact-points", 100, label=6), fresh))
    assert sampled.median() < 1e-5
    assert (sampled < 0.001).double().mean() > 0.8 > 0.2 > (others < 0.001).double().mean()


@pytest.mark.parametrize("label", [0, 3, 6])
def test_the_gaussian_of_a_shape_has_its_mean_and_covariance(label):
    fresh = data.dataset("shapes-2d").draw(np.full(20_000, label), np.random.default_rng(5), "train")
    found = sample("exact-gaussian", 20_000, label)
    torch.testing.assert_close(found.mean(0), torch.tensor(fresh.mean(0)).double(), rtol=0, atol=0.02)
    torch.testing.assert_close(found.T.cov(), torch.tensor(np.cov(fresh.T)), rtol=0, atol=0.02)


def test_the_gaussian_of_a_digit_removes_noise_better_than_that_of_another():
    """Held-out digits, noised and estimated with their own class, with another and with none."""
    pictures, labels = data.digits.load("held-out")
    model, at = load_file(bundled("exact-digits-gaussian")), Level(0.75, 0.25, 0.75)
    x0 = torch.from_numpy(pictures[:200])
    x = at.a * x0 + at.s * torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    own, other = torch.from_numpy(labels[:200]), torch.from_numpy(labels[:200] + 1) % 10
    errors = [(model.denoiser(x, at, cond) - x0).square().mean().item() for cond in (own, None, other)]
    assert errors == sorted(errors)
    assert errors[0] < 0.7 * errors[2]
