"""Exact denoisers against brute force: integrals on a grid, loops over the data, derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from exact import Gaussian, gaussian, isotropic
from exact import Mixture as OnALine

from diffstudio.diffusion import exact
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import Level, levels
from diffstudio.specs import PathSpec

PLACES = [Level(0.5, 0.5, 0.5), Level(0.5, 0.8, 0.6), Level(0.5, 1.0, 3.0), Level(0.1, 0.95, 0.1)]
ANY = 2


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def mixture():
    """Three components in the plane, of two classes: one round, one slanted, one with a main axis and a floor."""
    factors = torch.tensor([[[0.5], [0.3]], [[0.0], [0.4]], [[-0.3], [0.3]]], dtype=torch.float64)
    means = torch.tensor([[0.5, -0.3], [-0.8, 0.4], [0.1, 0.9]], dtype=torch.float64)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    floors = torch.tensor([0.04, 0.09, 0.02], dtype=torch.float64)
    return exact.factored(weights, means, factors, floors, torch.tensor([0, 1, 0]), any_label=ANY), factors


def covariances(mixture, factors):
    return factors @ factors.mT + mixture.floors[:, None, None] * torch.eye(2, dtype=torch.float64)


def density(mixture, factors, points, label):
    """p(x_0 | label) at points (N, 2), by the formula of a multivariate Gaussian."""
    total, mass = torch.zeros(len(points), dtype=torch.float64), 0.0
    for k, covariance in enumerate(covariances(mixture, factors)):
        if label in (ANY, int(mixture.labels[k])):
            apart = points - mixture.means[k]
            exponent = -0.5 * (apart @ torch.linalg.inv(covariance) * apart).sum(1)
            norm = 2 * math.pi * torch.linalg.det(covariance).sqrt()
            total += mixture.weights[k] * exponent.exp() / norm
            mass += mixture.weights[k]
    return total / mass


@pytest.mark.parametrize("label", [0, 1, ANY])
@pytest.mark.parametrize("at", PLACES)
def test_a_mixture_is_what_integration_says(mixture, at, label):
    """E[x_0 | x_t] = ∫ x_0·p(x_t | x_0)·p(x_0) / ∫ p(x_t | x_0)·p(x_0), summed over a fine grid of x_0."""
    known, factors = mixture
    side = torch.linspace(-4, 4, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    prior = density(known, factors, grid, label) * (side[1] - side[0]) ** 2
    x = at.a * draw(5, 2) + 0.5 * at.s * draw(5, 2, seed=1)
    cond = torch.full((5,), label)
    found, log_p = known.denoise(x, at, cond), known.log_density(x, at, cond)
    for i, place in enumerate(x):
        likelihood = (-((place - at.a * grid) ** 2).sum(1) / (2 * at.s**2)).exp() / (2 * math.pi * at.s**2)
        evidence = (likelihood * prior).sum()
        expected = (grid * (likelihood * prior)[:, None]).sum(0) / evidence
        torch.testing.assert_close(found[i], expected, rtol=1e-6, atol=1e-6)
        assert log_p[i].item() == pytest.approx(math.log(evidence), abs=1e-6)


def test_a_batch_of_labels_is_each_by_itself(mixture):
    known, _ = mixture
    x, cond = draw(6, 2), torch.tensor([0, 1, 2, 0, 2, 1])
    both = known.denoise(x, PLACES[1], cond), known.log_density(x, PLACES[1], cond)
    for i in range(6):
        alone = (f(x[i : i + 1], PLACES[1], cond[i : i + 1]) for f in (known.denoise, known.log_density))
        for batch, one in zip(both, alone, strict=True):
            torch.testing.assert_close(batch[i], one[0])
    torch.testing.assert_close(known.denoise(x, PLACES[1]), known.denoise(x, PLACES[1], torch.full((6,), ANY)))


@pytest.mark.parametrize("at", PLACES)
def test_a_gaussian_of_any_covariance_is_the_matrix_formula(at):
    root, mean, x = draw(4, 4), draw(4, seed=1), draw(7, 4, seed=2)
    covariance = root @ root.T
    found = gaussian(mean, covariance).denoise(x, at)
    gain = at.a * covariance @ torch.linalg.inv(at.a**2 * covariance + at.s**2 * torch.eye(4, dtype=torch.float64))
    torch.testing.assert_close(found, mean + (x - at.a * mean) @ gain.T)
    law = torch.distributions.MultivariateNormal(
        at.a * mean, at.a**2 * covariance + at.s**2 * torch.eye(4, dtype=torch.float64)
    )
    torch.testing.assert_close(gaussian(mean, covariance).log_density(x, at), law.log_prob(x))


def test_a_gaussian_without_spread_in_a_direction_is_known_there():
    """A singular covariance: x̂0 stays on the line that the data lie on."""
    direction = torch.tensor([[0.6], [0.8]], dtype=torch.float64)
    known = gaussian(torch.zeros(2, dtype=torch.float64), direction @ direction.T)
    found = known.denoise(draw(5, 2), PLACES[0])
    torch.testing.assert_close(found[:, 0] * 0.8, found[:, 1] * 0.6, rtol=0, atol=1e-7)


def test_round_mixtures_agree_with_those_on_a_line():
    one, ours = OnALine(1.0, 0.3), torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    known = isotropic(torch.ones(2).double(), ours, torch.full((2,), 0.3).double())
    x = draw(9, 1)
    for at in PLACES:
        torch.testing.assert_close(known.denoise(x, at), one.denoise(x, at))


@pytest.mark.parametrize("kind", ["mixture", "finite"])
def test_the_score_is_the_gradient_of_the_log_density(kind, mixture):
    data, labels = draw(30, 2, seed=4), torch.arange(30) % 2
    known = mixture[0] if kind == "mixture" else exact.finite(data, labels, 2)
    x, cond = draw(6, 2).requires_grad_(), torch.tensor([0, 1, ANY, ANY, 1, 0])
    for at in PLACES:
        (gradient,) = torch.autograd.grad(known.log_density(x, at, cond).sum(), x)
        torch.testing.assert_close(exact.score(known, x.detach(), at, cond), gradient)


@pytest.fixture(params=[False, True], ids=["by class", "by mask"])
def by_mask(request, monkeypatch):
    """Both ways in which the classes of a finite set are told apart."""
    monkeypatch.setattr(exact, "_waits", lambda device: request.param)


@pytest.mark.usefixtures("by_mask")
@pytest.mark.parametrize("at", [*PLACES, Level(1.0, 1e-3, 1.0), Level(1.0, 0.0, 1.0), Level(1e-4, 1.0, 1e-3)])
def test_a_finite_set_is_the_loop_over_its_points(at):
    data, labels = draw(40, 3), torch.arange(40) * 7 % 3
    known = exact.finite(data, labels, 3)
    cond = torch.tensor([0, 3, 2, 1, 3, 1])
    x = at.a * data[:6] + at.s * draw(6, 3, seed=1)
    found, log_p = known.denoise(x, at, cond), known.log_density(x, at, cond)
    for i in range(6):
        allowed = [k for k in range(40) if cond[i] in (3, labels[k])]
        exponents = [-sum((x[i, j] - at.a * data[k, j]) ** 2 for j in range(3)).item() / (2 * at.s**2) for k in allowed]
        top = max(exponents)
        weights = [math.exp(e - top) for e in exponents]
        expected = sum(w * data[k] for w, k in zip(weights, allowed, strict=True)) / sum(weights)
        torch.testing.assert_close(found[i], expected, rtol=1e-8, atol=1e-8)
        evidence = top + math.log(sum(weights) / len(allowed)) - 1.5 * math.log(2 * math.pi * at.s**2)
        assert log_p[i].item() == pytest.approx(evidence, rel=1e-8, abs=1e-8)


@pytest.mark.usefixtures("by_mask")
def test_a_finite_set_in_single_precision_finds_the_point_next_to_it_at_tiny_s():
    """784 numbers of size 1 at s = 1e-4: in float32 the distances would be wrong by hundreds of nats."""
    data = torch.sign(draw(200, 784)).float()
    data[1::2] = data[::2]
    data[1::2, 0] *= -1  # pairs that differ in one number
    known = exact.finite(data.double(), torch.arange(200) % 4, 4)
    at = Level(1e-4, 0.9999, 1e-4)
    x = (at.a * data[:20] + at.s * draw(20, 784)).float().view(20, 1, 28, 28)
    found = known.denoise(x, at, torch.full((20,), 4))
    assert found.dtype == torch.float32
    assert torch.equal(found.flatten(1), data[:20])


@pytest.mark.usefixtures("by_mask")
def test_a_finite_set_is_computed_in_parts(monkeypatch):
    known = exact.finite(draw(40, 3), torch.arange(40) % 3, 3)
    x, cond = draw(10, 3, seed=1), torch.arange(10) % 4
    whole = known.denoise(x, PLACES[0], cond), known.log_density(x, PLACES[0], cond)
    monkeypatch.setattr(exact, "CHUNK_ELEMENTS", 80)
    parts = known.denoise(x, PLACES[0], cond), known.log_density(x, PLACES[0], cond)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


def test_a_label_that_is_none_of_the_classes_is_an_error():
    with pytest.raises(IndexError):
        exact.finite(draw(4, 2), torch.arange(4) % 2, 2).denoise(draw(1, 2), PLACES[0], torch.tensor([3]))


def test_far_from_the_data_the_mean_of_the_class_is_the_best_guess():
    data, labels = draw(40, 2), torch.arange(40) % 2
    known = exact.finite(data, labels, 2)
    at = Level(1.0, 0.0, 1.0)
    x, cond = draw(3, 2, seed=1), torch.tensor([0, 1, 2])
    expected = torch.stack([data[::2].mean(0), data[1::2].mean(0), data.mean(0)])
    torch.testing.assert_close(known.denoise(x, at, cond), expected)


def test_the_exact_ring_is_sampled_with_its_modes_and_their_spread():
    angles = torch.arange(8, dtype=torch.float64) * (math.pi / 4)
    means = torch.stack([angles.cos(), angles.sin()], dim=1)
    known = isotropic(torch.ones(8).double(), means, torch.full((8,), 0.01).double())
    path = make_path(PathSpec(name="flow"))
    noise = SampleNoise(0, 2000, (2,), dtype=torch.float64)
    *_, last = reverse(known.denoise, path, levels(path, 100, "karras"), noise.draw(), noise, solver="dpmpp_2m")
    mode = torch.cdist(last.xt, means).argmin(1)
    counts = torch.bincount(mode, minlength=8).numpy()
    assert np.abs(counts - 250).max() < 4 * math.sqrt(250 * 7 / 8)
    away = last.xt - means[mode]
    assert away.std().item() == pytest.approx(0.01, rel=0.05)
    assert (away.norm(dim=1) < 0.05).all()


def test_in_single_precision_the_answer_is_that_of_double(mixture):
    """The networks' precision at the edge, float64 inside."""
    x, cond = draw(6, 2), torch.tensor([0, 1, 2, 0, 2, 1])
    for known in (mixture[0], exact.finite(draw(30, 2, seed=4), torch.arange(30) % 2, 2)):
        for at in PLACES:
            single = known.denoise(x.float(), at, cond)
            assert single.dtype == torch.float32
            torch.testing.assert_close(single.double(), known.denoise(x, at, cond), rtol=1e-5, atol=1e-5)


def test_one_gaussian_agrees_with_the_one_in_closed_form():
    one = Gaussian(0.7, 0.6)
    known = isotropic(torch.ones(1).double(), torch.full((1, 3), 0.7).double(), torch.tensor([0.6]).double())
    x = draw(4, 3)
    for at in PLACES:
        torch.testing.assert_close(known.denoise(x, at), one.denoise(x, at))
