"""The adaptive reference: as exact as it is told to be, with calls that it counts."""

from __future__ import annotations

import pytest
import torch
from exact import Mixture

from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level, levels
from diffstudio.specs import PathSpec

DENOISE = Mixture().denoise
X = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]


def path_of(name):
    return make_path(PathSpec(name=name, params={"sigma_max": 10} if name == "ve" else {}))


def run(path, grid, rtol, denoise=DENOISE):
    *_, last = reverse(denoise, path, grid, X, SampleNoise(0, 9, (1,)), solver="rk45", params={"rtol": rtol})
    return last


@pytest.mark.parametrize("name", ["flow", "vp_cosine", "vp_linear", "ve"])
def test_its_error_follows_the_tolerance(name):
    path = path_of(name)
    grid = [level(path, path.t_at_log_snr(log_snr)) for log_snr in (-4, -1, 3, 4)]
    exact = Mixture().flow(X, grid[0], grid[-1])
    ends = {rtol: run(path, grid, rtol) for rtol in (1e-4, 1e-6, 1e-8)}
    for rtol, last in ends.items():
        assert (last.xt - exact).abs().max().item() < 50 * rtol
    assert ends[1e-4].nfe < ends[1e-6].nfe < ends[1e-8].nfe


@pytest.mark.parametrize("name", ["flow", "vp_cosine", "ve"])
def test_it_reaches_the_data(name):
    """From t = 1 (a = 0 on the first two) to s = 0, against a fine grid of itself."""
    path = path_of(name)
    fine = run(path, levels(path, 40, "karras"), 1e-7).xt
    coarse = run(path, levels(path, 3), 1e-6).xt
    torch.testing.assert_close(coarse, fine, rtol=1e-4, atol=1e-4)


def test_it_counts_its_calls():
    path, calls = path_of("flow"), []

    def denoise(x, at, cond):
        calls.append(at)
        return DENOISE(x, at)

    assert run(path, levels(path, 4), 1e-4, denoise).nfe == len(calls) > 4 * 6


def test_float32_with_a_tolerance_below_rounding_ends():
    path = path_of("flow")
    *_, last = reverse(
        Mixture().denoise,
        path,
        levels(path, 2),
        X.float(),
        SampleNoise(0, 9, (1,)),
        solver="rk45",
        params={"rtol": 1e-10},
    )
    torch.testing.assert_close(last.xt.double(), run(path, levels(path, 2), 1e-8).xt, rtol=1e-4, atol=1e-4)
