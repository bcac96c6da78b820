"""The chain of a Stable Diffusion in one file: what is told of it, found out, or taken from the published models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.few_steps import FewSteps, by_words
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.schedule import Schedule, schedule_of
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.adapters.sidecar import sidecar
from diffstudio.checkpoints.adapters.single_file_parts import Family
from diffstudio.checkpoints.adapters.told import EPSILON, Told, V, told
from diffstudio.checkpoints.found_out import SIGNS, Shown, shown_prediction
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile

_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
_SCHEDULERS: dict[Family, dict[str, Any]] = {
    "1": {"_class_name": "DDIMScheduler", "clip_sample": False},
    "2": {"_class_name": "DDIMScheduler", "clip_sample": False},
    "XL": {"_class_name": "EulerDiscreteScheduler"},
}
_GUIDANCE: dict[Family, float] = {"1": 7.5, "2": 7.5, "XL": 5.0}
_PIXELS: dict[Family, int] = {"1": 512, "2": 768, "XL": 1024}
_SCALING: dict[Family, float] = {"1": 0.18215, "2": 0.18215, "XL": 0.13025}
SMALL = 512  # pixels a side of Stable Diffusion 2 base, and of the first turbo of XL


@dataclass(frozen=True)
class Chain:
    """What a card says of the chain.

    said: how its prediction is known.  untold: whether nothing says it, so that the first loading finds it out.
    defaults: of a run.  side: of its pictures, as published.  latents: entries of the autoencoder's config.
    """

    schedule: Schedule
    said: str
    untold: bool
    defaults: dict[str, Any]
    side: int
    latents: dict[str, Any]


def chain_of(look: Look, family: Family, names: Mapping[str, str]) -> Chain:
    """What is known of a file of that family. names: of its tensors there, by those without what wraps them.

    Raises:
        NotFound, BadFile.
    """
    found = told(look, family, names)
    few = by_words(found.words)
    table, said, untold = _edm(found) or _table(look, family, found)
    try:
        schedule = schedule_of(SchedulerConfig.model_validate({**table, "network": "UNet2DConditionModel"}))
    except ValidationError as error:
        raise invalid(look.path, error) from error
    except ValueError as error:
        raise BadFile(f"{shown(look.path, 400)}: {error}") from error
    defaults = {**schedule.defaults, "guidance": _GUIDANCE[family], "samples": 1}
    if few is not None:
        said = f"{said}; {few.told()}"
        defaults = {**_few(defaults, few), **few.defaults(_GUIDANCE[family]), "samples": 1}
    return Chain(schedule, said, untold, defaults, _side(family, schedule, few, look), _latents(family, found))


def _edm(found: Told) -> tuple[dict[str, Any], str, bool] | None:
    """The chain of a network in EDM's continuous σ; None for one of a table."""
    if found.sigmas is not None:
        low, high = found.sigmas
        table = {"sigma_min": low, "sigma_max": high, "sigma_data": 1.0, "sigma_schedule": "exponential"}
        said = f"the file says that it predicts v in EDM's σ from {low:g} to {high:g}"
        return {"_class_name": "EDMEulerScheduler", "prediction_type": V, **table}, said, False
    if found.edm:
        return {"_class_name": "EDMDPMSolverMultistepScheduler"}, "the file says that it predicts EDM's F", False
    return None


def _table(look: Look, family: Family, found: Told) -> tuple[dict[str, Any], str, bool]:
    """The chain on a table of betas."""
    prediction = found.prediction or (V if family == "2" else EPSILON)
    said, untold = f"{found.by} that it predicts {SIGNS[prediction]}", False
    if "prediction" in sidecar(look.path):
        said = "the card beside it says what it predicts"
    elif not found.sure:
        seen = shown_prediction(look.path)
        untold = seen is None
        prediction = prediction if seen in (None, "unclear") else seen
        said = _unsure(found, seen, SIGNS[prediction])
    table = {**_BETAS, **found.betas, **_SCHEDULERS[family], "prediction_type": prediction}
    if found.zero_snr:
        return {**table, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, said, untold
    return {**table, "timestep_spacing": "leading", "steps_offset": 1}, said, untold


def _unsure(found: Told, seen: Shown | None, what: str) -> str:
    """How a prediction is known that nothing in the file says. seen: what a call of its network has shown."""
    if seen is not None and seen != "unclear":
        return f"a call of its network has shown that it predicts {what}"
    if found.by:
        return f"{found.by} that it predicts {what}"
    why = "until its first run shows it" if seen is None else "since a call of its network has not shown it either"
    return f"nothing says what it predicts: {what} is taken, as the published models have, {why}"


def _few(defaults: dict[str, Any], few: FewSteps) -> dict[str, Any]:
    """The defaults with the solver and the times of a few-step model."""
    chosen = ("solver", "solver_params", "grid", "grid_params")
    return {**{key: value for key, value in defaults.items() if key not in chosen}, **few.chain}


def _side(family: Family, schedule: Schedule, few: FewSteps | None, look: Look) -> int:
    """Of the pictures as the model was trained: of both Stable Diffusions 2, and of XL with its own turbo."""
    if family == "2":
        return _PIXELS["2"] if schedule.prediction == "v" else SMALL
    turbo = few is not None and few.word == "turbo" and re.match(r"sd[-_ ]?xl[-_ ]?turbo", look.path.stem.lower())
    return SMALL if turbo else _PIXELS[family]


def _latents(family: Family, found: Told) -> dict[str, Any]:
    return {"scaling_factor": _SCALING[family], **found.latents}
