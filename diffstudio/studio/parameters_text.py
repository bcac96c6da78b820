"""The text "parameters" that other programs write into pictures and read from them: prompt, steps, sampler, seed.

    a red fox
    Negative prompt: blurry
    Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 512x512, Model: v1-5

It is AUTOMATIC1111's form, which Forge, SD.Next, Civitai and the readers of prompts share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.studio.request.checks import usable
from diffstudio.studio.request.request import Request

MAX_TEXT = 1 << 16
LEAST = 3  # pairs that make the last line one of settings
# Their sampler, our solver, and its numbers where they are not the usual ones.
SAMPLERS: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("DPM++ 2M", "dpmpp_2m", {}),
    ("DPM++ 2M SDE", "dpmpp_2m_sde", {}),
    ("DPM++ 2M SDE Heun", "dpmpp_2m_sde", {"variant": 2}),
    ("Euler", "euler", {}),
    ("Euler a", "euler_ancestral", {}),
    ("Heun", "heun", {}),
    ("DDIM", "ddim", {}),
    ("DDPM", "ddpm", {}),
    ("UniPC", "unipc", {}),
    ("DEIS", "deis", {}),
    ("LCM", "lcm", {}),
)
SCHEDULES = {"karras": "karras", "exponential": "exponential", "beta": "beta"}  # theirs in small letters, our grids
_OWN_SCHEDULES = ("", "automatic", "uniform", "normal")  # that mean the model's own
_PAIR = re.compile(r'\s*([A-Za-z][\w \-/]{0,60}):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_NEGATIVE = "Negative prompt:"
_SYNTAX = re.compile(r"<\w+:[^>]+>|[(\[][^()\[\]]*:[\d.]+[)\]]|\bBREAK\b")
_READ = ("steps", "sampler", "schedule type", "cfg scale", "distilled cfg scale", "seed", "variation seed",
         "variation seed strength", "size", "model", "model hash", "version")  # fmt: skip


@dataclass(frozen=True)
class Parameters:
    """What a text says. fields: by their names in small letters; named: as they are written."""

    prompt: str
    negative: str
    fields: Mapping[str, str]
    named: Mapping[str, str]


def parse_parameters(text: str) -> Parameters | None:
    """What a text of that form says; None where it is none."""
    lines = text[:MAX_TEXT].replace("\r\n", "\n").strip().split("\n")
    pairs = _PAIR.findall(lines[-1])
    if len(pairs) < LEAST or not any(name.strip().casefold() == "steps" for name, _ in pairs):
        return None
    words = "\n".join(lines[:-1])
    prompt, _, negative = words.partition(_NEGATIVE) if words.startswith(_NEGATIVE) else _split(words)
    named = {name.strip(): _unquoted(value.strip()) for name, value in pairs}
    fields = {name.casefold(): value for name, value in named.items()}
    return Parameters(prompt.strip(), negative.strip(), fields, named)


def _split(words: str) -> tuple[str, str, str]:
    return words.partition(f"\n{_NEGATIVE}")


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def parameters_text(request: Request, card: Mapping[str, Any], seed: int, sha256: str, software: str) -> str:
    """The text of a picture that a request made; seed: of its sample."""
    lines = [request.prompt]
    if request.negative_prompt:
        lines.append(f"{_NEGATIVE} {request.negative_prompt}")
    pairs: dict[str, Any] = {"Steps": request.steps_run, "Sampler": _sampler(request)}
    schedule = next((theirs for theirs, ours in SCHEDULES.items() if ours == request.grid), "")
    if schedule:
        pairs["Schedule type"] = schedule.capitalize()
    pairs |= {"CFG scale": f"{request.guidance:g}", "Seed": seed}
    size = card.get("decoded") or card.get("shape") or ()
    if len(size) == 3:
        pairs["Size"] = f"{size[2]}x{size[1]}"
    if sha256:
        pairs["Model hash"] = sha256[:10]
    pairs["Model"] = str(card.get("name", ""))
    if request.from_data:
        pairs["Denoising strength"] = f"{request.strength:g}"
    if request.variation:
        pairs |= {"Variation seed": request.variation_seed, "Variation seed strength": f"{request.variation:g}"}
    if (card.get("prompts") or {}).get("distilled"):
        pairs["Distilled CFG Scale"] = f"{request.distilled_guidance:g}"
    pairs["Version"] = software
    return "\n".join([*lines, ", ".join(f"{name}: {_quoted(str(value))}" for name, value in pairs.items())])


def _sampler(request: Request) -> str:
    found = [row for row in SAMPLERS if row[1] == request.solver]
    exact = [theirs for theirs, _, numbers in found if numbers == request.solver_params]
    return (exact or [row[0] for row in found] or [options.SOLVERS[request.solver].label])[0]


def _quoted(value: str) -> str:
    if not any(letter in value for letter in ',:\n"'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def taken_over(found: Parameters, now: Request, card: Card) -> tuple[Request, tuple[str, ...]]:
    """A request as `now`, with what the text says, and sentences about what of it can't be had here."""
    update: dict[str, Any] = {"prompt": found.prompt, "negative_prompt": found.negative, "source": "noise"}
    update |= {"kind": "sample", "mask": None, "mask_region": None, "strength": 1.0, "variation": 0.0}
    notes: list[str] = []
    for name, field, kind in (
        ("steps", "steps", int), ("seed", "seed", int), ("cfg scale", "guidance", float),
        ("distilled cfg scale", "distilled_guidance", float), ("variation seed", "variation_seed", int),
        ("variation seed strength", "variation", float),
    ):  # fmt: skip
        if name in found.fields:
            try:
                value = kind(found.fields[name])
                Request.model_validate({field: value})
            except (ValueError, ValidationError):
                notes.append(f"Its {name} '{found.fields[name]:.40}' can't be used.")
            else:
                update[field] = value
    solver, said = _solver(found)
    notes += said
    update |= solver
    notes += _others(found, card)
    changed = usable(card, Request.model_construct(None, **{**dict(now), **update}))
    return Request.model_validate(dict(changed)), tuple(notes)


def _solver(found: Parameters) -> tuple[dict[str, Any], list[str]]:
    """The solver and the grid; older texts have both in one name: "DPM++ 2M Karras"."""
    name, schedule = found.fields.get("sampler", ""), found.fields.get("schedule type", "")
    if not schedule:
        for word in SCHEDULES:
            if name.casefold().endswith(f" {word}"):
                name, schedule = name[: -len(word) - 1], word
    update: dict[str, Any] = {}
    notes = []
    known = next((row for row in SAMPLERS if row[0].casefold() == name.casefold()), None)
    if known:
        update |= {"solver": known[1], "solver_params": dict(known[2]), "noise": None}
    elif name:
        notes.append(f"Its sampler '{name:.60}' is not known here: the solver stays.")
    grid = SCHEDULES.get(schedule.casefold(), "")
    if grid in options.GRIDS:
        update |= {"grid": grid, "grid_params": {}, "times": None}
    elif schedule.casefold() not in _OWN_SCHEDULES:
        notes.append(f"Its schedule '{schedule:.60}' is not known here: the spacing stays.")
    return update, notes


def _others(found: Parameters, card: Card) -> list[str]:
    """What there is no field for."""
    notes = []
    size = re.fullmatch(r"(\d{1,6})x(\d{1,6})", found.fields.get("size", ""))
    made = card.seen.shape
    if size and (int(size[2]), int(size[1])) != tuple(made[-2:]):
        notes.append(f"It has {size[1]}×{size[2]} pixels, and this model makes {made[-1]}×{made[-2]}.")
    if _SYNTAX.search(found.prompt) or _SYNTAX.search(found.negative):
        notes.append("Weights, LoRAs and breaks in its prompt are read as plain words.")
    left = [f"{name} {value:.40}" for name, value in found.named.items() if name.casefold() not in _READ]
    if left:
        notes.append(f"Not taken over: {', '.join(left[:12])}{', …' if len(left) > 12 else ''}.")
    return notes
