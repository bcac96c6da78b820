"""Whose run it is, in a line: model, solver, steps, guidance, class or prompt, seed, source, weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any

from diffstudio import options
from diffstudio.gui.kit.words import SHY, count, field_text, tr
from diffstudio.traces.format import TraceHeader

PROMPT = 60  # characters of a prompt
FEW = 3  # of these parts name a run in the window's title


def run_line(header: TraceHeader) -> str:
    """All that names a run. A stranger's header may lack anything: what it lacks is left out."""
    return f" {SHY} ".join(_parts(header))


def run_name(header: TraceHeader) -> str:
    """What tells a run from most others: its model, its solver, its steps, its seed."""
    request, parts = header.request, _parts(header)
    seed = [] if request.get("kind") == "forward" else _seed(request)
    return f" {SHY} ".join([*parts[:FEW], *(part for part in seed if part not in parts[:FEW])])


def _parts(header: TraceHeader) -> list[str]:
    request, card = header.request, header.card
    model = str(card.get("name") or PureWindowsPath(str(request.get("model") or "")).name or tr("a run"))
    step = card.get("step")
    made = [f"{model}@{step}" if step else model]
    if request.get("kind") == "forward":
        made.append(tr("forward chain alone"))
    elif request.get("solver") in options.SOLVERS:
        made.append(tr(options.SOLVERS[request["solver"]].label))
    return [*made, *_steps(request), *_guidance(request), *_class(request, card), *_seed(request), *_source(request)]


def _steps(request: Mapping[str, Any]) -> list[str]:
    times, steps = request.get("times"), request.get("steps")
    if isinstance(times, list | tuple) and len(times) > 1:
        steps = len(times) - 1
    return [tr("{} steps").format(count(steps))] if isinstance(steps, int) else []


def _guidance(request: Mapping[str, Any]) -> list[str]:
    weight = request.get("guidance", 1.0)
    guided = isinstance(weight, int | float) and weight != 1
    return [tr("guidance {}").format(field_text(float(weight), None))] if guided else []


def _class(request: Mapping[str, Any], card: Mapping[str, Any]) -> list[str]:
    found = []
    label, names = request.get("label"), card.get("labels") or ()
    if label == "each":
        found.append(tr("each class"))
    elif isinstance(label, int) and names:
        found.append(tr("class {}").format(names[label] if 0 <= label < len(names) else label))
    prompt = " ".join(str(request.get("prompt") or "").split())
    if prompt:
        found.append(f"“{prompt if len(prompt) <= PROMPT else f'{prompt[: PROMPT - 1]}…'}”")
    return found


def _seed(request: Mapping[str, Any]) -> list[str]:
    seed = request.get("seed")
    return [tr("seed {}").format(seed)] if isinstance(seed, int) else []


def _source(request: Mapping[str, Any]) -> list[str]:
    """What it started from, and in which weights."""
    source, name = request.get("source"), PureWindowsPath(str(request.get("source_file") or "")).name
    strength = request.get("strength", 1.0)
    found = []
    if source == "data":
        found.append(tr("from data"))
    elif source == "file":
        found.append(tr("from {}").format(name))
    elif source == "step":
        found.append(tr("from a step of {}").format(name))
    if source in ("data", "file") and isinstance(strength, int | float) and strength != 1:
        found.append(tr("strength {}").format(field_text(float(strength), None)))
    if request.get("precision") == "half":
        found.append(tr("half precision"))
    return found
