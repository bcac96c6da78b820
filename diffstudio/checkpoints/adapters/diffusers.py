"""Folders of diffusers: a pipeline, one network of it, or the checkpoint of a training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, invalid
from diffstudio.checkpoints.adapters.components import (
    CONFIG,
    INDEX,
    NETWORK_FOLDERS,
    NetworkAt,
    decoded,
    found_decoder,
    found_schedule,
    index_of,
    left_out,
    name_and_step,
    network_at,
    network_config,
    sized,
    untold,
)
from diffstudio.checkpoints.adapters.config import DiTConfig, KLConfig, UNetConfig, VQConfig
from diffstudio.checkpoints.adapters.families import WAY_OUT, family_of_class, unknown_class
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.parts import Parts, load, parts
from diffstudio.checkpoints.adapters.prompted_config import PROMPTED
from diffstudio.checkpoints.adapters.schedule import Schedule
from diffstudio.checkpoints.adapters.sidecar import asked_size, asked_where, completed
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import shown
from diffstudio.errors import BadFile, DiffStudioError

if TYPE_CHECKING:
    from torch import Tensor

# The networks that are opened: class → the name of its component in a pipeline, and of ours in a card.
_NETWORKS = {"UNet2DModel": ("unet", "diffusers_unet"), "DiTTransformer2DModel": ("transformer", "diffusers_dit")}
_OLD_NAMES = {"Transformer2DModel": "DiTTransformer2DModel"}  # DiT before diffusers 0.29


def recognises(look: Look) -> bool:
    """A folder with a pipeline's index, with a network's config, or with folders of networks as a training saves."""
    if look.kind != "folder":
        return False
    if INDEX in look.names:
        return True
    if CONFIG in look.names:
        return "_class_name" in read_json(look.path, CONFIG)
    return any(Look(look.path / name).kind == "folder" and _has_config(look.path / name) for name in _networks(look))


def may_be_model(folder: Path, files: Collection[str], folders: Collection[str]) -> bool:
    """Whether a folder with these files and folders is one model, to be looked at as a whole."""
    if INDEX in files:
        return True
    try:
        return (CONFIG in files or any(name in folders for name in NETWORK_FOLDERS)) and recognises(Look(folder))
    except DiffStudioError:
        return True  # a config that can't be read: whoever looks for models is told


@dataclass(frozen=True)
class _Found:
    """A pipeline in its parts, all checked; `labels` may be empty for numbers. notes: of what is left out."""

    network: UNetConfig | DiTConfig
    at: NetworkAt
    schedule: Schedule
    scheduler: str  # its class, "" where there is none
    vae: KLConfig | VQConfig | None
    decoder: Parts | None
    labels: tuple[str, ...]
    notes: tuple[str, ...]


def card(look: Look) -> Card:
    """What the folder says, from its JSON files and the headers of its weights. Raises: NotFound, BadFile."""
    found = _found(look)
    name, step = name_and_step(look.path)
    config = found.network
    schedule, asked, seen = untold(look, found.schedule, found.scheduler)
    count = _classes(config)
    labels = (found.labels or tuple(str(i) for i in range(count)))[:count] if count else ()
    conditional = isinstance(config, DiTConfig)
    args: dict[str, Any] = config.for_card()
    if schedule.kind != "plain":
        args["kind"] = schedule.kind
    if schedule.kind == "consistency":
        args |= {"sigma_data": schedule.sigma_data, "sigma_min": schedule.sigma_min}
    if found.vae is not None:
        args["vae"] = {"kind": found.vae.kind, **found.vae.for_card()}
    defaults = dict(schedule.defaults)
    if labels:
        defaults |= {"label": "each", **({"guidance": 4.0} if conditional else {})}
    try:
        height, width = config.size(asked_size(look.path, found.vae.factor if found.vae else 1))
    except ValueError as error:
        raise BadFile(f"{shown(asked_where(look.path), 400)}: {error}") from error
    told = found.at.told()
    return completed(
        look.path,
        {
            "name": name,
            "title": name,
            "description": _description(found, seen),
            "modality": "image",
            "shape": (config.in_channels, height, width),
            "path": schedule.path,
            "prediction": schedule.prediction,
            "untold": asked,
            "sigma_data": schedule.sigma_data,
            "learned_range": config.outputs == 2,
            "time": schedule.time,
            "unit_noise": schedule.unit_noise,
            "any_label": conditional or not labels,
            "decoded": decoded(found.vae, height, width),
            "network": "diffusers_dit" if conditional else "diffusers_unet",
            "network_args": args,
            "labels": labels,
            "data": {"dataset": ""},
            "step": step,
            "parameters": found.at.weights.parameters + (found.decoder.parameters if found.decoder else 0),
            "decoder_parameters": found.decoder.parameters if found.decoder else 0,
            "dtype": found.at.weights.dtype,
            "defaults": defaults,
            "format": "diffusers",
            **told,
            "notes": (*sized(look, (height, width), config.sized), *found.notes, *told.get("notes", ())),
        },
    )


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network and of the autoencoder. Raises: NotFound, BadFile."""
    found = _found(look)
    prefix = "transformer." if isinstance(found.network, DiTConfig) else "unet."
    tensors = load(found.at.weights, prefix)
    if found.decoder is not None:
        tensors |= load(found.decoder, "vae.model.")
    return floats(look.path, tensors)


DIFFUSERS = Adapter(
    name="diffusers",
    label="diffusers folder",
    opens="UNet2DModel (DDPM, DDIM, EDM, score-VE, consistency; with classes), DiT, either with AutoencoderKL or "
    "VQModel; sharded, fp16, .safetensors or .bin; checkpoint folders of a training",
    recognised=f"{INDEX}, or {CONFIG} with a _class_name, or a folder unet or transformer that has one; the network "
    "lies in a folder of its own or, as in google/ddpm-cifar10-32, beside the index",
    asks="nothing; without a scheduler beside a network DDPM's linear table is taken, without a sample_size what is "
    "usual for so many levels, and the card says so; a card beside the folder (`NAME.card.json`) replaces either",
    refuses="other pipelines, quantised weights, custom code, links and index files that lead out of the folder",
    recognises=recognises,
    card=card,
    weights=weights,
)


def _networks(look: Look) -> list[str]:
    return [name for name in NETWORK_FOLDERS if name in look.names]


def _has_config(folder: Path) -> bool:
    return CONFIG in Look(folder).names


def _found(look: Look) -> _Found:
    where, index = shown(look.path, 400), index_of(look)
    folder, table = network_config(look, index)
    pipeline = index.get("_class_name")
    kind = str(table.get("_class_name"))
    kind = _OLD_NAMES.get(kind, kind)
    if kind in PROMPTED and not index:
        raise BadFile(
            f"{where} is the network of a text-to-image pipeline ({kind}) without its text encoders: open the folder "
            "of the whole pipeline"
        )
    if kind in PROMPTED and family_of_class(pipeline) is None:
        raise BadFile(
            f"{where} is a '{shown(pipeline, 60)}' whose network ({kind}) is told a prompt or a picture, and its index "
            f"names no text encoder: {WAY_OUT}"
        )
    if kind not in _NETWORKS:
        raise BadFile(f"{where} {unknown_class(kind, pipeline)}")
    try:
        config = (UNetConfig if kind == "UNet2DModel" else DiTConfig).model_validate(table)
    except ValidationError as error:
        raise invalid(folder / CONFIG, error) from error
    at = network_at(look, folder, table)
    schedule, scheduler = found_schedule(look, folder)
    vae, vae_folder = (None, folder) if CONFIG in look.names and not index else found_decoder(look)
    if vae is not None and vae.channels != config.in_channels:
        raise BadFile(
            f"{where}: the latents of its autoencoder have {vae.channels} channels, its network has "
            f"{config.in_channels}"
        )
    labels = _labels(index, _classes(config))
    decoder = None if vae is None else parts(vae_folder)
    return _Found(config, at, schedule, scheduler, vae, decoder, labels, left_out(index))


def _classes(config: UNetConfig | DiTConfig) -> int:
    return config.num_embeds_ada_norm if isinstance(config, DiTConfig) else config.num_class_embeds or 0


def _labels(index: dict[str, Any], count: int) -> tuple[str, ...]:
    """The names of the classes, where the pipeline has a name for each."""
    table = index.get("id2label")
    if not isinstance(table, dict) or not count:
        return ()
    names = [table.get(str(i)) for i in range(count)]
    return tuple(shown(name, 200) for name in names) if all(isinstance(name, str) for name in names) else ()


def _description(found: _Found, seen: str) -> str:
    kind = "DiTTransformer2DModel" if isinstance(found.network, DiTConfig) else "UNet2DModel"
    latent = f" on the latents of a {found.vae.kind}" if found.vae else ""
    chain = (
        f"its chain is that of its {found.scheduler}"
        if found.scheduler
        else f"nothing says of which chain it was trained on: DDPM's linear table is taken{seen}"
    )
    told = found.schedule.told if found.scheduler else ""
    return f"A {kind} of diffusers{latent}; {chain}.{told} Data set, licence and training are not known."
