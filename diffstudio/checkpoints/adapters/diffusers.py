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
    decoded,
    found_decoder,
    found_schedule,
    name_and_step,
    untold,
)
from diffstudio.checkpoints.adapters.config import DiTConfig, KLConfig, UNetConfig, VQConfig
from diffstudio.checkpoints.adapters.look import Look, read_json
from diffstudio.checkpoints.adapters.parts import Parts, load, parts
from diffstudio.checkpoints.adapters.prompted_config import PROMPTED
from diffstudio.checkpoints.adapters.schedule import Schedule
from diffstudio.checkpoints.card import Card, TrainingData
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
    """A pipeline in its parts, all checked; `labels` may be empty for numbers."""

    network: UNetConfig | DiTConfig
    folder: Path  # of the network
    schedule: Schedule
    scheduler: str  # its class, "" where there is none
    vae: KLConfig | VQConfig | None
    vae_folder: Path
    labels: tuple[str, ...]


def card(look: Look) -> Card:
    """What the folder says, from its JSON files and the headers of its weights. Raises: NotFound, BadFile."""
    found = _found(look)
    weights, decoder = _parts(found)
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
        height, width = config.size
        return Card(
            name=name,
            title=name,
            description=_description(found, seen),
            modality="image",
            shape=(config.in_channels, height, width),
            path=schedule.path,
            prediction=schedule.prediction,
            untold=asked,
            sigma_data=schedule.sigma_data,
            learned_range=config.outputs == 2,
            time=schedule.time,
            unit_noise=schedule.unit_noise,
            any_label=conditional or not labels,
            decoded=decoded(found.vae, height, width),
            network="diffusers_dit" if conditional else "diffusers_unet",
            network_args=args,
            labels=labels,
            data=TrainingData(dataset=""),
            step=step,
            parameters=weights.parameters + (decoder.parameters if decoder else 0),
            decoder_parameters=decoder.parameters if decoder else 0,
            dtype=weights.dtype,
            defaults=defaults,
            format="diffusers",
        )
    except ValidationError as error:
        raise invalid(look.path, error) from error
    except ValueError as error:
        raise BadFile(f"{shown(look.path, 400)}: {error}") from error


def weights(look: Look) -> dict[str, Tensor]:
    """The tensors of the network and of the autoencoder. Raises: NotFound, BadFile."""
    found = _found(look)
    files, decoder = _parts(found)
    prefix = "transformer." if isinstance(found.network, DiTConfig) else "unet."
    tensors = load(files.files, prefix)
    if decoder is not None:
        tensors |= load(decoder.files, "vae.model.")
    return floats(look.path, tensors)


DIFFUSERS = Adapter(
    name="diffusers",
    label="diffusers folder",
    opens="UNet2DModel (DDPM, DDIM, EDM, score-VE, consistency; with classes), DiT, either with AutoencoderKL or "
    "VQModel; sharded, fp16, .safetensors or .bin; checkpoint folders of a training",
    recognised=f"{INDEX}, or {CONFIG} with a _class_name, or a folder unet or transformer that has one",
    asks="nothing; without a scheduler beside a network DDPM's linear table is taken, and the card says so",
    refuses="other pipelines, custom code, links and index files that lead out of the folder",
    recognises=recognises,
    card=card,
    weights=weights,
)


def _networks(look: Look) -> list[str]:
    return [name for name in NETWORK_FOLDERS if name in look.names]


def _has_config(folder: Path) -> bool:
    return CONFIG in Look(folder).names


def _found(look: Look) -> _Found:
    folder, where = look.path, shown(look.path, 400)
    index = read_json(folder, INDEX) if INDEX in look.names else {}
    if CONFIG in look.names and not index:
        network = folder
    else:
        names = _networks(look)
        if not names:
            raise BadFile(
                f"{where} is a pipeline of the class '{shown(index.get('_class_name', 'unknown'))}', which has no "
                "network that is known here"
            )
        network = folder / names[0]
    table = read_json(network, CONFIG)
    kind = str(table.get("_class_name"))
    kind = _OLD_NAMES.get(kind, kind)
    if kind in PROMPTED:
        raise BadFile(
            f"{where} is the network of a text-to-image pipeline ({kind}) without its text encoders: open the folder "
            "of the whole pipeline"
        )
    if kind not in _NETWORKS:
        raise BadFile(f"{where}: its network is a '{shown(kind)}', expected one of {', '.join(_NETWORKS)}")
    try:
        config = (UNetConfig if kind == "UNet2DModel" else DiTConfig).model_validate(table)
    except ValidationError as error:
        raise invalid(network / CONFIG, error) from error
    schedule, scheduler = found_schedule(look, network)
    vae, vae_folder = (None, folder) if CONFIG in look.names and not index else found_decoder(look)
    if vae is not None and vae.channels != config.in_channels:
        raise BadFile(
            f"{where}: the latents of its autoencoder have {vae.channels} channels, its network has "
            f"{config.in_channels}"
        )
    return _Found(config, network, schedule, scheduler, vae, vae_folder, _labels(index, _classes(config)))


def _classes(config: UNetConfig | DiTConfig) -> int:
    return config.num_embeds_ada_norm if isinstance(config, DiTConfig) else config.num_class_embeds or 0


def _parts(found: _Found) -> tuple[Parts, Parts | None]:
    """The files of the network and of the autoencoder."""
    return parts(found.folder), None if found.vae is None else parts(found.vae_folder)


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
