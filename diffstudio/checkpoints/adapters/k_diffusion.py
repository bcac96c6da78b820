"""Checkpoints of k-diffusion: `.safetensors` with a config in its metadata, or the trainer's `.pth`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diffstudio.checkpoints.adapters.adapter import Adapter, floats, invalid, numbered
from diffstudio.checkpoints.adapters.k_diffusion_hourglass import hourglass
from diffstudio.checkpoints.adapters.look import Look, Stored, read_json
from diffstudio.checkpoints.adapters.parts import stored_weights
from diffstudio.checkpoints.adapters.sidecar import completed
from diffstudio.checkpoints.adapters.weight_sets import WeightSet, weight_set
from diffstudio.checkpoints.card import Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile
from diffstudio.strangers import bounded_json
from diffstudio.user_files import is_file

if TYPE_CHECKING:
    from torch import Tensor

Named = TypeVar("Named")
WRAPPED = "inner_model."  # the network beside its augmentations
# Tensors of each of its networks, of the U-Net first.
SIGNS = (
    ("timestep_embed.weight", "mapping.0.weight", "proj_in.weight"),
    ("time_emb.weight", "aug_emb.weight", "time_in_proj.weight"),
)
UNET, TRANSFORMER, HOURGLASS = "image_v1", "image_transformer_v1", "image_transformer_v2"
Side = Annotated[int, Field(ge=1, le=4096)]
Count = Annotated[int, Field(ge=0, le=8192)]
MAX_CONFIG_PARTS = 10_000  # see `bounded_json`
_FIXED = {"mapping_cond_dim": 0, "unet_cond_dim": 0, "cross_cond_dim": 0}


class ModelConfig(BaseModel):
    """The table "model" of a config: what says something of the network. Others are left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Annotated[str, Field(max_length=80)]
    input_channels: Annotated[int, Field(ge=1, le=64)]
    input_size: Annotated[tuple[Side, ...], Field(min_length=2, max_length=2)]
    patch_size: Annotated[int, Field(ge=1, le=64)] | Annotated[tuple[Side, ...], Field(min_length=2, max_length=2)] = 1
    sigma_data: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0
    sigma_min: Annotated[float, Field(ge=1e-6, le=0.5)] = 0.01
    sigma_max: Annotated[float, Field(ge=1, le=10_000)] = 80.0
    has_variance: bool = False
    mapping_out: Count = 0
    depths: Annotated[tuple[Count, ...], Field(max_length=10)] = ()
    channels: Annotated[tuple[Count, ...], Field(max_length=10)] = ()
    self_attn_depths: Annotated[tuple[bool, ...], Field(max_length=10)] = ()
    mapping_cond_dim: Count = 0
    unet_cond_dim: Count = 0
    cross_cond_dim: Count = 0
    skip_stages: Annotated[int, Field(ge=0, le=10)] = 0


def recognises(look: Look) -> bool:
    """A config in the metadata or in the trainer's file, or its networks' own names."""
    return '"model"' in look.metadata.get("config", "") or _weights(look) is not None


def _weights(look: Look) -> WeightSet | None:
    """The weights of one of its networks, the averaged ones first; None in other files."""
    return next((found for signs in SIGNS if (found := weight_set(look, signs)) is not None), None)


def card(look: Look) -> Card:
    """What the config says, and the tensors. Raises: BadFile."""
    table = _table(look)
    config = _config(look, table)
    found_in = _weights(look)
    tensors: Mapping[str, Stored] = found_in.tensors if found_in else _unwrapped(look.tensors)
    network = _network(look, table, config, tensors)
    embedded = tensors["class_emb.weight"].shape if "class_emb.weight" in tensors else ()
    classes = embedded[0] - 1 if embedded else 0
    name, counted = name_and_step(look.path)
    step = look.pickled.values.get("step") if look.kind == "torch" else None
    ends = {"rho": 7.0, "sigma_min": config.sigma_min, "sigma_max": config.sigma_max}
    found: dict[str, Any] = {
        "name": name,
        "title": name,
        "description": f"A network '{config.type}' of k-diffusion. Data set and licence are not known.",
        "modality": "image",
        "shape": (config.input_channels, *config.input_size),
        "path": {"name": "edm", "params": {"sigma_max": config.sigma_max}},
        "prediction": "edm",
        "sigma_data": config.sigma_data,
        **network,
        "labels": numbered(classes),
        "data": {"dataset": ""},
        "step": step if type(step) is int and 0 <= step <= 10**9 else counted,
        "parameters": sum(math.prod(tensor.shape) for tensor in tensors.values()),
        "dtype": next(iter(tensors.values())).dtype if tensors else "",
        **(found_in.told() if found_in else {}),
        "defaults": {"solver": "dpmpp_2m", "steps": 30, "grid": "karras", "grid_params": ends}
        | ({"label": "each"} if classes else {}),
        "format": "k-diffusion",
    }
    return completed(look.path, found)


def weights(look: Look) -> dict[str, Tensor]:
    """The averaged weights. Raises: NotFound, BadFile."""
    found = _weights(look)
    return floats(look.path, found.load() if found else _unwrapped(stored_weights(look)))


K_DIFFUSION = Adapter(
    name="k-diffusion",
    label="k-diffusion `.safetensors` and `.pth`",
    opens=f"`{UNET}` (a U-Net), `{TRANSFORMER}` and `{HOURGLASS}` (the Hourglass Diffusion Transformer, with "
    "every kind of its attention), these two also with classes: averaged weights, σ and its range from the config",
    recognised="a config in the metadata, or "
    + " or ".join(", ".join(f"`{sign}`" for sign in signs) for signs in SIGNS)
    + ", behind any prefix",
    asks="the config of a `.pth` that has none: a file `NAME.json` beside it",
    refuses=f"conditions other than classes, `{HOURGLASS}` from before the learned shares of its skips",
    recognises=recognises,
    card=card,
    weights=weights,
)


def _unwrapped(found: Mapping[str, Named]) -> dict[str, Named]:
    """By the names of ours."""
    return {name.removeprefix(WRAPPED): each for name, each in found.items()}


def _table(look: Look) -> dict[str, Any]:
    """The config: in the metadata, in the trainer's file, or in a JSON file beside it. Raises: BadFile."""
    where = shown(look.path, 400)
    if "config" in look.metadata:
        try:
            table = bounded_json(look.metadata["config"], MAX_CONFIG_PARTS)
        except ValueError as error:
            raise BadFile(f"{where}: the config in its metadata is not valid JSON: {shown(error)}") from error
        return table if isinstance(table, dict) else {}
    values, prefix = (look.pickled.values if look.kind == "torch" else {}), "config.model."
    beside = f"{look.path.stem}.json"
    if f"{prefix}type" in values:
        return {"model": _nested({name[len(prefix) :]: values[name] for name in values if name.startswith(prefix)})}
    if is_file(look.path.parent / beside):
        return read_json(look.path.parent, beside)
    raise BadFile(
        f"{where} is a checkpoint of k-diffusion without the config of its network: put the JSON file that it was "
        f"trained with beside it as {shown(beside)}"
    )


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Entries such as "depths.0" and "self_attns.0.type" as the lists and tables that they are from."""
    table: dict[str, Any] = {}
    for name, value in flat.items():
        *within, last = name.split(".")
        at: Any = table
        for part in within:
            at = at.setdefault(part, {}) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at[last] = value
    return {name: _listed(value) for name, value in table.items()}


def _listed(value: Any) -> Any:
    """A table whose names are 0, 1, 2, … as a list, and so within it."""
    if not isinstance(value, dict):
        return value
    entries = {name: _listed(entry) for name, entry in value.items()}
    return list(entries.values()) if list(entries) == [str(i) for i in range(len(entries))] else entries


def _config(look: Look, table: dict[str, Any]) -> ModelConfig:
    """The part of the network, checked. Raises: BadFile."""
    where = shown(look.path, 400)
    try:
        config = ModelConfig.model_validate(table.get("model"))
    except ValidationError as error:
        raise invalid(look.path, error, "config of k-diffusion, model field") from error
    size = "×".join(str(side) for side in (config.input_channels, *config.input_size))
    if config.type not in (UNET, TRANSFORMER, HOURGLASS):
        raise BadFile(
            f"{where} is a checkpoint of k-diffusion with a network '{shown(config.type, 40)}' of pictures {size}, "
            f"expected {UNET}, {TRANSFORMER} or {HOURGLASS}; sample it with k-diffusion itself"
        )
    for field, expected in _FIXED.items():
        if getattr(config, field) != expected:
            raise BadFile(
                f"{where} is a checkpoint of k-diffusion with {field} {getattr(config, field)}, expected {expected}: "
                "conditions other than classes are not known here; sample it with k-diffusion itself"
            )
    return config


def _network(look: Look, table: dict[str, Any], config: ModelConfig, tensors: Mapping[str, Stored]) -> dict[str, Any]:
    """The entries of a card that name the network. Raises: BadFile."""
    if config.type == UNET:
        return _unet(config, tensors)
    patch = config.patch_size
    sides = (patch, patch) if isinstance(patch, int) else (patch[0], patch[1])
    if config.type == HOURGLASS:
        return hourglass(look, table["model"], sides)
    return _transformer(look, sides, tensors)


def _unet(config: ModelConfig, tensors: Mapping[str, Stored]) -> dict[str, Any]:
    patch = config.patch_size
    args = {
        "embed": config.mapping_out,
        "depths": list(config.depths),
        "channels": list(config.channels),
        "attention": list(config.self_attn_depths),
        "patch": patch if isinstance(patch, int) else patch[0],
        "skipped": config.skip_stages,
        "augmented": "mapping_cond.weight" in tensors,
        "variance": config.has_variance,
    }
    return {"network": "k_diffusion_unet", "network_args": args}


def _transformer(look: Look, patch: tuple[int, int], tensors: Mapping[str, Stored]) -> dict[str, Any]:
    down = tensors.get("blocks.0.ff.down_proj.weight")
    if down is None or len(down.shape) != 2:
        raise BadFile(f"{shown(look.path, 400)}: its tensors are not those of the '{TRANSFORMER}' in its config")
    depth = 1 + max(int(found[1]) for name in tensors if (found := re.match(r"blocks\.(\d{1,3})\.", name)))
    args = {"width": down.shape[0], "hidden": down.shape[1], "depth": depth, "patch": list(patch)}
    return {"network": "k_diffusion_transformer", "network_args": args}
