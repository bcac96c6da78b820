"""The bound's term against torch's own divergences, and its optimum against the closed form of a Gaussian."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from diffstudio.diffusion.denoiser import target, x0_from, x0_gain
from diffstudio.diffusion.paths import flow, vp_cosine_table, vp_linear
from diffstudio.training.bound import bound, is_first, variances
from diffstudio.training.objectives import NoiseBatch, noise_loss

PATH = vp_linear(n=50, beta_start=1e-3, beta_end=0.2)
T = np.array([1, 2, 17, 50]) / 50


def columns(*arrays):
    return [torch.from_numpy(np.asarray(values)).view(-1, 1) for values in arrays]


def test_the_variances_are_those_of_the_table():
    small, large, share = variances(PATH, T)
    betas = np.linspace(1e-3, 0.2, 50)
    bars = np.cumprod(1 - betas)
    k = np.array([0, 1, 16, 49])
    before = np.where(k > 0, bars[k - 1], 1.0)
    np.testing.assert_allclose(large, betas[k], rtol=1e-9)
    posterior = betas[k] * (1 - before) / (1 - bars[k])
    posterior[0] = posterior[1]
    np.testing.assert_allclose(small, posterior, rtol=1e-9)
    np.testing.assert_allclose(share, np.sqrt(before) * betas[k] / (1 - bars[k]), rtol=1e-9)
    assert is_first(PATH, T).tolist() == [True, False, False, False]


def test_it_is_the_divergence_of_two_gaussians_and_the_surprise_at_the_data():
    small, large, share, first = columns(*variances(PATH, T), is_first(PATH, T))
    rng = torch.Generator().manual_seed(0)
    v, error = (torch.randn(4, 3, generator=rng, dtype=torch.float64) for _ in range(2))
    std = (large.log() * (v + 1) / 4 + small.log() * (1 - v) / 4).exp()
    means = share * error
    expected = kl_divergence(Normal(torch.zeros_like(means), small.sqrt().expand_as(means)), Normal(means, std))
    expected[0] = -Normal(means, std).log_prob(torch.zeros_like(means))[0]
    for k in range(4):
        one = [x[k : k + 1] for x in (v, error, small, large, share, first)]
        torch.testing.assert_close(bound(*one), expected[k].mean())
    torch.testing.assert_close(bound(v, error, small, large, share, first), expected.mean())


@pytest.mark.parametrize("k", [2, 20, 50])
def test_its_least_value_is_at_the_variance_of_the_reverse_step(k):
    """For Gaussian data of variance c² the reverse step has β̃ + (a′β/s²)²·Var(x_0|x_t), whatever x_t is."""
    t, c2 = np.array([k / 50]), 0.3
    a, s = float(PATH.a(t)[0]), float(PATH.s(t)[0])
    small, large, share, first = columns(*variances(PATH, t), is_first(PATH, t))
    left = c2 * s * s / (a * a * c2 + s * s)
    best = math.log(float(small + share**2 * left) / float(small)) / math.log(float(large / small))
    error = math.sqrt(left) * torch.randn(200_000, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    error *= math.sqrt(left) / error.square().mean().sqrt()  # its mean square is exact
    v = torch.full((1, 1), 2 * best - 1, dtype=torch.float64, requires_grad=True)
    bound(v.expand_as(error), error, small, large, share, first).backward()
    assert abs(float(v.grad)) < 1e-9
    off = torch.full((1, 1), 2 * best - 0.8, dtype=torch.float64)
    assert bound(off, error, small, large, share, first) > bound(v.detach(), error, small, large, share, first)


@pytest.mark.parametrize("prediction", ["eps", "x0", "v", "flow", "edm"])
def test_an_error_of_the_output_is_so_large_in_x0_hat(prediction):
    x0, eps = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    a, s = torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
    right = target(prediction, x0, eps, a, s, 0.7)
    found = x0_from(prediction, right + 0.25, a * x0 + s * eps, 0.8, 0.5, 0.7)
    torch.testing.assert_close(found - x0, (0.25 * x0_gain(prediction, a, s, 0.7)).expand_as(x0))


def test_a_path_without_training_steps_has_no_variances():
    with pytest.raises(ValueError, match="path 'flow' has no integer training steps"):
        variances(flow(), T)


def test_zero_terminal_snr_stays_finite():
    path = vp_cosine_table(n=10, zero_snr=1)
    found = variances(path, np.arange(1, 11) / 10)
    assert all(np.isfinite(values).all() and (values > 0).all() for values in found)


class Constant(torch.nn.Module):
    """The same prediction and the same range everywhere."""

    def __init__(self):
        super().__init__()
        self.out, self.v = (torch.nn.Parameter(torch.tensor(value)) for value in (0.3, -0.2))

    def forward(self, x, t, labels):
        return torch.cat([self.out.expand_as(x), self.v.expand_as(x)], 1)


def test_the_bound_teaches_the_variance_and_leaves_the_mean_to_the_plain_loss(make_recipe):
    spec = {"name": "vp_linear", "params": {"n": 50, "beta_start": 1e-3, "beta_end": 0.2}}
    recipe = make_recipe({"bound": 0.1}, prediction="x0", learned_range=True, path=spec)
    x0, eps = np.random.default_rng(0).normal(size=(2, 4, 2)).astype(np.float32)
    batch = NoiseBatch(x0, eps, np.zeros(4, np.int64), T, PATH.a(T), PATH.s(T))
    network = Constant()
    noise_loss(network, recipe, PATH, batch, "cpu").backward()
    assert float(network.out.grad) == pytest.approx(2 * (0.3 - x0.mean()), rel=1e-4)
    v = torch.tensor([[-0.2]], dtype=torch.float64, requires_grad=True)
    error = torch.from_numpy(0.3 - x0).double()
    known = columns(*variances(PATH, T), is_first(PATH, T))
    (0.1 * 50 * bound(v.expand(4, 2), error, *known)).backward()
    assert float(network.v.grad) == pytest.approx(float(v.grad), rel=1e-4)
