"""What bare weights say of themselves: which network of ours they are, from the names and shapes of their tensors."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from diffstudio.checkpoints.adapters.adapter import Preset, invalid
from diffstudio.checkpoints.adapters.look import Look
from diffstudio.checkpoints.adapters.sidecar import ENDING, sidecar
from diffstudio.checkpoints.card import MAX_LABELS, Card
from diffstudio.checkpoints.names import name_and_step, shown
from diffstudio.errors import BadFile, BadInput
from diffstudio.files import write_bytes
from diffstudio.user_files import exists

USUAL = {"prediction": "eps", "path": "vp_linear", "time": "t"}
HEADS = 4  # of attention, where there is nothing that tells
Shapes = Mapping[str, tuple[int, ...]]


class Stored(Protocol):
    """A tensor as a file's header has it."""

    @property
    def shape(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class Proposal:
    """A network of ours with its arguments; 0 stands for a side of the states that the weights don't tell.

    assumed: what is usual and not told, in words. Prediction, path and time are never told: usual has what is taken
    for them. presets: published models that it may be.
    """

    modality: str
    network: str
    network_args: dict[str, Any]
    shape: tuple[int, ...]
    labels: int = 0
    learned_range: bool = False
    assumed: tuple[str, ...] = ()
    usual: Mapping[str, str] = field(default_factory=lambda: dict(USUAL))
    presets: Mapping[str, Preset] = field(default_factory=dict)

    def published(self, name: str) -> Proposal:
        """The same weights with the size and the path of one of the presets."""
        preset = self.presets[name]
        shape = (*self.shape[:1], preset.side, preset.side)
        return dataclasses.replace(self, shape=shape, usual={**self.usual, "path": preset.path})


def propose(path: Path, again: bool = False) -> Proposal:
    """Look at a file of weights, without torch. again: also where a card is beside it.

    Raises:
        NotFound, BadFile: it can't be read, or is not a network that can be told by its tensors.  BadInput: it needs no
            card, or has one.
    """
    look = Look(path)
    where = shown(path, 400)
    if look.kind not in ("torch", "safetensors"):
        raise BadFile(f"{where} is no file of weights: expected one of torch.save, or .safetensors")
    from diffstudio.checkpoints.adapters import ADAPTERS

    known = next((adapter for adapter in ADAPTERS if adapter.recognises(look)), None)
    if known is not None and known.presets and (again or not sidecar(path)):
        return _of_card(known.card(look), known.presets)
    if known is not None and not (again and known.name == "bare"):
        beside = known.name == "bare" or known.presets
        has = f"has a card beside it, {shown(path.name)}{ENDING}" if beside else "opens as it is"
        raise BadInput(f"{where} {has}: nothing is to be written")
    found = proposal_of({name: tuple(tensor.shape) for name, tensor in look.tensors.items()})
    if found is None:
        raise BadFile(
            f"{where}: its {len(look.tensors):,} tensors are not those of an MLP, a U-Net or a network of clips of "
            f"ours: write {shown(path.name)}{ENDING} by hand, or save it with checkpoints.store.save"
        )
    return found


def _of_card(card: Card, presets: Mapping[str, Preset]) -> Proposal:
    """What another tool's file says by itself, and what was taken for the rest."""
    side = "×".join(str(n) for n in card.shape[1:])
    heads = {"heads", "head_width"} & card.network_args.keys()
    told = tuple(f"{key.replace('_', ' ')} {card.network_args[key]}" for key in sorted(heads))
    return Proposal(
        card.modality,
        card.network,
        dict(card.network_args),
        card.shape,
        len(card.labels),
        card.learned_range,
        (f"pictures of {side}", *told),
        {"prediction": card.prediction, "path": card.path.name, "time": card.time},
        presets,
    )


def proposal_of(shapes: Shapes) -> Proposal | None:
    """The network whose tensors these are, None where none is recognised."""
    needed = ("condition.mlp.0.weight", "enter.weight")
    if any(name not in shapes for name in needed):
        return None
    try:
        if "modulation.weight" in shapes:
            return _video_transformer(shapes)
        if "blocks.0.modulate.weight" in shapes:
            return _mlp(shapes)
        return _video(shapes) if "frame" in shapes else _unet(shapes) if "down.0.conv1.weight" in shapes else None
    except (KeyError, IndexError, ValueError, ZeroDivisionError):  # named like one of ours, and something else
        return None


def _condition(shapes: Shapes) -> tuple[int, int]:
    """embed, and how many classes."""
    labels = shapes.get("condition.label.weight", (1,))[0] - 1
    if labels > MAX_LABELS:
        raise ValueError("an empty tensor can claim as many rows as it likes")
    return shapes["condition.mlp.0.weight"][0], labels


def _mlp(shapes: Shapes) -> Proposal | None:
    embed, labels = _condition(shapes)
    width, inputs = shapes["enter.weight"]
    outputs = shapes["leave.2.weight"][0]
    for times in (1, 2):  # with a learned range of variances the network gives twice as much
        dim = outputs // times
        if outputs % times == 0 and inputs % dim == 0 and (inputs // dim) % 2 and inputs > dim:
            octaves = (inputs // dim - 1) // 2
            args = {"width": width, "depth": _count(shapes, "blocks.{}.modulate.weight"), "octaves": octaves}
            return Proposal("points", "mlp", {**args, "embed": embed}, (dim,), labels, times == 2)
    return None


def _unet(shapes: Shapes) -> Proposal:
    embed, labels = _condition(shapes)
    channels, blocks = _levels(shapes, "down.{}.conv1.weight")
    colours, patch, assumed = _entrance(shapes)
    heads, more = _heads(channels[-1])
    args = {"channels": channels, "blocks": blocks, "embed": embed, "heads": heads, "patch": patch}
    twice = shapes["leave.2.weight"][0] == 2 * shapes["enter.weight"][1]
    return Proposal("image", "unet", args, (colours, 0, 0), labels, twice, (*assumed, *more))


def _video(shapes: Shapes) -> Proposal:
    embed, labels = _condition(shapes)
    channels, _ = _levels(shapes, "down.{}.within.conv1.weight")
    colours, patch, assumed = _entrance(shapes)
    heads, more = _heads(channels[-1])
    factor = patch * 2 ** (len(channels) - 1)
    sides = [factor * shapes[f"place.{i}"][0] for i in (1, 2)]
    args = {"channels": channels, "embed": embed, "heads": heads, "patch": patch}
    shape = (shapes["frame"][0], colours, *sides)
    return Proposal("video", "video_unet", args, shape, labels, False, (*assumed, *more))


def _video_transformer(shapes: Shapes) -> Proposal:
    width, labels = _condition(shapes)
    inputs = shapes["enter.weight"][1]
    colours = 1 if math.isqrt(inputs) ** 2 == inputs else 3  # 3·patch² is never a square
    patch = math.isqrt(inputs // colours)
    if colours * patch**2 != inputs or shapes["out.weight"] != (inputs, width):
        raise ValueError("no squares of one or three colours")
    heads, assumed = _heads(width)
    args = {"width": width, "depth": _count(shapes, "blocks.{}.qkv.weight"), "heads": heads, "patch": patch}
    frames, down, across = (shapes[f"place.{i}"][0] for i in range(3))
    shape = (frames, colours, patch * down, patch * across)
    return Proposal("video", "video_transformer", args, shape, labels, False, assumed)


def _levels(shapes: Shapes, *blocks: str) -> tuple[list[int], int]:
    """Channels of each level, and residual blocks a level: between two of them a convolution halves the picture."""
    levels: list[list[int]] = [[]]
    for i in range(len(shapes)):
        block = next((name.format(i) for name in blocks if name.format(i) in shapes), "")
        if block:
            levels[-1].append(shapes[block][0])
        elif f"down.{i}.conv.weight" in shapes:
            levels.append([])
        else:
            break
    if len({len(level) for level in levels}) != 1 or not levels[0]:
        raise ValueError("levels of different depth")
    return [level[-1] for level in levels], len(levels[0])


def _entrance(shapes: Shapes) -> tuple[int, int, tuple[str, ...]]:
    """Colours and patch: only their product colours·patch² is told."""
    inputs = shapes["enter.weight"][1]
    for patch in (2, 1, 4, 8):
        if inputs % patch**2 == 0 and inputs // patch**2 in (1, 3):
            return inputs // patch**2, patch, (f"{inputs // patch**2} colours in patches of {patch}×{patch}",)
    return inputs, 1, (f"{inputs} channels without patches",)


def _heads(channels: int) -> tuple[int, tuple[str, ...]]:
    heads = math.gcd(HEADS, channels)
    return heads, (f"{heads} heads of attention",)


def _count(shapes: Shapes, name: str) -> int:
    return next(i for i in range(len(shapes) + 1) if name.format(i) not in shapes)


def entries(proposal: Proposal, **told: Any) -> dict[str, Any]:
    """The entries of a card beside the weights. told: fields of a card that replace what is proposed."""
    found = {
        "modality": proposal.modality,
        "shape": list(proposal.shape),
        "network": proposal.network,
        "network_args": proposal.network_args,
        "labels": [str(i) for i in range(proposal.labels)],
        "learned_range": proposal.learned_range,
    }
    return {key: value for key, value in (found | told).items() if value not in ([], False, None)}


def write_card(path: Path, found: Mapping[str, Any], overwrite: bool = False) -> Path:
    """Write `NAME.card.json` beside a file of weights, atomically; returns where.

    Raises:
        BadFile: the entries are not a card.  BadInput: there is one already, or it can't be written.
    """
    beside = path.with_name(path.name + ENDING)
    if exists(beside) and not overwrite:
        raise BadInput(f"{shown(beside, 400)} is there already; it was not replaced")
    name, step = name_and_step(path)
    try:
        Card.model_validate({"name": name, "step": step, "data": {"dataset": ""}, **found})
    except ValidationError as error:
        raise invalid(beside, error) from error
    write_bytes(beside, (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode())
    return beside
