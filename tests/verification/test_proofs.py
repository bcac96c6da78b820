"""The proofs hold, and each can fail."""

from __future__ import annotations

import math

import pytest
import torch

from diffstudio import options
from diffstudio.diffusion.solvers import SOLVERS, ddim
from diffstudio.diffusion.solvers.context import blend
from diffstudio.diffusion.times import level
from diffstudio.verification import against_diffusers, densities, identities, inversion, moments, orders, speed
from diffstudio.verification.report import TIMED
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Gaussian, Mixture, even_levels, path_of

# diffusers turns tensors into numpy arrays in ways that numpy 2 finds old.
pytestmark = pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")

PROOFS = [
    pytest.param(orders.convergence, marks=pytest.mark.slow),
    orders.strong_convergence,
    identities.identities,
    moments.forward_moments,
    pytest.param(moments.ancestral_moments, marks=pytest.mark.slow),
    inversion.inversion,
    densities.densities,
    against_diffusers.agreement,
]


@pytest.mark.parametrize("proof", PROOFS)
def test_every_row_holds(proof):
    rows = proof()
    assert [row for row in rows if not row.ok] == []
    names = [(row.group, row.name) for row in rows]
    assert len(set(names)) == len(names) > 1


def test_every_solver_that_diffusers_has_too_is_timed(monkeypatch):
    """How fast, `diffstudio verify` says: a test that compares times fails where the machine is busy with another."""
    monkeypatch.setattr(speed, "BLOCKS", 1)
    monkeypatch.setattr(speed, "RUNS", 1)
    rows = speed.step_times()
    assert [row.name for row in rows] == [f"one step of {solver}" for solver in speed.SCHEDULERS]
    assert all(0 < row.measured < math.inf and row.group == TIMED for row in rows)


def test_a_row_holds_within_its_bounds():
    assert Row("g", "n", 2.1, 2.0, 0.15).ok
    assert not Row("g", "n", 2.2, 2.0, 0.15).ok
    assert Row("g", "n", 1e-6, 1e-5).ok
    assert not Row("g", "n", 2e-5, 1e-5).ok
    for within in (None, 0.1):
        assert not Row("g", "n", math.nan, 1.0, within).ok


def test_every_solver_of_an_order_is_among_the_proofs(monkeypatch):
    monkeypatch.setattr(orders, "_error", lambda path, steps, solver, params: 1.0 / steps)
    found = {row.name.split(",")[0].split(" ")[0] for row in orders.convergence()}
    assert found == {name for name, row in options.SOLVERS.items() if row.order is not None}


def test_a_wrong_coefficient_breaks_the_order_and_the_agreement(monkeypatch):
    """DDIM that keeps a thousandth too much of x_t."""

    def wrong(step, eta=0.0):
        return blend(1.001, ddim(step, eta))

    monkeypatch.setitem(SOLVERS, "ddim", wrong)
    broken = [row for row in orders.convergence() if row.name.startswith("ddim")]
    assert broken and not any(row.ok for row in broken)
    assert any(not row.ok for row in identities.identities() if "DDIM" in row.name)
    assert any(not row.ok for row in against_diffusers.agreement() if row.name.startswith("DDIMScheduler"))
    assert any(not row.ok for row in inversion.inversion() if row.name.startswith("ddim"))


def test_the_comparison_with_diffusers_tells_the_variants_apart(monkeypatch):
    """bh1 in the place of bh2, and the true 3M in the place of the shipped one."""
    unipc, true = SOLVERS["unipc"], SOLVERS["dpmpp_3m_true"]
    monkeypatch.setitem(SOLVERS, "unipc", lambda step, order, variant: unipc(step, order, 3 - variant))
    monkeypatch.setitem(SOLVERS, "dpmpp_3m", true)
    rows = {row.name: row for row in against_diffusers.agreement()}
    for name in (
        "UniPCMultistepScheduler, 2, bh1",
        "UniPCMultistepScheduler, 2, bh2",
        "DPMSolverMultistepScheduler, 3",
    ):
        assert not rows[name].ok


def test_the_truth_of_the_mixture_is_its_posterior_mean():
    """Against the mean of data drawn and weighted by their likelihood, and its flow keeps the score's direction."""
    generator = torch.Generator().manual_seed(0)
    sign = torch.randint(0, 2, (400_000,), generator=generator) * 2.0 - 1
    x0 = sign.double() + 0.3 * torch.randn(400_000, dtype=torch.float64, generator=generator)
    at = even_levels(path_of("flow"), 4)[2]
    for x in (-0.7, 0.1, 1.2):
        weight = torch.exp(-((x - at.a * x0) ** 2) / (2 * at.s**2))
        expected = (weight * x0).sum() / weight.sum()
        found = Mixture().denoise(torch.tensor([x], dtype=torch.float64), at)
        assert found.item() == pytest.approx(expected.item(), abs=0.01)


@pytest.mark.parametrize("truth", [Gaussian(), Mixture()])
@pytest.mark.parametrize("name", ["flow", "vp_linear", "ve"])
def test_the_flow_carries_the_density_from_level_to_level(truth, name):
    """log p_start(x) = log p_end(x_end) + log |∂x_end/∂x|, the derivative by differences."""
    start, end = level(path_of(name), 0.2), level(path_of(name), 1.0)
    x = torch.linspace(-1.5, 1.5, 13, dtype=torch.float64) * max(start.a, start.s)
    h = 1e-4
    slope = (truth.flow(x + h, start, end) - truth.flow(x - h, start, end)) / (2 * h)
    expected = truth.log_density(truth.flow(x, start, end), end) + slope.log()
    torch.testing.assert_close(truth.log_density(x, start), expected, rtol=1e-5, atol=1e-5)
