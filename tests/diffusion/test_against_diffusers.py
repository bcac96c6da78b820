"""Paths, grids and predictions against the numbers of diffusers' schedulers, which are computed in single precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EDMEulerScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LCMScheduler,
    TCDScheduler,
)

from diffstudio.diffusion.clipping import dynamically_thresholded
from diffstudio.diffusion.denoiser import clock, network_time, network_x, x0_from
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import GRIDS, Level, level, levels
from diffstudio.specs import PathSpec

# Their NumPy call, of a tensor.
OLD_CALL = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SCHEDULES = {
    "vp_linear": "linear",
    "vp_scaled_linear": "scaled_linear",
    "vp_cosine_table": "squaredcos_cap_v2",
    "vp_sigmoid": "sigmoid",
}


def path_of(name, **params):
    return make_path(PathSpec(name=name, params=params))


def ends(name):
    return {"beta_start": 0.00085, "beta_end": 0.012} if name == "vp_scaled_linear" else {}


def alpha_bar(path):
    return path.a(np.array([path.t_at_timestep(k) for k in range(path.n)])) ** 2


@pytest.mark.parametrize("n", [1000, 100])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_table_has_their_alpha_bar(name, n):
    theirs = DDPMScheduler(n, beta_schedule=SCHEDULES[name], **ends(name)).alphas_cumprod.numpy()
    # A product of n factors that are rounded to single precision; the cosine's last one is 1 − 0.999.
    np.testing.assert_allclose(alpha_bar(path_of(name, n=n)), theirs, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_terminal_snr_has_their_alpha_bar(name):
    theirs = DDPMScheduler(1000, beta_schedule=SCHEDULES[name], rescale_betas_zero_snr=True, **ends(name))
    np.testing.assert_allclose(
        alpha_bar(path_of(name, zero_snr=1)), theirs.alphas_cumprod.numpy(), rtol=2e-3, atol=1e-6
    )


def test_a_table_of_ones_own_has_their_alpha_bar():
    betas = (0.01, 0.2, 0.05, 0.4)
    theirs = DDPMScheduler(4, trained_betas=list(betas)).alphas_cumprod.numpy()
    np.testing.assert_allclose(alpha_bar(make_path(PathSpec(name="vp_table", betas=betas))), theirs, rtol=1e-6)


@pytest.mark.parametrize("n", [1000, 357])
@pytest.mark.parametrize("grid", ["leading", "linspace", "trailing"])
def test_training_steps_are_theirs_for_every_number_of_steps(grid, n):
    path, scheduler = path_of("vp_linear", n=n), DDIMScheduler(n, timestep_spacing=grid)
    for steps in range(1, n + 1):
        scheduler.set_timesteps(steps)
        theirs = scheduler.timesteps.tolist()[:steps]  # rounding gives them a step too many, the data, for some
        ours = [path.timestep(t) for t in GRIDS[grid](path, steps)[:-1]]
        assert ours == theirs, steps


@pytest.mark.parametrize("steps", [1, 4, 30, 50])
def test_the_offset_of_leading_is_theirs(steps):
    path, scheduler = path_of("vp_scaled_linear"), DDIMScheduler(1000, timestep_spacing="leading", steps_offset=1)
    scheduler.set_timesteps(steps)
    ours = levels(path, steps, "leading", params={"steps_offset": 1})[:-1]
    assert [path.timestep(at.t) for at in ours] == scheduler.timesteps.tolist()


@OLD_CALL
@pytest.mark.parametrize(
    ("grid", "theirs"), [("karras", "use_karras_sigmas"), ("exponential", "use_exponential_sigmas")]
)
@pytest.mark.parametrize("steps", [2, 10, 30])
def test_ramps_of_sigma_on_a_table_are_theirs(grid, theirs, steps):
    path = path_of("vp_scaled_linear")
    scheduler = EulerDiscreteScheduler(1000, beta_schedule="scaled_linear", **ends(path.name), **{theirs: True})
    scheduler.set_timesteps(steps)
    first, last = level(path, 1.0).sigma, level(path, 0.001).sigma
    found = levels(path, steps, grid, params={"sigma_min": last, "sigma_max": first})
    np.testing.assert_allclose([at.sigma for at in found], scheduler.sigmas.numpy(), rtol=1e-4)


@pytest.mark.parametrize("grid", ["karras", "exponential"])
@pytest.mark.parametrize("steps", [2, 18, 40])
def test_ramps_of_sigma_on_edms_path_are_theirs(grid, steps):
    scheduler = EDMEulerScheduler(sigma_schedule=grid)
    scheduler.set_timesteps(steps)
    for name in ("ve", "edm"):
        found = levels(path_of(name), steps, grid)
        np.testing.assert_allclose([at.sigma for at in found], scheduler.sigmas.numpy(), rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 28])
@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_the_shift_of_flow_is_theirs(shift, steps):
    """Given their own pipelines' σ = 1 … 1/S; without, they shift the last one twice."""
    scheduler = FlowMatchEulerDiscreteScheduler(1000, shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps).tolist())
    theirs = scheduler.sigmas.numpy()
    on_grid = levels(path_of("flow"), steps, "shifted", params={"shift": shift})
    on_path = levels(path_of("flow", shift=shift), steps)
    for found in (on_grid, on_path):
        np.testing.assert_allclose([at.s for at in found], theirs, atol=1e-6)
        np.testing.assert_allclose([at.a for at in found], 1 - theirs, atol=1e-6)


@pytest.mark.parametrize("side", [32, 64, 96, 128])
def test_the_shift_by_size_is_theirs(side):
    """Flux' pipeline gives μ on the line from (256, 0.5) to (4096, 1.15), for 2×2 patches of the latent."""
    scheduler = FlowMatchEulerDiscreteScheduler(1000, shift=1.0, use_dynamic_shifting=True)
    slope = (scheduler.config.max_shift - scheduler.config.base_shift) / (
        scheduler.config.max_image_seq_len - scheduler.config.base_image_seq_len
    )
    mu = scheduler.config.base_shift + slope * ((side // 2) ** 2 - scheduler.config.base_image_seq_len)
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / 20, 20).tolist(), mu=mu)
    found = levels(path_of("flow"), 20, "shifted_resolution", shape=(16, side, side))
    np.testing.assert_allclose([at.s for at in found], scheduler.sigmas.numpy(), atol=1e-6)
    assert found[1].t == pytest.approx(math.exp(mu) / (math.exp(mu) + 1 / 0.95 - 1), rel=1e-12)


@pytest.mark.parametrize("sigma", [0.002, 0.5, 80.0])
def test_edms_preconditioning_is_theirs(sigma):
    scheduler = EDMEulerScheduler(sigma_data=0.6)
    x, out = (torch.randn(2, 3, generator=torch.Generator().manual_seed(k)) * (1 + sigma) for k in (0, 1))
    torch.testing.assert_close(network_x("edm", x, 1.0, sigma, 0.6), scheduler.precondition_inputs(x, sigma))
    torch.testing.assert_close(
        x0_from("edm", out, x, 1.0, sigma, 0.6), scheduler.precondition_outputs(x, out, sigma), rtol=1e-5, atol=1e-5
    )
    assert network_time("edm", 0.5, 1.0, sigma) == pytest.approx(scheduler.precondition_noise(sigma).item(), rel=1e-6)


@pytest.mark.parametrize("sigma", [0.002, 0.5, 80.0])
def test_v_in_edms_sigma_is_theirs(sigma):
    scheduler = EDMEulerScheduler(sigma_data=1.0, prediction_type="v_prediction", sigma_max=120.0)
    path = path_of("vp_edm")
    at = level(path, path.t_at_log_snr(-2 * math.log(sigma)))
    x, out = (torch.randn(2, 3, generator=torch.Generator().manual_seed(k)) * (1 + sigma) for k in (0, 1))
    torch.testing.assert_close(network_x("v", at.a * x, at.a, at.s), scheduler.precondition_inputs(x, sigma))
    found = x0_from("v", out, at.a * x, at.a, at.s)
    torch.testing.assert_close(found, scheduler.precondition_outputs(x, out, sigma), rtol=1e-5, atol=1e-5)
    assert clock("log_sigma", path)(at) == pytest.approx(scheduler.precondition_noise(sigma).item(), rel=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 4, 8, 50])
@pytest.mark.parametrize("theirs", [LCMScheduler, TCDScheduler])
@pytest.mark.parametrize(("n", "original"), [(1000, 50), (1000, 100), (357, 50)])
def test_the_times_of_a_distillation_are_theirs(theirs, n, original, steps):
    path, scheduler = path_of("vp_scaled_linear", n=n), theirs(n, original_inference_steps=original)
    scheduler.set_timesteps(steps)
    found = levels(path, steps, "lcm", params={"original": original})[:-1]
    assert [path.timestep(at.t) for at in found] == scheduler.timesteps.tolist()


@OLD_CALL
@pytest.mark.parametrize("n", [1000, 357])
@pytest.mark.parametrize("steps", [1, 2, 7, 25, 50])
@pytest.mark.parametrize("grid", ["leading", "linspace", "trailing"])
@pytest.mark.parametrize("clipped", [-math.inf, -5.1, -3.0])
def test_training_steps_of_multistep_schedulers_are_theirs(grid, steps, n, clipped):
    scheduler = DPMSolverMultistepScheduler(n, timestep_spacing=grid, lambda_min_clipped=clipped)
    scheduler.set_timesteps(steps)
    path = path_of("vp_linear", n=n)
    cut = int((0.5 * path.log_snr((np.arange(n) + 1) / n) < clipped).sum())
    spare = {} if grid == "trailing" else {"spare": 1}
    found = levels(path, steps, grid, params={"cut": cut, **spare})[:-1]
    theirs = scheduler.timesteps.tolist()
    if len(theirs) == steps:  # where more is cut than one stride has, theirs are fewer
        assert [path.timestep(at.t) for at in found] == theirs


@OLD_CALL
@pytest.mark.parametrize("steps", [1, 7, 30])
def test_times_between_training_steps_are_theirs(steps):
    scheduler = EulerDiscreteScheduler(1000, beta_schedule="scaled_linear", **ends("vp_scaled_linear"))
    scheduler.set_timesteps(steps)
    found = levels(path_of("vp_scaled_linear"), steps, "linspace", params={"whole": 0})
    np.testing.assert_allclose([1000 * at.t - 1 for at in found[:-1]], scheduler.timesteps.numpy(), atol=1e-4)
    np.testing.assert_allclose([at.sigma for at in found], scheduler.sigmas.numpy(), rtol=2e-4)


def test_dynamic_thresholding_is_theirs():
    scheduler = DDIMScheduler(thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=5.0)
    x = 4 * torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * torch.arange(6).view(-1, 1, 1, 1)
    found = dynamically_thresholded(lambda x, at, cond: x, 0.9, most=5.0)(x, Level(0.5, 0.5, 0.5), None)
    torch.testing.assert_close(found.x0_hat, scheduler._threshold_sample(x))
