"""The parts that pipelines of diffusers have in common: schedule, autoencoder, name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import invalid
from diffstudio.checkpoints.adapters.config import DECODERS, KLConfig, VQConfig
from diffstudio.checkpoints.adapters.families import family_of_class, unknown_class, without_network
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.parts import Parts, parts
from diffstudio.checkpoints.adapters.quantised import quantised_by_config
from diffstudio.checkpoints.adapters.schedule import Schedule, schedule_of
from diffstudio.checkpoints.adapters.scheduler_config import SchedulerConfig
from diffstudio.checkpoints.adapters.sidecar import asked_size, card_beside, sidecar
from diffstudio.checkpoints.adapters.weight_sets import told_of
from diffstudio.checkpoints.found_out import PREDICTIONS, SIGNS, shown_prediction
from diffstudio.checkpoints.names import model_name, name_of_folder, shown
from diffstudio.errors import BadFile

INDEX, CONFIG, SCHEDULER = "model_index.json", "config.json", "scheduler_config.json"
NETWORK_FOLDERS = ("unet_ema", "unet", "transformer")
AVERAGED = "_ema"  # how the folder of the averaged weights ends
TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")
# What a pipeline has beside its network that is read, or that changes no picture.
_READ = {*NETWORK_FOLDERS, *TEXT, "vae", "vqvae", "scheduler", "tokenizer", "tokenizer_2", "tokenizer_3"}
_IDLE = {"safety_checker", "feature_extractor", "image_processor", "watermark", "watermarker"}
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


@dataclass(frozen=True)
class NetworkAt:
    """Where the network of a folder lies; config: what its config.json says.

    raw: whether its raw weights are taken, which lie beside averaged ones.  other: whether the others are there too.
    """

    folder: Path
    config: dict[str, Any]
    weights: Parts
    raw: bool = False
    other: bool = False

    @property
    def class_name(self) -> str:
        """The class of diffusers that it names."""
        return str(self.config.get("_class_name"))

    def told(self) -> dict[str, Any]:
        """What a card says of raw and averaged weights."""
        return told_of("raw" if self.raw else "averaged") if self.other else {}


def index_of(look: Look) -> dict[str, Any]:
    """What the index of a pipeline says, {} without one. Raises: BadFile."""
    return read_json(look.path, INDEX) if INDEX in look.names else {}


def named(entry: Any) -> bool:
    """Whether an entry of an index names something: a component that is left out is [null, null]."""
    return bool(entry) and entry != [None, None]


def config_of(folder: Path) -> dict[str, Any]:
    """A component's config; null is as good as none. Raises: BadFile."""
    return {key: value for key, value in read_json(folder, CONFIG).items() if value is not None}


def network_config(look: Look, index: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The folder of the network and its config: a folder of its own, or the root, where the first models have it.

    null means something in a config of a UNet2DModel, and is kept.

    Raises:
        BadFile: a folder that the index names is missing, or it names no network that is known here.
    """
    names = [name for name in NETWORK_FOLDERS if name in look.names]
    root = read_json(look.path, CONFIG) if CONFIG in look.names else {}
    if names and (index or not root):
        folder = look.path / _preferred(look, names)
        return folder, read_json(folder, CONFIG)
    if "_class_name" in root:
        return look.path, root
    where = shown(look.path, 400)
    for name in NETWORK_FOLDERS:
        entry = index.get(name)
        if isinstance(entry, list) and len(entry) == 2 and named(entry):
            if family_of_class(entry[1], index.get("_class_name")):
                raise BadFile(f"{where} {unknown_class(entry[1], index.get('_class_name'))}")
            raise BadFile(f"{where}: the folder {name} is missing, which its index names; copy the folder again")
    kinds = [entry[1] for entry in index.values() if isinstance(entry, list) and len(entry) == 2]
    raise BadFile(f"{where} {without_network(index.get('_class_name'), kinds)}")


def network_at(look: Look, folder: Path, config: dict[str, Any]) -> NetworkAt:
    """The weights of the network in a folder, the raw ones where a card beside the folder asks for them.

    Raises:
        BadFile: weights in fewer bits than floats have, none, or not those that are asked for.
    """
    how = quantised_by_config(config)
    if how:
        raise BadFile(f"{shown(look.path, 400)}: {how}")
    plain = folder.name.removesuffix(AVERAGED)
    both = {plain, plain + AVERAGED} <= look.names
    raw = sidecar(look.path).get("weights") == "raw"
    found = parts(folder, raw=raw and not both)
    if raw and not (both or found.raw):
        raise BadFile(
            f"{shown(look.path, 400)}: the card beside it ({shown(card_beside(look.path).name)}) asks for raw weights, "
            "the folder has one set of weights alone: take the entry 'weights' away"
        )
    return NetworkAt(folder, config, found, raw, both or found.raw)


def left_out(index: dict[str, Any]) -> tuple[str, ...]:
    """A note for each component that the index names and that nothing here reads: it would change the pictures."""
    return tuple(
        f"its {shown(name, 40)} ({shown(entry[1], 60)}) is left out: the model is opened without it"
        for name, entry in index.items()
        if isinstance(entry, list) and len(entry) == 2 and named(entry) and name not in _READ | _IDLE
    )


def sized(look: Look, taken: tuple[int, int], told: bool) -> tuple[str, ...]:
    """A note of a size that was taken, because nothing tells it; () where something does."""
    if told or asked_size(look.path) is not None:
        return ()
    height, width = taken
    name = shown(card_beside(look.path).name)
    return (f"its size is not said: {height}×{width} is taken; a card beside it ({name}) with a shape says another",)


def _preferred(look: Look, names: list[str]) -> str:
    """The averaged network before the raw one, unless a card beside the folder asks for that."""
    raw = [name for name in names if not name.endswith(AVERAGED)]
    return raw[0] if raw and sidecar(look.path).get("weights") == "raw" else names[0]


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
            table = config_of(folder)
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
