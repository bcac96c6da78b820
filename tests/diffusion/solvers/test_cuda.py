"""No solver but the adaptive one asks the device a question."""

from __future__ import annotations

import pytest
import torch
from exact import Mixture

from diffstudio import options
from diffstudio.diffusion.brownian import BrownianNoise
from diffstudio.diffusion.chain import invert, reverse
from diffstudio.diffusion.denoiser import Estimate
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels
from diffstudio.specs import PathSpec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
FIXED = [name for name, row in options.SOLVERS.items() if row.evals_per_step is not None and row.needs != "tokens"]


@pytest.fixture
def on_device():
    """A state on the device; from there on a synchronisation is an error."""
    x = torch.randn(4, 3, 8, 8, device="cuda")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    yield x
    torch.cuda.set_sync_debug_mode("default")


def denoise(x, at, cond):
    return Estimate(Mixture().denoise(x, at), {"variance_range": torch.full_like(x, 0.5)})


@pytest.mark.parametrize("path_name", ["flow", "vp_linear", "ve"])
@pytest.mark.parametrize("solver", FIXED)
def test_a_chain_runs_without_a_synchronisation(solver, path_name, on_device):
    path = make_path(PathSpec(name=path_name))
    row = options.SOLVERS[solver]
    noise = (BrownianNoise if row.noise == "brownian" else SampleNoise)(0, 4, (3, 8, 8))
    params = {"s_churn": 20.0} if solver == "heun" else None
    steps = list(reverse(denoise, path, levels(path, 8), on_device, noise, solver=solver, params=params))
    torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(steps[-1].xt).all()


def test_inversion_runs_without_a_synchronisation(on_device):
    path = make_path(PathSpec(name="flow"))
    steps = list(invert(denoise, path, levels(path, 8)[::-1], on_device, refinements=2))
    torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(steps[-1].xt).all()
