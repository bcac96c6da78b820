"""First-order steps against their papers, written out a second time."""

from __future__ import annotations

import math

import pytest
import torch
from exact import Gaussian, Mixture

from diffstudio.diffusion import solvers
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec

X = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
Z = torch.tensor([[0.3], [-1.2], [0.0], [2.0], [-0.4]], dtype=torch.float64)


def step(name="vp_cosine", truth=None, x=X, t=0.5, t_to=0.4, **given):
    truth, path = truth or Mixture(), make_path(PathSpec(name=name))
    at, to = level(path, t), level(path, t_to)
    return solvers.StepContext(x, truth.denoise(x, at), at, to, path, truth.denoise, lambda *_: Z, **given)


@pytest.mark.parametrize("name", ["vp_linear", "vp_cosine"])
def test_ddpm_is_the_posterior_of_ho_et_al(name):
    """Equations 6 and 7 written out in α and ᾱ, with the same noise."""
    context = step(name, Gaussian())
    bar, bar_to = context.at.a**2, context.to.a**2
    alpha = bar / bar_to
    beta = 1 - alpha
    mean = math.sqrt(bar_to) * beta / (1 - bar) * context.x0_hat + math.sqrt(alpha) * (1 - bar_to) / (1 - bar) * X
    posterior = (1 - bar_to) / (1 - bar) * beta
    small = mean + math.sqrt(posterior) * Z
    torch.testing.assert_close(solvers.ddpm(context), small, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(solvers.ddim(context, eta=1.0), small, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(solvers.ddpm_large(context), mean + math.sqrt(beta) * Z, rtol=1e-10, atol=1e-10)
    # Nichol & Dhariwal 2021, eq. 15
    v = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None]
    learned = step(name, Gaussian(), extras={"variance_range": v})
    variance = torch.exp(v * math.log(beta) + (1 - v) * math.log(posterior))
    torch.testing.assert_close(solvers.ddpm_learned(learned), mean + variance.sqrt() * Z, rtol=1e-10, atol=1e-10)


def test_a_network_without_a_learned_variance_is_refused():
    with pytest.raises(BadInput, match="learned its variance"):
        solvers.ddpm_learned(step())


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_euler_ancestral_is_that_of_k_diffusion(eta):
    """Written in σ, with a = 1: step down to σ_down, add σ_up."""
    context = step("ve", x=40 * X)
    sigma, sigma_to = context.at.s, context.to.s
    up = min(sigma_to, eta * math.sqrt(sigma_to**2 * (sigma**2 - sigma_to**2) / sigma**2))
    down = math.sqrt(sigma_to**2 - up**2)
    expected = context.x + (context.x - context.x0_hat) / sigma * (down - sigma) + up * Z
    torch.testing.assert_close(solvers.euler_ancestral(context, eta), expected, rtol=1e-12, atol=1e-12)


def test_the_consistency_step_noises_x0_hat_anew():
    context = step("flow")
    expected = context.to.a * context.x0_hat + context.to.s * Z
    torch.testing.assert_close(solvers.lcm(context), expected)
    last = step("flow", t_to=0.0)
    torch.testing.assert_close(solvers.lcm(last), last.x0_hat)


def test_a_step_leaves_what_it_was_given_alone():
    """The recorded states are not copies: no solver may write into them."""
    for name, solver in solvers.SOLVERS.items():
        extras = {"variance_range": torch.full_like(X, 0.5)}
        context = step(extras=extras)
        kept = [tensor.clone() for tensor in (context.x, context.x0_hat, Z, extras["variance_range"])]
        solver(context)
        for before, after in zip(kept, (context.x, context.x0_hat, Z, extras["variance_range"]), strict=True):
            assert torch.equal(before, after), name
