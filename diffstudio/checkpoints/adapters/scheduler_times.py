"""Which grid visits the levels that a scheduler of diffusers visits, whatever the number of steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.diffusion.paths import make_path
from diffstudio.specs import PathSpec

Grid = dict[str, Any]  # the defaults "grid" and "grid_params" of a card
FLUX = "FluxTransformer2DModel"


def table_grid(config: SchedulerConfig, path: PathSpec) -> Grid:
    """On a table of betas. path: the one that the card has."""
    if config.ramp:
        return _grid(config.ramp, _ramp(config))
    if config.row.spacing == "distilled":
        return _grid("lcm", {"original": _original(config), "end": ends_at_table(config)})
    params: dict[str, float] = {}
    if config.spacing == "leading":
        params["steps_offset"] = config.steps_offset
    if config.row.spacing == "between" and config.spacing == "linspace":
        params["whole"] = 0
    if config.row.spacing == "spare" and config.spacing != "trailing":
        params["spare"] = 1
    params |= {"cut": _cut(config, path), "end": ends_at_table(config)}
    return _grid(config.spacing, params)


def wants_table_end(config: SchedulerConfig) -> bool:
    """Whether the last level that is wanted is training step 0, which has a little noise, and not the data."""
    if config.row.table_end:
        return True
    to_one = config.set_alpha_to_one or not config.reads("set_alpha_to_one")
    return not to_one or config.final_sigmas_type == "sigma_min"


def ends_at_table(config: SchedulerConfig) -> bool:
    """The same, where the last step does not stand still: a step before it must end above training step 0."""
    if not wants_table_end(config) or config.ramp or config.flow or config.row.kind != "table":
        return False
    if config.row.spacing == "distilled":
        return config.num_train_timesteps // _original(config) > 1
    if config.spacing == "leading":
        return config.row.spacing == "spare" or config.steps_offset > 0
    return config.spacing == "trailing" or config.row.spacing == "spare"


def _original(config: SchedulerConfig) -> int:
    """Steps of the distillation, at most those of the table."""
    return min(config.original_inference_steps, config.num_train_timesteps)


def flow_grid(config: SchedulerConfig) -> Grid:
    """On the straight path. Raises: ValueError, a line of shifts that is none."""
    n, dynamic = config.num_train_timesteps, config.use_dynamic_shifting
    shift = config.flow_shift if config.use_flow_sigmas else config.shift
    params: dict[str, float] = {}
    if config.use_flow_sigmas and config.class_name == "UniPCMultistepScheduler":
        params["floor"] = 1 / n
    elif config.use_flow_sigmas:
        params["first"] = 1 - 1 / n
    elif config.network != FLUX:  # Flux's own pipeline gives the times to be shifted: 1 … 1/S
        first_step = 1 / n
        # The last time is shifted once when the scheduler is made, and once more with the others.
        params["last"] = first_step if dynamic else shift * first_step / (1 + (shift - 1) * first_step)
    if config.shift_terminal:
        params["terminal"] = config.shift_terminal
    if dynamic:
        linear = {"linear": 1} if config.time_shift_type == "linear" else {}
        return _grid("shifted_resolution", {**_line(config), **linear, **params})
    if shift == 1 and not params:
        return {"grid": "uniform"}
    return _grid("shifted", {"shift": shift, **params}, keep="shift")


def edm_grid(config: SchedulerConfig) -> Grid:
    """Of EDM's σ between its two ends."""
    own = {"rho": config.rho} if config.sigma_schedule == "karras" else {}
    ends = {"sigma_min": config.sigma_min or 0.002, "sigma_max": config.sigma_max or 80.0}
    return {"grid": config.sigma_schedule, "grid_params": {**own, **ends}}


def _ramp(config: SchedulerConfig) -> dict[str, float]:
    """Its ends: those of the table, those of the training steps that would be counted, or its own."""
    params: dict[str, float] = {}
    if config.row.spacing == "between":
        params["between"] = {"linspace": 0, "leading": 1, "trailing": 2}[config.spacing]
        params["steps_offset"] = config.steps_offset if config.spacing == "leading" else 0
    if config.sigma_min is not None:
        params["sigma_min"] = config.sigma_min
    if config.sigma_max is not None:
        params |= {"sigma_max": config.sigma_max, "start": 1}
    return params


def _cut(config: SchedulerConfig, spec: PathSpec) -> int:
    """Training steps whose λ = log(a/s) is below the bound."""
    if not np.isfinite(config.lambda_min_clipped):
        return 0
    path, n = make_path(spec), spec.training_steps or 0
    lambdas = path.log_snr(np.arange(1, n + 1) / n) / 2
    return min(n - 2, int((lambdas < config.lambda_min_clipped).sum()))


def _line(config: SchedulerConfig) -> dict[str, float]:
    """μ at 256 and at 4,096 tokens, from the line through any two numbers of tokens."""
    few, many = config.base_image_seq_len, config.max_image_seq_len
    if few >= many:
        raise ValueError(f"base_image_seq_len is {few}, expected less than max_image_seq_len, {many}")
    slope = (config.max_shift - config.base_shift) / (many - few)
    low, high = (config.base_shift + slope * (tokens - few) for tokens in (256, 4096))
    if not -4 <= min(low, high) <= max(low, high) <= 4:
        raise ValueError(f"its shift is {low:g} to {high:g} for 256 to 4,096 tokens, expected -4 to 4")
    return {"base_shift": low, "max_shift": high}


def _grid(name: str, params: dict[str, float], keep: str = "") -> Grid:
    """A grid; numbers that are 0 are its defaults."""
    said = {key: float(value) for key, value in params.items() if value or key == "whole" or key == keep}
    return {"grid": name, **({"grid_params": said} if said else {})}
