"""A scheduler_config.json of diffusers as a path, a prediction and the defaults of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from diffstudio import options
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.adapters.scheduler_notes import notes
from diffstudio.checkpoints.adapters.scheduler_times import edm_grid, flow_grid, table_grid
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import level
from diffstudio.specs import PathSpec

Prediction = Literal["eps", "x0", "v", "flow", "edm"]
LEFT = 2.0**-24  # ᾱ where zero terminal SNR would leave none, so that ε still says something
_TABLES = {
    "linear": "vp_linear",
    "scaled_linear": "vp_scaled_linear",
    "squaredcos_cap_v2": "vp_cosine_table",
    "sigmoid": "vp_sigmoid",
}
_PREDICTIONS: dict[str, Prediction] = {"epsilon": "eps", "sample": "x0", "v_prediction": "v", "flow_prediction": "flow"}


@dataclass(frozen=True)
class Schedule:
    """What the scheduler says of the network, in our terms. kind: how its output is to be read.

    notes: clauses for what is done otherwise here.  unit_noise: as `Card.unit_noise`.
    """

    path: PathSpec
    prediction: Prediction
    time: Literal["t", "timestep", "sigma", "log_sigma", "flow"]
    defaults: dict[str, Any]
    kind: Literal["plain", "score_ve", "consistency"] = "plain"
    sigma_data: float = 0.5
    sigma_min: float = 0.002
    notes: tuple[str, ...] = ()
    unit_noise: bool = False

    @property
    def told(self) -> str:
        """The notes as a sentence that goes on in a description, "" without any."""
        return f" Not as in its scheduler: {'; '.join(self.notes)}." if self.notes else ""


def schedule_of(config: SchedulerConfig) -> Schedule:
    """The path, prediction and defaults that belong to a scheduler.

    Raises:
        ValueError: numbers out of the bounds of our paths, or a prediction that its σ can't have.
    """
    return _MADE["flow" if config.flow else config.row.kind](config)


def _table(config: SchedulerConfig) -> Schedule:
    if config.timestep_type == "continuous" and config.prediction_type == "v_prediction":
        return _continuous(config)
    path = _path(config)
    steps = min(config.row.steps, path.training_steps or config.row.steps)
    grid = table_grid(config, path)
    first_whole = config.row.spacing != "between" or config.spacing == "leading"
    solver = _solver(config)
    return Schedule(
        path,
        _PREDICTIONS[config.prediction_type],
        "timestep",
        {**solver, "steps": steps, **grid, **_clip(config)},
        notes=notes(config, "table", solver["solver"]),
        unit_noise=first_whole,
    )


def _path(config: SchedulerConfig) -> PathSpec:
    """The table of betas. Raises: ValueError."""
    zero = {"zero_snr": 1.0} if config.rescale_betas_zero_snr else {}
    if config.trained_betas is not None:
        path = PathSpec(name="vp_table", params=zero, betas=config.trained_betas)
    elif config.beta_schedule == "laplace":
        path = PathSpec(name="vp_table", params=zero, betas=_laplace(config.num_train_timesteps))
    else:
        cosine = config.beta_schedule == "squaredcos_cap_v2"
        ends = {} if cosine else {"beta_start": config.beta_start, "beta_end": config.beta_end}
        path = PathSpec(
            name=_TABLES[config.beta_schedule], params={"n": float(config.num_train_timesteps), **ends, **zero}
        )
    return _with_signal(path) if zero and config.prediction_type == "epsilon" else path


def _with_signal(path: PathSpec) -> PathSpec:
    """The same table, at whose end ᾱ is 2⁻²⁴ instead of 0."""
    n = path.training_steps or 0
    bars = np.asarray(make_path(path).a(np.arange(n + 1) / n)) ** 2
    bars[-1] = LEFT
    return PathSpec(name="vp_table", betas=tuple((1 - bars[1:] / bars[:-1]).tolist()))


def _laplace(n: int) -> tuple[float, ...]:
    """Betas of ᾱ(u) = √(r/(1 + r)), r = e^λ, λ = −½·sign(½ − u)·log(1 − 2|½ − u| + 1e-6), as diffusers has them."""

    def bar(u: float) -> float:
        ratio = math.exp(-0.5 * math.copysign(1, 0.5 - u) * math.log(1 - 2 * abs(0.5 - u) + 1e-6))
        return math.sqrt(ratio / (1 + ratio))

    return tuple(min(1 - bar((k + 1) / n) / bar(k / n), 0.999) for k in range(n))


def _continuous(config: SchedulerConfig) -> Schedule:
    """v of a network that is told ln(σ)/4, in σ between the ends of a ramp."""
    spec = _path(config)
    table, n = make_path(spec), spec.training_steps or 1
    low = config.sigma_min or level(table, 1 / n).sigma
    high = config.sigma_max or min(level(table, 1.0).sigma, LEFT**-0.5)
    ramp, solver = config.ramp or "karras", _solver(config)
    defaults = {**solver, "steps": config.row.steps, "grid": ramp, "grid_params": {"sigma_min": low}}
    found = notes(config, "edm", solver["solver"])
    if not config.ramp or (config.spacing != "linspace" and None in (config.sigma_min, config.sigma_max)):
        found = (*found, f"timestep_type 'continuous': its σ are those of the grid '{ramp}', {high:.4g} to {low:.4g}")
    path = PathSpec(name="vp_edm", params={"sigma_max": high})
    return Schedule(path, "v", "log_sigma", defaults, notes=found, unit_noise=True)


def _flow(config: SchedulerConfig) -> Schedule:
    prediction: Prediction = _PREDICTIONS[config.prediction_type] if config.use_flow_sigmas else "flow"
    solver = {"solver": "lcm"} if config.stochastic_sampling else _solver(config)
    defaults = {**solver, "steps": config.row.steps, **flow_grid(config), **_clip(config)}
    return Schedule(PathSpec(name="flow"), prediction, "flow", defaults, notes=notes(config, "flow", solver["solver"]))


def _edm(config: SchedulerConfig) -> Schedule:
    solver, high = _solver(config), config.sigma_max or 80.0
    defaults = {**solver, "steps": config.row.steps, **edm_grid(config), **_clip(config)}
    found, params = notes(config, "edm", solver["solver"]), {"sigma_max": high, "rho": config.rho}
    if config.prediction_type == "epsilon":
        path = PathSpec(name="edm", params=params)
        return Schedule(path, "edm", "t", defaults, sigma_data=config.sigma_data, notes=found, unit_noise=True)
    if config.prediction_type != "v_prediction" or config.sigma_data != 1:
        raise ValueError(
            f"{config.class_name[:60]} with prediction_type '{config.prediction_type}' and sigma_data "
            f"{config.sigma_data:g} is not supported, expected epsilon, or v_prediction with sigma_data 1"
        )
    path = PathSpec(name="vp_edm", params=params)
    return Schedule(path, "v", "log_sigma", defaults, notes=found, unit_noise=True)


def _cosine(config: SchedulerConfig) -> Schedule:
    """v of networks that are told the t of a cosine, without a table."""
    solver = _solver(config)
    defaults = {**solver, "steps": config.row.steps, "grid": "uniform"}
    found = notes(config, "cosine", solver["solver"])
    if config.reads("sigma_schedule"):
        if config.prediction_type != "v_prediction" or config.sigma_data != 1:
            raise ValueError(f"{config.class_name} is supported with v_prediction and sigma_data 1 alone")
        defaults |= edm_grid(config)
        defaults["grid_params"]["start"] = 1.0
    else:
        found = (*found, "its times are equal steps of t")
    return Schedule(PathSpec(name="vp_cosine"), "v", "t", defaults, notes=found)


def _score_ve(config: SchedulerConfig) -> Schedule:
    # Its data lie in [0, 1]: in ours, which is twice as wide, every σ is twice as large.
    low, high = 2 * (config.sigma_min or 0.01), 2 * (config.sigma_max or 1348.0)
    path = PathSpec(name="ve", params={"sigma_max": high})
    grid = {"grid": "exponential", "grid_params": {"sigma_min": low, "sigma_max": high}}
    defaults = {"solver": config.row.solver, "steps": config.row.steps, **grid}
    return Schedule(path, "eps", "sigma", defaults, kind="score_ve", notes=notes(config, "ve", config.row.solver))


def _consistency(config: SchedulerConfig) -> Schedule:
    low = config.sigma_min or 0.002
    path = PathSpec(name="edm", params={"sigma_max": config.sigma_max or 80.0, "rho": config.rho})
    grid = {"rho": config.rho, "sigma_min": low, "levels": float(config.num_train_timesteps)}
    defaults: dict[str, Any] = {"solver": "lcm", "steps": 2, "grid": "karras", "grid_params": grid}
    if config.clip_denoised:
        defaults["clip"] = "static"
    found = notes(config, "consistency", "lcm")
    return Schedule(path, "x0", "sigma", defaults, "consistency", config.sigma_data, low, found)


_MADE = {
    "table": _table,
    "flow": _flow,
    "edm": _edm,
    "cosine": _cosine,
    "ve": _score_ve,
    "consistency": _consistency,
}


def _solver(config: SchedulerConfig) -> dict[str, Any]:
    """The solver of ours that does what the scheduler does, with its numbers."""
    name, order, heun = config.row.solver, config.solver_order, config.solver_type == "heun"
    if config.class_name == "DPMSolverSinglestepScheduler" and order == 1:
        return _numbered("ddim")
    if config.row.replaced:
        return _numbered(name, order=4) if name == "deis" else _numbered(name)
    if name == "unipc":
        return _numbered(name, order=min(order, 3), variant=1 if config.solver_type == "bh1" else 2)
    if name == "deis":
        return _numbered(name, order=order)
    if name == "dpmpp_2m_sde" or (name == "dpmpp_2m" and config.algorithm_type.startswith("sde")):
        return _numbered("ddpm") if order == 1 else _numbered("dpmpp_2m_sde", variant=2 if heun else 1)
    if name == "dpmpp_2m" and order != 2:
        return _numbered("ddim" if order == 1 else "dpmpp_3m")
    if name == "dpmpp_2m" and heun:
        return _numbered("dpmpp_2m_sde", eta=0, variant=2)  # its second term as in the SDE's second variant, no noise
    return _numbered(name)


def _numbered(solver: str, **params: float) -> dict[str, Any]:
    """A solver with those of its numbers that are not its defaults."""
    usual = {param.name: param.default for param in options.SOLVERS[solver].params}
    said = {name: float(value) for name, value in params.items() if value != usual[name]}
    return {"solver": solver, **({"solver_params": said} if said else {})}


def _clip(config: SchedulerConfig) -> dict[str, Any]:
    """How x̂0 is bounded; DDIM keeps the ε̂ from before."""
    keep = {"keep_eps": 1.0} if config.class_name.startswith("DDIM") else {}
    if config.reads("thresholding") and config.thresholding:
        most = max(1.0, config.sample_max_value)
        return {
            "clip": "dynamic",
            "clip_params": {"percentile": config.dynamic_thresholding_ratio, "most": most, **keep},
        }
    if config.reads("clip_sample") and config.clip_sample:
        return {"clip": "static", "clip_params": {"limit": config.clip_sample_range, **keep}}
    return {}
