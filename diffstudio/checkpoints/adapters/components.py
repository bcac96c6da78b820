"""The parts that pipelines of diffusers have in common: schedule, autoencoder, name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.config import DECODERS, KLConfig, VQConfig
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.schedule import Schedule, schedule_of
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.found_out import PREDICTIONS, SIGNS, shown_prediction
from diffstudio.checkpoints.names import model_name, name_of_folder, shown
from diffstudio.errors import BadFile

INDEX, CONFIG, SCHEDULER = "model_index.json", "config.json", "scheduler_config.json"
NETWORK_FOLDERS = ("unet_ema", "unet", "transformer")
# The schedulers that networks were published with, for those that lie without one. DDPM's own is that of the others.
USUAL: dict[str, dict[str, Any]] = {
    "UNet2DConditionModel": {
        "_class_name": "DDIMScheduler",
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "steps_offset": 1,
        "clip_sample": False,
    },
    "SD3Transformer2DModel": {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0},
    "FluxTransformer2DModel": {"_class_name": "FlowMatchEulerDiscreteScheduler"},
}
_DECODER_FOLDERS = ("vae", "vqvae")
STEP_FOLDER = re.compile(r"(?:checkpoint|ckpt|step|steps|global[-_]?step|iter|epoch)[-_]?(\d{1,9})")


def found_schedule(look: Look, network: Path) -> tuple[Schedule, str]:
    """What the scheduler beside the network says, and its class; without one the network's usual, and ""."""
    config = read_json(network, CONFIG)
    kind = str(config.get("_class_name"))
    for folder in (look.path / "scheduler", look.path.parent / "scheduler", look.path, network):
        if folder.is_dir() and SCHEDULER in Look(folder).names:
            table = {**read_json(folder, SCHEDULER), "network": kind}
            try:
                scheduler = SchedulerConfig.model_validate(table)
                return schedule_of(scheduler), scheduler.class_name
            except ValidationError as error:
                raise invalid(folder / SCHEDULER, error) from error
            except ValueError as error:
                raise BadFile(f"{shown(folder / SCHEDULER, 400)}: {error}") from error
    dev = {"use_dynamic_shifting": True} if config.get("guidance_embeds") else {}  # of Flux; schnell is not shifted
    return schedule_of(SchedulerConfig.model_validate({**USUAL.get(kind, {}), **dev, "network": kind})), ""


def untold(look: Look, schedule: Schedule, scheduler: str) -> tuple[Schedule, tuple[Literal["prediction"], ...], str]:
    """The schedule of a network that lies without a scheduler, with what a call of the network has shown it to predict.

    Besides: what the first loading has to find out, and how much of it is known, for the card.
    """
    if scheduler or schedule.kind != "plain" or schedule.prediction not in PREDICTIONS.values():
        return schedule, (), ""
    seen = shown_prediction(look.path)
    if seen is None:
        return schedule, ("prediction",), ", and ε, until its first run shows what it predicts"
    if seen == "unclear":
        return schedule, (), ", and ε, since a call of its network has not shown what it predicts"
    found = PREDICTIONS[seen]
    return (
        replace(schedule, prediction=found),
        (),
        f", and a call of its network has shown that it predicts {SIGNS[seen]}",
    )


def found_decoder(look: Look) -> tuple[KLConfig | VQConfig | None, Path]:
    """The autoencoder of a latent model, None where the states are pictures."""
    for name in _DECODER_FOLDERS:
        if name in look.names:
            folder = look.path / name
            table = {key: value for key, value in read_json(folder, CONFIG).items() if value is not None}
            kind = str(table.get("_class_name"))
            if kind not in DECODERS:
                known = ", ".join(DECODERS)
                raise BadFile(f"{shown(folder, 400)}: its autoencoder is a '{shown(kind)}', expected one of {known}")
            try:
                return DECODERS[kind].model_validate(table), folder
            except ValidationError as error:
                raise invalid(folder / CONFIG, error) from error
    return None, look.path


def decoded(vae: KLConfig | VQConfig | None, height: int, width: int) -> tuple[int, ...]:
    return () if vae is None else (vae.out_channels, height * vae.factor, width * vae.factor)


def name_and_step(folder: Path) -> tuple[str, int]:
    """The model's name, and the training step where the folder is one of a training's checkpoints."""
    real = folder.absolute()
    step = STEP_FOLDER.fullmatch(real.name)
    if step:
        return name_of_folder(real.parent), int(step[1])
    if real.parent.name == "snapshots" and real.parent.parent.name.startswith("models--"):
        return model_name(real.parent.parent.name.removeprefix("models--").replace("--", " ")), 0
    if real.name in NETWORK_FOLDERS:
        return model_name(real.parent.name), 0
    return model_name(real.name), 0
