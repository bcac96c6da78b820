"""The schedulers of diffusers: what each reads from its file, and what stands for it here.

A row's settings are the arguments of the class with their defaults; a test holds them against the installed diffusers.
What a file says beside them has no influence there, and is left aside here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["table", "flow", "edm", "ve", "consistency", "cosine"]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class SchedulerClass:
    """One class.

    kind: its family of chains.  settings: its arguments with their defaults.
    solver, steps: ours that does the same, or comes nearest, and a number of steps that gives a good result.
    spacing: how it counts training steps: "whole" ones, "between" two of them, with a "spare" one, or "distilled".
    replaced: its own steps, where nobody takes them here; "" where the solver is the same.
    default_spacing: how it counts where no setting says it.
    table_end: its chain ends at the first training step whatever is set.
    idle: settings that it has and never reads.
    """

    kind: Kind
    settings: Settings
    solver: str
    steps: int
    spacing: Literal["whole", "between", "spare", "distilled"] = "whole"
    replaced: str = ""
    default_spacing: Literal["linspace", "leading", "trailing"] = "linspace"
    table_end: bool = False
    idle: tuple[str, ...] = ()


_LENGTH = {"num_train_timesteps": 1000}
_BETAS = {
    **_LENGTH,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "trained_betas": None,
    "prediction_type": "epsilon",
}
_LATENT_BETAS = {**_BETAS, "beta_start": 0.00085, "beta_end": 0.012}
_LEADING = {"timestep_spacing": "leading", "steps_offset": 0}
_LINSPACE = {"timestep_spacing": "linspace", "steps_offset": 0}
_ZERO = {"rescale_betas_zero_snr": False}
_CLIP = {"clip_sample": True, "clip_sample_range": 1.0}
_NO_CLIP = {"clip_sample": False, "clip_sample_range": 1.0}
_THRESHOLD = {"thresholding": False, "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0}
_RAMPS = {"use_karras_sigmas": False, "use_exponential_sigmas": False, "use_beta_sigmas": False}
_FLOW_SIGMAS = {"use_flow_sigmas": False, "flow_shift": 1.0}
_DYNAMIC = {"use_dynamic_shifting": False, "time_shift_type": "exponential"}
_FINAL = {"final_sigmas_type": "zero"}
_DPM = {"solver_order": 2, "algorithm_type": "dpmsolver++", "solver_type": "midpoint"}
_CUT = {"lambda_min_clipped": -math.inf, "variance_type": None}
_LATE = {"lower_order_final": True, "euler_at_final": False}
_DDPM = {**_BETAS, "variance_type": "fixed_small", **_CLIP, **_THRESHOLD, **_LEADING, **_ZERO}
_DDIM = {**_BETAS, **_CLIP, "set_alpha_to_one": True, **_THRESHOLD, **_LEADING, **_ZERO}
_K = {**_LATENT_BETAS, **_RAMPS, **_LINSPACE}  # of the schedulers that came from k-diffusion
_DISTILLED = {
    **_LATENT_BETAS,
    "beta_schedule": "scaled_linear",
    "original_inference_steps": 50,
    **_NO_CLIP,
    "set_alpha_to_one": True,
    **_THRESHOLD,
    **_LEADING,
    "timestep_scaling": 10.0,
    **_ZERO,
}
_MULTISTEP = {**_BETAS, **_DPM, **_THRESHOLD, **_LATE, **_RAMPS, **_FLOW_SIGMAS, **_CUT, **_LINSPACE}
_EDM = {
    **_LENGTH,
    "sigma_min": 0.002,
    "sigma_max": 80.0,
    "sigma_data": 0.5,
    "sigma_schedule": "karras",
    "prediction_type": "epsilon",
    "rho": 7.0,
    **_FINAL,
}
_SHIFT = {**_LENGTH, "shift": 1.0}
_FLOW = {
    **_SHIFT,
    **_DYNAMIC,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
    "invert_sigmas": False,
    "shift_terminal": None,
    **_RAMPS,
}
_LATE_IDLE = ("timestep_spacing", "steps_offset", "set_alpha_to_one")

CLASSES: dict[str, SchedulerClass] = {
    # Their own 1,000 ancestral steps are there to be chosen.
    "DDPMScheduler": SchedulerClass("table", _DDPM, "ddim", 50, replaced="ancestral steps (DDPM)"),
    "DDPMParallelScheduler": SchedulerClass("table", _DDPM, "ddim", 50, replaced="ancestral steps (DDPM)"),
    "DDIMScheduler": SchedulerClass("table", _DDIM, "ddim", 50),
    "DDIMParallelScheduler": SchedulerClass("table", _DDIM, "ddim", 50),
    "DDIMInverseScheduler": SchedulerClass(
        "table",
        {key: value for key, value in _DDIM.items() if key not in _THRESHOLD},
        "ddim",
        50,
        replaced="steps from data to noise (here a forward chain 'invert')",
    ),
    "PNDMScheduler": SchedulerClass(
        "table",
        {**_BETAS, "skip_prk_steps": False, "set_alpha_to_one": False, **_LEADING},
        "ddim",
        50,
        replaced="multistep steps in ε (PLMS, with Runge-Kutta steps first unless skip_prk_steps)",
    ),
    "LMSDiscreteScheduler": SchedulerClass(
        "table", {**_BETAS, **_RAMPS, **_LINSPACE}, "euler", 50, "between", "linear multistep steps in σ"
    ),
    "EulerDiscreteScheduler": SchedulerClass(
        "table",
        {
            **_BETAS,
            "interpolation_type": "linear",
            **_RAMPS,
            "sigma_min": None,
            "sigma_max": None,
            **_LINSPACE,
            "timestep_type": "discrete",
            **_ZERO,
            **_FINAL,
        },
        "euler",
        30,
        "between",
    ),
    "EulerAncestralDiscreteScheduler": SchedulerClass(
        "table", {**_BETAS, **_LINSPACE, **_ZERO}, "euler_ancestral", 30, "between"
    ),
    "HeunDiscreteScheduler": SchedulerClass("table", {**_K, **_NO_CLIP}, "heun", 25, "between"),
    "KDPM2DiscreteScheduler": SchedulerClass(
        "table", _K, "dpmpp_2s", 20, "between", "second-order steps through a middle in σ (DPM2)"
    ),
    "KDPM2AncestralDiscreteScheduler": SchedulerClass(
        "table", _K, "euler_ancestral", 30, "between", "second-order ancestral steps (DPM2 a)"
    ),
    "DPMSolverSDEScheduler": SchedulerClass(
        "table",
        {**_K, "noise_sampler_seed": None},
        "dpmpp_2m_sde",
        25,
        "between",
        "single steps through the reverse SDE (DPM++ SDE; noise_sampler_seed)",
    ),
    "DPMSolverMultistepScheduler": SchedulerClass(
        "table", {**_MULTISTEP, "use_lu_lambdas": False, **_FINAL, **_ZERO, **_DYNAMIC}, "dpmpp_2m", 25, "spare"
    ),
    "DPMSolverMultistepInverseScheduler": SchedulerClass(
        "table",
        _MULTISTEP,
        "dpmpp_2m",
        25,
        "spare",
        "steps from data to noise (solver_order, algorithm_type, solver_type, lower_order_final; here a forward chain "
        "'invert')",
    ),
    "DPMSolverSinglestepScheduler": SchedulerClass(
        "table",
        {
            **{key: value for key, value in _MULTISTEP.items() if key not in ("euler_at_final", *_LINSPACE)},
            "lower_order_final": False,
            **_FINAL,
            **_DYNAMIC,
        },
        "dpmpp_2s",
        15,
        "spare",
        "single steps, each with a level of the grid for its middle (solver_order, algorithm_type, solver_type, "
        "lower_order_final),",
    ),
    "UniPCMultistepScheduler": SchedulerClass(
        "table",
        {
            **_BETAS,
            "solver_order": 2,
            **_THRESHOLD,
            "predict_x0": True,
            "solver_type": "bh2",
            "lower_order_final": True,
            "disable_corrector": [],
            "solver_p": None,
            **_RAMPS,
            **_FLOW_SIGMAS,
            **_LINSPACE,
            **_FINAL,
            **_ZERO,
            **_DYNAMIC,
            "sigma_min": None,
            "sigma_max": None,
            "shift_terminal": None,
        },
        "unipc",
        20,
        "spare",
    ),
    "DEISMultistepScheduler": SchedulerClass(
        "table",
        {
            **_BETAS,
            "solver_order": 2,
            **_THRESHOLD,
            "algorithm_type": "deis",
            "solver_type": "logrho",
            "lower_order_final": True,
            **_RAMPS,
            **_FLOW_SIGMAS,
            **_LINSPACE,
            **_DYNAMIC,
        },
        "deis",
        25,
        "spare",
        table_end=True,
        idle=("algorithm_type", "solver_type"),
    ),
    "SASolverScheduler": SchedulerClass(
        "table",
        {
            **_BETAS,
            "predictor_order": 2,
            "corrector_order": 2,
            "tau_func": None,
            **_THRESHOLD,
            "algorithm_type": "data_prediction",
            "lower_order_final": True,
            **_RAMPS,
            **_FLOW_SIGMAS,
            **_CUT,
            **_LINSPACE,
        },
        "dpmpp_2m_sde",
        25,
        "spare",
        "stochastic Adams steps (SA-Solver: predictor_order, corrector_order, tau_func, algorithm_type, "
        "lower_order_final)",
        table_end=True,
    ),
    "IPNDMScheduler": SchedulerClass(
        "cosine",
        {**_LENGTH, "trained_betas": None},
        "deis",
        30,
        replaced="multistep steps in ε (iPNDM)",
        idle=("num_train_timesteps",),
    ),
    "LCMScheduler": SchedulerClass("table", _DISTILLED, "lcm", 4, "distilled", idle=_LATE_IDLE),
    "TCDScheduler": SchedulerClass(
        "table",
        _DISTILLED,
        "tcd",
        4,
        "distilled",
        table_end=True,
        idle=(*_LATE_IDLE, *_NO_CLIP, *_THRESHOLD, "timestep_scaling"),
    ),
    "UnCLIPScheduler": SchedulerClass(
        "table",
        {
            **_LENGTH,
            "variance_type": "fixed_small_log",
            **_CLIP,
            "prediction_type": "epsilon",
            "beta_schedule": "squaredcos_cap_v2",
        },
        "ddim",
        25,
        replaced="ancestral steps (unCLIP)",
    ),
    "RePaintScheduler": SchedulerClass(
        "table",
        {
            **{key: value for key, value in _BETAS.items() if key != "prediction_type"},
            "eta": 0.0,
            "clip_sample": True,
        },
        "ddim",
        50,
        replaced="steps that are repeated (RePaint, eta; here 'resample' of a masked run)",
        default_spacing="leading",
    ),
    "EDMEulerScheduler": SchedulerClass("edm", _EDM, "euler", 30, idle=("num_train_timesteps",)),
    "EDMDPMSolverMultistepScheduler": SchedulerClass(
        "edm", {**_EDM, **_DPM, **_THRESHOLD, **_LATE}, "dpmpp_2m", 25, "spare", idle=("num_train_timesteps",)
    ),
    "CosineDPMSolverMultistepScheduler": SchedulerClass(
        "cosine",
        {
            **_EDM,
            "sigma_min": 0.3,
            "sigma_max": 500.0,
            "sigma_data": 1.0,
            "sigma_schedule": "exponential",
            "prediction_type": "v_prediction",
            "solver_order": 2,
            "solver_type": "midpoint",
            **_LATE,
        },
        "dpmpp_2m_sde",
        25,
        idle=("num_train_timesteps",),
    ),
    "FlowMatchEulerDiscreteScheduler": SchedulerClass("flow", {**_FLOW, "stochastic_sampling": False}, "euler", 30),
    "FlowMatchHeunDiscreteScheduler": SchedulerClass("flow", _SHIFT, "heun", 20),
    "FlowMatchLCMScheduler": SchedulerClass(
        "flow", {**_FLOW, "scale_factors": None, "upscale_mode": "bicubic"}, "lcm", 4
    ),
    "ScoreSdeVeScheduler": SchedulerClass(
        "ve",
        {
            "num_train_timesteps": 2000,
            "snr": 0.15,
            "sigma_min": 0.01,
            "sigma_max": 1348.0,
            "sampling_eps": 1e-5,
            "correct_steps": 1,
        },
        "dpmpp_2m",
        50,
        replaced="predictor and corrector steps (score SDE: snr, correct_steps, sampling_eps)",
        idle=("num_train_timesteps",),
    ),
    "CMStochasticIterativeScheduler": SchedulerClass(
        "consistency",
        {
            "num_train_timesteps": 40,
            "sigma_min": 0.002,
            "sigma_max": 80.0,
            "sigma_data": 0.5,
            "s_noise": 1.0,
            "rho": 7.0,
            "clip_denoised": True,
        },
        "lcm",
        2,
    ),
}

# A class that is not known: what is known of its settings is read, and its name may say how it steps.
_BY_NAME = (
    ("LCM", "lcm", 4),
    ("TCD", "tcd", 4),
    ("SDE", "dpmpp_2m_sde", 25),
    ("Ancestral", "euler_ancestral", 30),
    ("Euler", "euler", 30),
    ("Heun", "heun", 20),
    ("DDIM", "ddim", 50),
)


def class_of(name: str, said: Mapping[str, Any], network: str) -> SchedulerClass:
    """The row of a class, or for one that is not known a row that reads every setting that is.

    said: what its file says.  network: the class of the network that it belongs to, "" where that is not known.
    """
    row = CLASSES.get(name)
    told = any(key.startswith("beta_") for key in said)
    if row is not None and not (row.kind == "cosine" and told):
        return row
    solver, steps = next(((solver, steps) for word, solver, steps in _BY_NAME if word in name), ("dpmpp_2m", 25))
    settings = {key: default for other in CLASSES.values() for key, default in other.settings.items()}
    settings |= {**_BETAS, **_NO_CLIP, "timestep_spacing": "trailing", "steps_offset": 0, "set_alpha_to_one": True}
    settings |= {"sigma_min": None, "sigma_max": None, "sigma_data": 0.5, "sigma_schedule": "karras"}
    if network == "UNet2DConditionModel":
        settings |= {**_LATENT_BETAS, "beta_schedule": "scaled_linear"}
    return SchedulerClass(_kind(name, said, network, told), settings, solver, steps, replaced="steps")


def _kind(name: str, said: Mapping[str, Any], network: str, told: bool) -> Kind:
    if said.get("prediction_type") == "flow_prediction" or said.get("use_flow_sigmas"):
        return "flow"
    if told:
        return "table"
    if "Flow" in name or "shift" in said or network in ("SD3Transformer2DModel", "FluxTransformer2DModel"):
        return "flow"
    return "edm" if "EDM" in name else "table"
