"""Schedulers of diffusers: each setting is honoured, with the same levels, times and results, or the card tells it."""

from __future__ import annotations

import inspect
import json
import math
import warnings

import numpy as np
import pytest
import schedulers_of_diffusers as theirs
import torch

from diffstudio.checkpoints.adapters.schedule import schedule_of
from diffstudio.checkpoints.adapters.scheduler_classes import CLASSES
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.diffusion.chain import reverse
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.denoiser import clock, from_network, network_time
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels

# Their NumPy call, of a tensor; settings that they still know.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
NOT_INSTALLED = ("DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler")  # they ask for torchsde
NAMES = [name for name in CLASSES if name not in NOT_INSTALLED]
OTHER_WAY = ("DDIMInverseScheduler", "DPMSolverMultistepInverseScheduler", "RePaintScheduler")  # to the noise, and back

# Other values of each setting, with what it needs to count at all.
OTHERS = {
    "num_train_timesteps": [200],
    "beta_start": [2e-4],
    "beta_end": [0.03],
    "beta_schedule": ["scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"],
    "trained_betas": [[0.001 + 0.0001 * k for k in range(1000)]],
    "prediction_type": ["sample", "v_prediction", "flow_prediction"],
    "timestep_spacing": ["linspace", "leading", "trailing"],
    "steps_offset": [1],
    "rescale_betas_zero_snr": [True],
    "clip_sample": [True, False],
    "clip_sample_range": [0.5],
    "thresholding": [True],
    "dynamic_thresholding_ratio": [0.8],
    "sample_max_value": [2.0],
    "set_alpha_to_one": [True, False],
    "variance_type": ["fixed_small", "fixed_large", "fixed_small_log"],
    "use_karras_sigmas": [True],
    "use_exponential_sigmas": [True],
    "use_beta_sigmas": [True],
    "use_lu_lambdas": [True],
    "use_flow_sigmas": [True],
    "flow_shift": [3.0],
    "interpolation_type": ["log_linear"],
    "sigma_min": [0.05],
    "sigma_max": [10.0],
    "timestep_type": ["continuous"],
    "final_sigmas_type": ["sigma_min"],
    "solver_order": [1, 3],
    "algorithm_type": ["dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "noise_prediction"],
    "solver_type": ["heun", "midpoint", "bh1", "bh2", "logrho"],
    "lower_order_final": [True, False],
    "euler_at_final": [True],
    "lambda_min_clipped": [-5.1],
    "use_dynamic_shifting": [True],
    "time_shift_type": ["linear"],
    "predict_x0": [False],
    "disable_corrector": [[0]],
    "shift_terminal": [0.1],
    "predictor_order": [1],
    "corrector_order": [1],
    "skip_prk_steps": [True],
    "original_inference_steps": [100],
    "timestep_scaling": [0.01],
    "sigma_data": [1.0],
    "sigma_schedule": ["exponential"],
    "rho": [5.0],
    "shift": [3.0],
    "base_shift": [0.3],
    "max_shift": [1.5],
    "base_image_seq_len": [128],
    "max_image_seq_len": [2048],
    "invert_sigmas": [True],
    "stochastic_sampling": [True],
    "s_noise": [0.5],
    "clip_denoised": [False],
}
NEEDS = {
    "clip_sample_range": {"clip_sample": True},
    "dynamic_thresholding_ratio": {"thresholding": True, "sample_max_value": 3.0},
    "sample_max_value": {"thresholding": True},
    "flow_shift": {"use_flow_sigmas": True},
    "sigma_min": {"use_karras_sigmas": True},
    "sigma_max": {"use_karras_sigmas": True},
    "shift_terminal": {"use_flow_sigmas": True},
    "steps_offset": {"timestep_spacing": "leading"},
    "timestep_type": {"prediction_type": "v_prediction"},
    "euler_at_final": {"final_sigmas_type": "sigma_min"},
    "lambda_min_clipped": {"beta_schedule": "squaredcos_cap_v2"},
    **{name: {"use_dynamic_shifting": True} for name in ("base_shift", "max_shift", "time_shift_type")},
    **{name: {"use_dynamic_shifting": True} for name in ("base_image_seq_len", "max_image_seq_len")},
}
# What none of these runs would show.
UNSEEN = {"solver_p", "tau_func", "noise_sampler_seed", "scale_factors", "upscale_mode", "snr", "sampling_eps", "eta"}


@pytest.mark.parametrize("name", NAMES)
def test_a_class_reads_the_settings_that_it_has_with_their_defaults(diffusers, name):
    found = inspect.signature(getattr(diffusers, name).__init__).parameters.values()
    settings = {p.name: p.default for p in found if p.name not in ("self", "kwargs")}
    assert dict(CLASSES[name].settings) == settings
    assert set(CLASSES[name].idle) <= set(settings)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("RePaintScheduler", "ScoreSdeVeScheduler")])
def test_nothing_that_changes_its_result_is_passed_over_in_silence(diffusers, name):
    """Where a setting changes what the scheduler itself makes of some noise, something changes here, or it is told."""
    own, tried = CLASSES[name].settings, 0
    for setting, values in OTHERS.items():
        for value in values if setting in own else ():
            with_it = {key: other for key, other in NEEDS.get(setting, {}).items() if key in own}
            one, other = (_run(diffusers, name, settings) for settings in (with_it, {**with_it, setting: value}))
            if other is None or (one is not None and _same(one, other)):
                continue
            tried += 1
            before, after = (_read(name, settings) for settings in (with_it, {**with_it, setting: value}))
            told = after is None or any(setting in note for note in after.notes)
            assert told or before != after, (setting, value)
    assert tried
    assert set(own) <= OTHERS.keys() | UNSEEN | {"correct_steps"}


def _run(diffusers, name, settings, steps=7):
    """The end of its chain; None where it refuses the settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scheduler = theirs.set_steps(theirs.made(diffusers, name, **settings), steps)
            generator = torch.Generator().manual_seed(0)
            x = torch.randn(1, 3, 4, 4, generator=generator) * float(getattr(scheduler, "init_noise_sigma", 1))
            return theirs.sampled(scheduler, x, generator)
        except (ValueError, NotImplementedError, AssertionError, RuntimeError, IndexError, TypeError, ImportError):
            return None


def _same(one, other):
    return torch.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)


def _read(name, settings):
    try:
        return schedule_of(SchedulerConfig.model_validate({**CLASSES[name].settings, **settings, "_class_name": name}))
    except ValueError:
        return None  # refused, and so told


# ── the levels and the times ────────────────────────────────────────────────────────────────────────────────────────


def _variants(name):
    """Settings that decide about levels and times."""
    own = CLASSES[name].settings
    base = theirs.STABLE if "beta_start" in own else {}
    spacings = ("leading", "trailing", "linspace") if "timestep_spacing" in own else ()
    offset = [{"timestep_spacing": spacing, "steps_offset": 1} for spacing in spacings]
    found = [{}, base, *offset]
    if CLASSES[name].kind == "table":
        ramps = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
        for ramp in (ramp for ramp in ramps if ramp in own):
            found += [{ramp: True, **more} for more in ({}, *offset)]
            found += [{ramp: True, "sigma_min": 0.05, "sigma_max": 9.0}] if "sigma_min" in own else []
        if "final_sigmas_type" in own:
            found += [{"final_sigmas_type": "sigma_min", **more} for more in ({}, *offset)]
        if "set_alpha_to_one" in own:
            found += [{"set_alpha_to_one": one, **more} for one in (True, False) for more in offset]
        if "rescale_betas_zero_snr" in own:
            found.append({"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"})
        if "lambda_min_clipped" in own:
            found.append({"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1})
        if "use_flow_sigmas" in own:
            found.append({"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"})
        if "original_inference_steps" in own:
            found.append({"original_inference_steps": 100})
    found += [{"shift": 3.0}] if "shift" in own else []
    if CLASSES[name].kind == "flow" and "shift_terminal" in own:
        dynamic = {"use_dynamic_shifting": True}
        found += [{"shift": 3.0, "shift_terminal": 0.1}, dynamic, {**dynamic, "time_shift_type": "linear"}]
        found.append({**dynamic, "shift_terminal": 0.1})
    if "sigma_schedule" in own:
        found.append({"sigma_schedule": "exponential", "sigma_min": 0.01, "sigma_max": 50.0, "rho": 5.0})
    return [{**base, **settings} for settings in found]


DOUBLED = ("HeunDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")  # every level after the first is listed twice
AGREE = [name for name in NAMES if CLASSES[name].kind not in ("ve", "cosine") and name not in OTHER_WAY]


@pytest.mark.parametrize("name", AGREE)
def test_levels_and_times_are_theirs(diffusers, name):
    for settings in _variants(name):
        for steps in (4, 20):
            scheduler = theirs.made(diffusers, name, **settings)
            found = theirs.read(scheduler)
            theirs.set_steps(scheduler, steps)
            path = make_path(found.path)
            grid = levels(
                path, steps, found.defaults["grid"], params=found.defaults.get("grid_params"), shape=theirs.SHAPE
            )
            told = (name, settings, steps)
            _check_times(name, scheduler, found, path, grid, told)
            _check_sigmas(name, scheduler, found, grid, told)


def _check_times(name, scheduler, found, path, grid, told):
    if name == "PNDMScheduler" or name.startswith("KDPM2"):
        return  # they list the calls of their own steps
    times = [float(t) for t in scheduler.timesteps]
    times = [times[0], *times[1::2]] if name in DOUBLED else times
    count = clock(found.time, path)
    own = [count(at) if count else network_time(found.prediction, at.t, at.a, at.s) for at in grid[: len(times)]]
    if name == "CMStochasticIterativeScheduler":
        own = [250 * math.log(sigma) for sigma in own]
    # Between two whole steps σ lies on a line in another scale; multistep schedulers cut times to whole ones.
    whole = "the network is told the very times of its levels, not whole ones" in found.notes
    within = 1.001 if whole else 0.05 if found.defaults["grid"] in ("karras", "exponential", "beta") else 1e-3
    np.testing.assert_allclose(own, times, atol=within, err_msg=str(told))


def _check_sigmas(name, scheduler, found, grid, told):
    if isinstance(getattr(scheduler, "sigmas", None), torch.Tensor):
        sigmas = scheduler.sigmas.double().numpy()
        doubled = name in DOUBLED or name.startswith("KDPM2")
        sigmas = np.array([sigmas[0], *sigmas[1::2]])[: len(grid)] if doubled else sigmas
        own = np.array([at.s if found.path.name == "flow" else at.sigma for at in grid])
        end = any("here it goes to the data" in note for note in found.notes) or name.startswith("CMStoch")
        first = 1 if math.isinf(own[0]) else 0  # zero terminal SNR, of which they leave 2⁻²⁴
        last = len(own) - (1 if end else 0)
        np.testing.assert_allclose(own[first:last], sigmas[first:last], rtol=3e-4, atol=1e-6, err_msg=str(told))
        assert first == 0 or sigmas[0] > 4000
    elif hasattr(scheduler, "final_alpha_cumprod") and name.startswith(("DDIM", "PNDM")):
        end = grid[-1].a ** 2
        moved = any("here it goes to the data" in note for note in found.notes)
        assert moved or end == pytest.approx(float(scheduler.final_alpha_cumprod), abs=1e-6), told


# ── whole runs ──────────────────────────────────────────────────────────────────────────────────────────────────────

STABLE = theirs.STABLE
V = {"prediction_type": "v_prediction"}
SAME = [
    ("DDIMScheduler", {}),
    ("DDIMScheduler", {**STABLE, **V, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}),
    ("DDIMScheduler", {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9}),
    ("DDIMScheduler", {**V, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "clip_sample": False}),
    ("EulerDiscreteScheduler", STABLE),
    ("EulerDiscreteScheduler", {**STABLE, "use_karras_sigmas": True, "timestep_spacing": "leading", "steps_offset": 1}),
    ("EulerDiscreteScheduler", {**STABLE, "use_beta_sigmas": True, "final_sigmas_type": "zero"}),
    ("EulerDiscreteScheduler", {**STABLE, "final_sigmas_type": "sigma_min", "timestep_spacing": "trailing"}),
    (
        "EulerDiscreteScheduler",
        {**STABLE, **V, "timestep_type": "continuous", "use_karras_sigmas": True, "sigma_min": 0.01, "sigma_max": 90.0},
    ),
    ("EulerAncestralDiscreteScheduler", {**STABLE, "timestep_spacing": "trailing"}),
    ("HeunDiscreteScheduler", {**STABLE, "use_exponential_sigmas": True}),
    ("HeunDiscreteScheduler", {**STABLE, "clip_sample": True}),
    ("DPMSolverMultistepScheduler", STABLE),
    ("DPMSolverMultistepScheduler", {**STABLE, "solver_order": 1, "timestep_spacing": "leading", "steps_offset": 1}),
    ("DPMSolverMultistepScheduler", {**STABLE, "solver_order": 3, "lower_order_final": False}),
    ("DPMSolverMultistepScheduler", {**STABLE, "solver_type": "heun", "timestep_spacing": "trailing"}),
    ("DPMSolverMultistepScheduler", {**STABLE, "algorithm_type": "sde-dpmsolver++"}),
    ("DPMSolverMultistepScheduler", {**STABLE, "algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}),
    ("DPMSolverMultistepScheduler", {**STABLE, "algorithm_type": "sde-dpmsolver++", "solver_order": 1}),
    ("DPMSolverMultistepScheduler", {**STABLE, "thresholding": True, "sample_max_value": 2.0}),
    ("DPMSolverMultistepScheduler", {**STABLE, "final_sigmas_type": "sigma_min", "lower_order_final": False}),
    ("DPMSolverMultistepScheduler", {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1}),
    ("UniPCMultistepScheduler", STABLE),
    (
        "UniPCMultistepScheduler",
        {**STABLE, "solver_type": "bh1", "final_sigmas_type": "sigma_min", "lower_order_final": False},
    ),
    ("DEISMultistepScheduler", {**STABLE, "lower_order_final": False}),
    ("DEISMultistepScheduler", {**STABLE, "solver_order": 3, "lower_order_final": False}),
    ("LCMScheduler", {}),
    ("LCMScheduler", {**V, "clip_sample": True, "original_inference_steps": 100}),
    ("TCDScheduler", {}),
    ("EDMEulerScheduler", {}),
    ("EDMEulerScheduler", {**V, "sigma_data": 1.0, "sigma_max": 120.0, "sigma_schedule": "exponential"}),
    ("EDMDPMSolverMultistepScheduler", {"sigma_max": 60.0}),
    ("EDMDPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
    ("FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True, "shift_terminal": 0.1}),
    ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}),
    ("FlowMatchHeunDiscreteScheduler", {"shift": 2.0}),
    ("FlowMatchLCMScheduler", {"shift": 3.0}),
]


@pytest.mark.parametrize(("name", "settings"), SAME, ids=lambda value: value if isinstance(value, str) else "")
def test_a_run_of_the_cards_defaults_is_theirs(diffusers, replayed, name, settings):
    steps = 8
    scheduler = theirs.made(diffusers, name, **settings)
    found, own = theirs.read(scheduler), theirs.read(scheduler).defaults
    theirs.set_steps(scheduler, steps)
    path = make_path(found.path)
    grid = levels(path, steps, own["grid"], params=own.get("grid_params"), shape=theirs.SHAPE)
    shape = (2, 3, 4, 4)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(shape, generator=generator)
    # Euler's kin step in x/a.
    scaled = CLASSES[name].spacing == "between" or found.path.name in ("edm", "vp_edm")
    scale = (lambda at: 1 / at.a if found.path.name != "edm" else 1.0) if scaled else lambda at: 1.0
    expected = theirs.sampled(scheduler, noise * scale(grid[0]), generator)
    generator = torch.Generator().manual_seed(1)
    torch.randn(shape, generator=generator)

    def call(x, t, cond):
        return theirs.network(x, t[0])

    denoise = from_network(call, found.prediction, sigma_data=found.sigma_data, time=clock(found.time, path))
    denoise = CLIPS[own.get("clip", "none")](denoise, **own.get("clip_params", {}))
    drawn = replayed(shape, generator)
    params = own.get("solver_params")
    *_, last = reverse(denoise, path, grid, noise, drawn, solver=own["solver"], params=params)
    torch.testing.assert_close(last.xt * scale(grid[-1]), expected, rtol=2e-3, atol=2e-4)


# ── the card ────────────────────────────────────────────────────────────────────────────────────────────────────────


def schedule(**said):
    return schedule_of(SchedulerConfig.model_validate(said))


def test_a_distilled_network_is_asked_at_the_times_of_its_distillation():
    found = schedule(_class_name="LCMScheduler", **STABLE)
    path = make_path(found.path)
    grid = levels(path, 4, found.defaults["grid"], params=found.defaults["grid_params"])
    assert [path.timestep(at.t) for at in grid[:-1]] == [999, 759, 499, 259]


def test_karras_on_a_table_ends_where_the_table_ends():
    found = schedule(_class_name="EulerDiscreteScheduler", use_karras_sigmas=True, **STABLE)
    grid = levels(make_path(found.path), 10, found.defaults["grid"], params=found.defaults.get("grid_params"))
    expected = [14.61, 9.10, 5.48, 3.17, 1.75, 0.91, 0.45, 0.20, 0.082, 0.0292, 0]
    np.testing.assert_allclose([at.sigma for at in grid], expected, rtol=2e-2)


REPLACED = ("KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler", "SASolverScheduler")


@pytest.mark.parametrize("name", [*REPLACED, "TCDScheduler", "IPNDMScheduler", "FutureScheduler"])
def test_a_scheduler_that_is_not_known_or_not_here_opens_by_its_betas_and_the_card_tells_it(name):
    found = schedule(_class_name=name, prediction_type="v_prediction", **STABLE)
    assert (found.path.name, found.prediction, found.time) == ("vp_scaled_linear", "v", "timestep")
    assert name == "TCDScheduler" or "replaced by" in found.told or f"'{name}' are not known here" in found.told


def test_the_replaced_steps_of_pndm_are_told():
    assert "(PLMS" in schedule(_class_name="PNDMScheduler").told
    assert "replaced by DDIM" in schedule(_class_name="PNDMScheduler").told


def test_a_setting_that_nobody_knows_is_named():
    found = schedule(_class_name="DDIMScheduler", clip_sample=False, _diffusers_version="9", sharpness=3, glow=True)
    assert "settings that are not known here are left aside: sharpness, glow" in found.told
    assert schedule(_class_name="DDIMScheduler", clip_sample=False, _diffusers_version="9").told == ""


def test_what_another_scheduler_left_in_the_file_has_no_influence():
    """diffusers keeps what a pipeline's former scheduler was told, and does not read it."""
    left = {"skip_prk_steps": True, "set_alpha_to_one": False, "clip_sample": True, "thresholding": "yes, please"}
    plain = {"_class_name": "EulerDiscreteScheduler", **STABLE}
    assert schedule(**plain, **left) == schedule(**plain)


def test_defaults_that_a_class_has_are_its_own():
    assert schedule(_class_name="HeunDiscreteScheduler").path.params["beta_end"] == 0.012
    assert schedule(_class_name="DDPMScheduler").path.params["beta_end"] == 0.02
    assert schedule(_class_name="LCMScheduler").path.name == "vp_scaled_linear"


def test_epsilon_where_the_signal_would_be_gone_can_start():
    """diffusers leaves ᾱ = 2⁻²⁴ there; with none at all ε says nothing of the data."""
    found = schedule(_class_name="EulerDiscreteScheduler", rescale_betas_zero_snr=True, **STABLE)
    path = make_path(found.path)
    assert (found.path.name, path.a(1.0)) == ("vp_table", pytest.approx(2**-12, rel=1e-6))
    with_v = schedule(_class_name="EulerDiscreteScheduler", rescale_betas_zero_snr=True, **STABLE, **V)
    assert make_path(with_v.path).a(1.0) == 0


def test_all_of_it_can_be_said_on_a_card():
    """The longest that a file can make of it."""
    words = {f"setting_{k}_{'x' * 300}": k for k in range(2000)}
    found = schedule(_class_name="Y" * 5000, use_flow_sigmas=True, use_karras_sigmas=True, invert_sigmas=True, **words)
    assert len(found.told) < 2000
    json.dumps(found.defaults)
