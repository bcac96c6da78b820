"""Log-likelihoods against closed forms: Gaussians and mixtures, whose density is known at every level."""

from __future__ import annotations

import math

import pytest
import torch
from exact import gaussian, isotropic

from diffstudio.diffusion.denoiser import Estimate
from diffstudio.diffusion.likelihood import log_likelihood, log_likelihood_steps
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec

PATHS = ["flow", "vp_cosine", "vp_linear", "ve"]
SIGMA_MIN = 1e-3
DOUBLE = torch.float64


def path_of(name):
    return make_path(PathSpec(name=name))


def draw(*shape, seed=0):
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def mixture():
    """Three round Gaussians about the origin, of two classes; their mean is 0, as that of the noise."""
    means = torch.tensor([[1.0, 0.3], [-1.0, -0.3], [0.0, 0.0]], dtype=DOUBLE)
    stds = torch.tensor([0.3, 0.3, 0.5], dtype=DOUBLE)
    weights = torch.tensor([0.3, 0.3, 0.4], dtype=DOUBLE)
    return isotropic(weights, means, stds, torch.tensor([0, 0, 1]), any_label=2)


def blurred(known, x0, sigma, path, cond=None):
    """log p of x_0 + σ·ε, from the closed form on that path: p of x_t = a·(x_0 + σ·ε), times a^D."""
    at = level(path, path.t_at_log_snr(-2 * math.log(sigma)))
    return known.log_density(at.a * x0, at, cond) + x0[0].numel() * math.log(at.a)


@pytest.mark.parametrize("name", PATHS)
def test_a_mixture_in_the_plane_has_its_density(name, mixture):
    path, x0 = path_of(name), 0.5 * draw(40, 2)  # further out N(0, s²) is no longer the ve path's own end
    found = log_likelihood(mixture.denoise, path, x0)
    assert found.nfe == 160
    torch.testing.assert_close(found.log_p, blurred(mixture, x0, SIGMA_MIN, path), rtol=0, atol=1e-3)
    assert torch.equal(found.standard_error, torch.zeros(40, dtype=DOUBLE))
    torch.testing.assert_close(found.bits_per_dim, -found.log_p / (2 * math.log(2)))


@pytest.mark.parametrize("name", PATHS)
def test_a_gaussian_is_carried_to_the_noise_that_a_chain_starts_from(name):
    """The ODE keeps (x_t − a·mean)/spread along each axis. So its end is known, and there p is that of N(0, s²)."""
    path, x0, mean = path_of(name), draw(12, 2), torch.tensor([0.4, -0.7], dtype=DOUBLE)
    stds = torch.tensor([0.6, 0.2], dtype=DOUBLE)
    known = gaussian(mean, torch.diag(stds**2))
    end, low = level(path, 1.0), level(path, path.t_at_log_snr(-2 * math.log(SIGMA_MIN)))
    spread0, spread1 = ((at.a**2 * stds**2 + at.s**2).sqrt() for at in (low, end))
    x1 = end.a * mean + spread1 / spread0 * (low.a * x0 - low.a * mean)
    expected = torch.distributions.Normal(0, end.s).log_prob(x1) + (spread1 / spread0).log() + math.log(low.a)
    found = log_likelihood(known.denoise, path, x0, steps=80)
    torch.testing.assert_close(found.log_p, expected.sum(1), rtol=0, atol=1e-4)


def test_the_steps_converge_at_fourth_order(mixture):
    path, x0 = path_of("flow"), 0.5 * draw(10, 2)
    exact_log_p = blurred(mixture, x0, SIGMA_MIN, path)
    errors = [
        (log_likelihood(mixture.denoise, path, x0, steps=n).log_p - exact_log_p).abs().mean().item()
        for n in (40, 80, 160)
    ]
    assert math.log2(errors[0] / errors[2]) / 2 > 3.5, errors


def test_classes_have_their_own_density(mixture):
    path, x0, cond = path_of("flow"), 0.8 * draw(9, 2), torch.arange(9) % 3
    found = log_likelihood(mixture.denoise, path, x0, cond)
    torch.testing.assert_close(found.log_p, blurred(mixture, x0, SIGMA_MIN, path, cond), rtol=0, atol=1e-3)


def test_a_density_on_a_grid_has_the_mass_of_one(mixture):
    side = torch.linspace(-2.5, 2.5, 41, dtype=DOUBLE)
    places = torch.cartesian_prod(side, side)
    found = log_likelihood(mixture.denoise, path_of("flow"), places, steps=12, sigma_min=0.02).log_p
    assert (found.exp().sum() * 0.125**2).item() == pytest.approx(1, abs=0.01)


@pytest.fixture
def pictures():
    """A Gaussian of 8×8 numbers whose neighbours are alike, about a mean of 0; 6 samples of it."""
    places = torch.cartesian_prod(torch.arange(8.0), torch.arange(8.0)).double()
    covariance = 0.25 * (-torch.cdist(places, places) / 2).exp() + 0.01 * torch.eye(64, dtype=DOUBLE)
    x0 = draw(6, 64) @ torch.linalg.cholesky(covariance).T
    return gaussian(torch.zeros(64, dtype=DOUBLE), covariance), x0.view(6, 1, 8, 8)


def test_an_exact_trace_gives_a_picture_its_density(pictures):
    known, x0 = pictures
    path = path_of("vp_linear")
    found = log_likelihood(known.denoise, path, x0, steps=30)
    torch.testing.assert_close(found.log_p, blurred(known, x0, SIGMA_MIN, path), rtol=0, atol=0.01)


def test_hutchinsons_estimate_is_as_far_off_as_its_standard_error_says(pictures):
    """300 samples with their own probes against the exact trace in the same steps: z has the law of Student's t."""
    known, x0 = pictures
    x0 = x0[:1].expand(300, 1, 8, 8)
    exactly = log_likelihood(known.denoise, path_of("flow"), x0[:1], steps=16)
    found = log_likelihood(known.denoise, path_of("flow"), x0, steps=16, probes=24, seed=1)
    z = (found.log_p - exactly.log_p) / found.standard_error
    assert abs(z.mean().item()) < 3 / math.sqrt(300)
    assert z.std().item() == pytest.approx(math.sqrt(23 / 21), rel=0.15)
    assert (z.abs() < 3).double().mean() > 0.98


def test_more_probes_make_the_error_smaller(pictures):
    known, x0 = pictures
    few, many = (log_likelihood(known.denoise, path_of("flow"), x0, steps=20, probes=n) for n in (6, 54))
    assert (few.standard_error.mean() / many.standard_error.mean()).item() == pytest.approx(3, rel=0.25)


def test_a_sample_has_its_own_probes_and_its_own_dequantisation(pictures):
    known, x0 = pictures
    how = {"steps": 4, "probes": 3, "dequantise": True}
    batch = log_likelihood(known.denoise, path_of("flow"), x0, seed=5, **how)
    for i in (0, 4):
        alone = log_likelihood(known.denoise, path_of("flow"), x0[i : i + 1], seed=5 + i, **how)
        torch.testing.assert_close(alone.log_p[0], batch.log_p[i])
        torch.testing.assert_close(alone.standard_error[0], batch.standard_error[i])


def test_bits_of_grey_levels_are_those_of_the_entropy():
    """Numbers of N(0, 0.3²) rounded to 8 bits: their entropy is that of the density, less the width of a level."""
    known = gaussian(torch.zeros(64, dtype=DOUBLE), 0.09 * torch.eye(64, dtype=DOUBLE))
    levels = ((0.3 * draw(30, 64) + 1) * 127.5).round()
    found = log_likelihood(known.denoise, path_of("flow"), levels / 127.5 - 1, probes=2, dequantise=True)
    bins = torch.distributions.Normal(127.5, 0.3 * 127.5)
    expected = -(bins.cdf(levels + 0.5) - bins.cdf(levels - 0.5)).log2().mean(1)
    torch.testing.assert_close(found.bits_per_dim, expected, rtol=0, atol=0.005)


def test_dequantisation_is_uniform_over_one_level():
    seen = []

    def denoise(x, at, cond):
        seen.append(x.detach() / at.a)
        return 0.1 * x

    x0 = torch.zeros(20, 500, dtype=DOUBLE)
    log_likelihood(denoise, path_of("ve"), x0, steps=1, probes=2, dequantise=True)
    assert seen[0].abs().max().item() == pytest.approx(0.5 / 127.5, rel=1e-3)
    assert seen[0].std().item() == pytest.approx(1 / 127.5 / math.sqrt(12), rel=0.02)


def test_single_precision_and_extras_will_do(mixture):
    def denoise(x, at, cond):
        return Estimate(mixture.denoise(x, at, cond), {"variance_range": x})

    x0 = 0.5 * draw(8, 2)
    with torch.no_grad():
        found = log_likelihood(denoise, path_of("flow"), x0.float())
    assert found.log_p.dtype == DOUBLE
    assert not found.log_p.requires_grad
    torch.testing.assert_close(found.log_p, blurred(mixture, x0, SIGMA_MIN, path_of("flow")), rtol=0, atol=3e-3)


def test_progress_comes_with_every_step_and_the_result_with_the_last(mixture):
    calls = []

    def denoise(x, at, cond):
        calls.append(at)
        return mixture.denoise(x, at, cond)

    steps = log_likelihood_steps(denoise, path_of("flow"), draw(2, 2), steps=5)
    first = next(steps)
    assert (first.index, first.steps, first.nfe, first.result, len(calls)) == (1, 5, 4, None, 4)
    rest = list(steps)
    assert [(step.index, step.nfe) for step in rest] == [(2, 8), (3, 12), (4, 16), (5, 20)]
    assert rest[-1].result is not None
    assert rest[-1].result.nfe == len(calls) == 20
    assert calls[0].sigma == pytest.approx(SIGMA_MIN)
    assert calls[-1] == level(path_of("flow"), 1.0)
    stopped = log_likelihood_steps(denoise, path_of("flow"), draw(2, 2), steps=5)
    next(stopped)
    stopped.close()
    assert len(calls) == 24


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"steps": 0}, "at least 1 step, found 0"),
        ({"probes": 1}, "at least 2 probes"),
        ({"probes": -2}, "at least 2 probes"),
        ({"sigma_min": 100.0}, r"σ_min is 100, expected more than 0 and less than the path's largest σ, 80"),
        ({"sigma_min": 0.0}, r"σ_min is 0, expected more than 0"),
    ],
)
def test_what_can_not_be_computed_is_refused(how, sentence, mixture):
    with pytest.raises(BadInput, match=sentence):
        log_likelihood(mixture.denoise, path_of("ve"), draw(2, 2), **how)
