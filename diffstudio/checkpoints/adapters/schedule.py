"""A scheduler_config.json of diffusers as a path, a prediction and the defaults of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from diffstudio.specs import PathSpec

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Beta = Annotated[float, Field(ge=1e-8, le=0.999)]

# The solver of ours that does what the scheduler does, and a number of steps that gives a good result.
_VP = {
    "DDPMScheduler": ("ddim", 50),  # its own 1000 ancestral steps are there to be chosen
    "DDPMParallelScheduler": ("ddim", 50),
    "DDIMScheduler": ("ddim", 50),
    "DDIMParallelScheduler": ("ddim", 50),
    "DDIMInverseScheduler": ("ddim", 50),
    "PNDMScheduler": ("ddim", 50),
    "LMSDiscreteScheduler": ("euler", 50),
    "EulerDiscreteScheduler": ("euler", 30),
    "EulerAncestralDiscreteScheduler": ("euler_ancestral", 30),
    "HeunDiscreteScheduler": ("heun", 25),
    "DPMSolverMultistepScheduler": ("dpmpp_2m", 25),
    "DPMSolverSinglestepScheduler": ("dpmpp_2s", 15),
    "UniPCMultistepScheduler": ("unipc", 20),
    "DEISMultistepScheduler": ("deis", 25),
    "LCMScheduler": ("lcm", 4),
}
_EDM = {"EDMEulerScheduler": ("euler", 30), "EDMDPMSolverMultistepScheduler": ("dpmpp_2m", 25)}
_FLOW = {"FlowMatchEulerDiscreteScheduler": ("euler", 30), "FlowMatchHeunDiscreteScheduler": ("heun", 20)}
SCORE_VE, CONSISTENCY = "ScoreSdeVeScheduler", "CMStochasticIterativeScheduler"
SCHEDULERS = (*_VP, *_EDM, *_FLOW, SCORE_VE, CONSISTENCY)

_TABLES = {
    "linear": "vp_linear",
    "scaled_linear": "vp_scaled_linear",
    "squaredcos_cap_v2": "vp_cosine_table",
    "sigmoid": "vp_sigmoid",
}
_PREDICTIONS = {"epsilon": "eps", "sample": "x0", "v_prediction": "v", "flow_prediction": "flow"}


class SchedulerConfig(BaseModel):
    """The keys that say something of the chain; null is as good as none. Others are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
    class_name: str = Field("DDPMScheduler", alias="_class_name")
    num_train_timesteps: Annotated[int, Field(ge=2, le=100_000)] = 1000
    beta_start: Beta = 1e-4
    beta_end: Beta = 0.02
    beta_schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"] = "linear"
    trained_betas: Annotated[tuple[float, ...], Field(max_length=100_000)] | None = None
    prediction_type: Literal["epsilon", "sample", "v_prediction", "flow_prediction"] = "epsilon"
    timestep_spacing: Literal["linspace", "leading", "trailing"] | None = None
    steps_offset: Annotated[int, Field(ge=0, le=1000)] = 0
    rescale_betas_zero_snr: bool = False
    clip_sample: bool | None = None
    clip_sample_range: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    thresholding: bool = False
    dynamic_thresholding_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.995
    sample_max_value: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    variance_type: str | None = None
    use_karras_sigmas: bool = False
    use_flow_sigmas: bool = False
    flow_shift: Positive = 1.0
    shift: Positive = 1.0
    use_dynamic_shifting: bool = False
    time_shift_type: Literal["exponential", "linear"] = "exponential"
    base_shift: Annotated[float, Field(ge=-4, le=4)] = 0.5
    max_shift: Annotated[float, Field(ge=-4, le=4)] = 1.15
    base_image_seq_len: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    max_image_seq_len: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    sigma_min: Positive | None = None
    sigma_max: Positive | None = None
    sigma_data: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 0.5
    rho: Annotated[float, Field(ge=1, le=20)] = 7.0
    clip_denoised: bool = True


@dataclass(frozen=True)
class Schedule:
    """What the scheduler says of the network, in our terms. kind: how its output is to be read."""

    path: PathSpec
    prediction: Literal["eps", "x0", "v", "flow", "edm"]
    time: Literal["t", "timestep", "sigma", "flow"]
    defaults: dict[str, Any]
    kind: Literal["plain", "score_ve", "consistency"] = "plain"
    sigma_data: float = 0.5
    sigma_min: float = 0.002


def schedule_of(config: SchedulerConfig) -> Schedule:
    """The path, prediction and defaults that belong to a scheduler.

    Raises:
        ValueError: a scheduler that is not known, or numbers out of the bounds of our paths.
    """
    name = config.class_name
    if name == SCORE_VE:
        return _score_ve(config)
    if name == CONSISTENCY:
        return _consistency(config)
    if name in _EDM:
        return _edm(config)
    if name in _FLOW or config.use_flow_sigmas or config.prediction_type == "flow_prediction":
        return _flow(config)
    if name in _VP:
        return _variance_preserving(config)
    raise ValueError(f"the scheduler '{name[:60]}' is not known: expected one of {', '.join(SCHEDULERS)}")


def _variance_preserving(config: SchedulerConfig) -> Schedule:
    zero = {"zero_snr": 1.0} if config.rescale_betas_zero_snr else {}
    if config.trained_betas is not None:
        path, n = PathSpec(name="vp_table", params=zero, betas=config.trained_betas), len(config.trained_betas)
    else:
        n = config.num_train_timesteps
        cosine = config.beta_schedule == "squaredcos_cap_v2"
        ends = {} if cosine else {"beta_start": config.beta_start, "beta_end": config.beta_end}
        path = PathSpec(name=_TABLES[config.beta_schedule], params={"n": float(n), **ends, **zero})
    solver, steps = _VP[config.class_name]
    defaults: dict[str, Any] = {"solver": solver, "steps": min(steps, n), **_spacing(config), **_clip(config)}
    return Schedule(path, _PREDICTIONS[config.prediction_type], "timestep", defaults)  # pyright: ignore[reportArgumentType]


def _spacing(config: SchedulerConfig) -> dict[str, Any]:
    if config.use_karras_sigmas:
        return {"grid": "karras"}
    like_ddpm = ("DDPM", "DDIM", "PNDM", "LCM")
    grid = config.timestep_spacing or ("leading" if config.class_name.startswith(like_ddpm) else "linspace")
    offset = {"grid_params": {"steps_offset": float(config.steps_offset)}}
    return {"grid": grid, **(offset if grid == "leading" and config.steps_offset else {})}


def _clip(config: SchedulerConfig) -> dict[str, Any]:
    clips = config.clip_sample if config.clip_sample is not None else config.class_name.startswith(("DDPM", "DDIM"))
    if config.thresholding:
        most = max(1.0, config.sample_max_value)
        return {"clip": "dynamic", "clip_params": {"percentile": config.dynamic_thresholding_ratio, "most": most}}
    if not clips:
        return {}
    return {"clip": "static", "clip_params": {"limit": config.clip_sample_range}}


def _flow(config: SchedulerConfig) -> Schedule:
    solver, steps = _FLOW.get(config.class_name) or _VP.get(config.class_name, ("euler", 30))
    shift = config.flow_shift if config.use_flow_sigmas else config.shift
    grid: dict[str, Any] = {"grid": "uniform"}
    if config.use_dynamic_shifting and not config.use_flow_sigmas:
        grid = {"grid": "shifted_resolution", "grid_params": _line(config)}
    elif shift != 1:
        grid = {"grid": "shifted", "grid_params": {"shift": shift}}
    return Schedule(PathSpec(name="flow"), "flow", "flow", {"solver": solver, "steps": steps, **grid})


def _line(config: SchedulerConfig) -> dict[str, float]:
    """μ at 256 and at 4,096 tokens, from the line through any two numbers of tokens."""
    if config.time_shift_type != "exponential":
        raise ValueError(f"time_shift_type is '{config.time_shift_type}', expected 'exponential' with dynamic shifting")
    few, many = config.base_image_seq_len, config.max_image_seq_len
    if few >= many:
        raise ValueError(f"base_image_seq_len is {few}, expected less than max_image_seq_len, {many}")
    slope = (config.max_shift - config.base_shift) / (many - few)
    low, high = (config.base_shift + slope * (tokens - few) for tokens in (256, 4096))
    if not -4 <= min(low, high) <= max(low, high) <= 4:
        raise ValueError(f"its shift is {low:g} to {high:g} for 256 to 4,096 tokens, expected -4 to 4")
    return {"base_shift": low, "max_shift": high}


def _edm(config: SchedulerConfig) -> Schedule:
    if config.prediction_type != "epsilon":
        raise ValueError(f"{config.class_name} with prediction_type '{config.prediction_type}' is not supported")
    solver, steps = _EDM[config.class_name]
    path = PathSpec(name="edm", params={"sigma_max": config.sigma_max or 80.0, "rho": config.rho})
    defaults = {"solver": solver, "steps": steps, "grid": "karras", "grid_params": _ramp(config, 0.002, 80.0)}
    return Schedule(path, "edm", "t", defaults, sigma_data=config.sigma_data)


def _score_ve(config: SchedulerConfig) -> Schedule:
    # Its data lie in [0, 1]: in ours, which is twice as wide, every σ is twice as large.
    low, high = 2 * (config.sigma_min or 0.01), 2 * (config.sigma_max or 1348.0)
    path = PathSpec(name="ve", params={"sigma_max": high})
    grid = {"grid": "exponential", "grid_params": {"sigma_min": low, "sigma_max": high}}
    return Schedule(path, "eps", "sigma", {"solver": "dpmpp_2m", "steps": 50, **grid}, kind="score_ve")


def _consistency(config: SchedulerConfig) -> Schedule:
    path = PathSpec(name="edm", params={"sigma_max": config.sigma_max or 80.0, "rho": config.rho})
    defaults: dict[str, Any] = {"solver": "lcm", "steps": 2, "grid": "uniform"}
    if config.clip_denoised:
        defaults["clip"] = "static"
    low = config.sigma_min or 0.002
    return Schedule(path, "x0", "sigma", defaults, "consistency", config.sigma_data, low)


def _ramp(config: SchedulerConfig, low: float, high: float) -> dict[str, float]:
    return {"rho": config.rho, "sigma_min": config.sigma_min or low, "sigma_max": config.sigma_max or high}
