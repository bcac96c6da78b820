"""A request as the line that makes the same run in a terminal: `parse_request` backwards."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from diffstudio.checkpoints.card import Card
from diffstudio.errors import BadInput
from diffstudio.modalities import MODALITIES
from diffstudio.specs import PathSpec
from diffstudio.studio.export.naming import run_name
from diffstudio.studio.request.defaults import default_request
from diffstudio.studio.request.parse import parse_label
from diffstudio.studio.request.request import Request

# Fields that are options of the same name, and those that have another.
_SAME = (
    "steps", "seed", "samples", "solver", "noise", "clip", "guidance", "guidance_rescale", "forward", "strength",
    "prompt", "negative_prompt", "distilled_guidance", "mask", "mask_region", "resample", "interpolate", "variation",
    "variation_seed", "device", "precision", "source_sample",
)  # fmt: skip
_RENAMED = {"source_fit": "fit", "source_part": "part", "trace_every": "every"}
_FLAGS = {"source_invert": "invert", "record_split": "split"}
_CHOICES = {"solver": "solver_params", "grid": "grid_params", "clip": "clip_params"}


def command_line(request: Request, card: Card, place: Callable[[str], str] = str) -> str:
    """The line, quoted for a shell. place: how the terminal finds a model that the request names.

    Raises:
        BadInput: a run that goes on from a recorded step, or along a table of betas: only the window makes those.
    """
    if request.source == "step" or request.kind != "sample":
        raise BadInput("a run from a recorded step can't be written as a command: start from noise, data or a file")
    usual = default_request(card, request.model)
    words = list(_words(request, usual, card, place))
    name = re.sub(r"[^\w.]+", "-", card.name).strip("-.") or "samples"  # a name may say folders: "cats (a/b)"
    model = f"{name}@{card.step}" if card.step else name
    out = run_name(dict(request), model, card.labels) + MODALITIES[card.modality].sample_suffix
    return shlex.join(["diffstudio", "sample", place(request.model), "--out", out, *words])


def _words(request: Request, usual: Request, card: Card, place: Callable[[str], str]) -> Iterator[str]:
    changed = {name for name in Request.model_fields if getattr(request, name) != getattr(usual, name)}
    for choice, numbers in _CHOICES.items():
        if numbers in changed:
            changed.add(choice)  # numbers of the card's own belong to its own choice alone
    if "label" in changed and card.labels:
        yield from _option("label", _label(request.label, card))
    if request.source in ("data", "file"):
        yield from _option("source", request.source_file if request.source == "file" else request.source)
    for name in (*_SAME, "grid"):
        if name in changed and not (name == "grid" and request.times is not None):
            yield from _option(name, getattr(request, name))
    for name, option in _RENAMED.items():
        if name in changed:
            yield from _option(option, getattr(request, name))
    for name, option in _FLAGS.items():
        if getattr(request, name):
            yield f"--{option}"
    if request.source_range is not None:
        yield from _option("range", ",".join(map(repr, request.source_range)))
    if not request.keep_pixels:
        yield "--no-keep-pixels"
    if request.trace_dtype == "float16":
        yield "--half"
    for numbers in _CHOICES.values():
        if numbers in changed:
            for name, value in getattr(request, numbers).items():
                yield from _option(numbers.removesuffix("s"), f"{name}={value!r}")
    if request.path is not None:
        yield from _option("path", _path(request.path))
    if request.times is not None:
        yield from _option("times", ",".join(map(repr, request.times)))
    if request.guidance_interval is not None:
        yield from _option("guidance_interval", ",".join(map(repr, request.guidance_interval)))
    if request.guidance_model is not None:
        yield from _option("guidance_model", place(request.guidance_model))
    if request.negative is not None:
        yield from _option("negative", _label(request.negative, card))


def _option(name: str, value: Any) -> tuple[str, ...]:
    """Two words; one where the second would be taken for an option."""
    option, text = f"--{name.replace('_', '-')}", repr(value) if isinstance(value, float) else str(value)
    return (f"{option}={text}",) if text.startswith("-") else (option, text)


def _label(label: int | str | None, card: Card) -> str:
    """A class by its name where that says which, else by its number."""
    if label is None:
        return "any"
    if isinstance(label, str):
        return label
    name = card.labels[label]
    try:
        return name if name.strip() and parse_label(name, card) == label else str(label)
    except BadInput:
        return str(label)


def _path(path: PathSpec) -> str:
    if path.betas:
        raise BadInput("a path with a table of betas can't be written as a command: choose another path")
    numbers = ",".join(f"{name}={value!r}" for name, value in path.params.items())
    return f"{path.name}:{numbers}" if numbers else path.name
