"""What goes with what: why a field of a request can't be used with the others, in one sentence each.

The panel disables the control and shows the sentence; a run with such a field is refused with it. One place for both.
"""

from __future__ import annotations

import numpy as np

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import levels, prediction_problem
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec, grid_problem
from diffstudio.studio.request import Request

# The values that mean "not used": what the panel sends for a control that is disabled.
NEUTRAL = {name: field.get_default(call_default_factory=True) for name, field in Request.model_fields.items()}
SHORT = 1000  # steps of a grid that is laid out only to look at its first level
GUIDED = ("guidance_interval", "guidance_rescale", "record_split")  # what only changes guidance


def unavailable(card: Card, request: Request) -> dict[str, str]:
    """Fields of the request that have no meaning with this checkpoint and the other fields: field → why."""
    return {**_of_labels(card, request), **_of_source(card, request), **_of_solver(request)}


def _of_labels(card: Card, request: Request) -> dict[str, str]:
    """Classes and guidance."""
    out: dict[str, str] = {}
    if not card.labels:
        out["label"] = f"'{card.name}' knows no classes: leave the label out"
        out["negative"] = f"'{card.name}' knows no classes: leave the negative class out"
    guided = request.guidance_model is not None or (bool(card.labels) and request.label is not None)
    if not guided:
        nothing = "guidance pulls towards a class: choose one first"
        if not card.labels:
            nothing = f"'{card.name}' knows no classes, so there is nothing that guidance could lead to: leave it out"
        for name in ("guidance", *GUIDED):
            out[name] = nothing
    elif request.guidance == 1:
        for name in GUIDED:
            out[name] = "guidance of 1 is none: choose another strength first"
    if card.labels and request.label is None:
        out["negative"] = "a negative class is what guidance leads away from: choose a class to lead to first"
    if request.guidance_model is not None:
        out["negative"] = "a weaker checkpoint is led away from already: give it or a negative class"
    return out


def _of_source(card: Card, request: Request) -> dict[str, str]:
    """What the chain starts from, and the edits that need data to start from."""
    out: dict[str, str] = {}
    if not request.from_data or request.kind == "forward":
        out["strength"] = "the strength says how far data are noised: start from a data sample or a file"
        out["mask"] = "a mask keeps a part of the data: start from a data sample or a file"
    if card.modality == "points":
        out["clip"] = "clipping is for data in [−1, 1]; points lie anywhere in the plane"
        out["mask"] = "a mask is a picture; points have none"
    if request.mask is None or "mask" in out:
        out["resample"] = "repeating steps harmonises a repainted region with the rest: give a mask first"
    if request.source != "noise":
        for name in ("interpolate", "variation"):
            out[name] = "this chooses the noise that a run from noise starts with"
    elif request.samples < 2:
        out["interpolate"] = "interpolation needs at least two samples, the two ends"
    if request.interpolate is not None:
        out["variation"] = "interpolation chooses the noise already"
    if request.source == "step":
        out["forward"] = "a run from a recorded step has no forward chain"
    elif request.source != "file" and card.data.dataset not in DATASETS:
        out["forward"] = f"'{card.name}' carries no data set to noise: give a file as the source"
    return out


def _of_solver(request: Request) -> dict[str, str]:
    row = options.SOLVERS[request.solver]
    return {} if row.stochastic else {"noise": f"{row.label} draws no noise"}


def solver_problem(card: Card, name: str) -> str:
    """Why a solver can't run this checkpoint, "" if it can."""
    if options.SOLVERS[name].needs == "range" and not card.learned_range:
        return f"{options.SOLVERS[name].label} needs a network that has learned its variance; '{card.name}' has not"
    return ""


def grid_choice_problem(card: Card, request: Request, name: str) -> str:
    """Why a grid can't be used on the request's path, "" if it can."""
    path, own = request.path or card.path, name == request.grid
    return grid_problem(
        name,
        path.name,
        path.training_steps,
        request.grid_steps if own else None,
        params=request.grid_params if own else None,
        times=request.times if own else None if name != "custom" else (1.0, 0.0),
        shape=card.shape,
    )


def path_problem(card: Card, request: Request, spec: PathSpec) -> str:
    """Why the checkpoint can't be sampled along a path, "" if it can: its first level must be one it can predict at."""
    path, trained, t = make_path(spec), make_path(card.path), 1.0
    if request.grid_steps <= SHORT and not grid_choice_problem(card, request, request.grid):
        grid = levels(
            path, request.grid_steps, request.grid, params=request.grid_params, times=request.times, shape=card.shape
        )
        t = grid[0].t
    first = float(path.log_snr(np.float64(t)))  # pyright: ignore
    return prediction_problem(card.prediction, trained, t if spec == card.path else trained.t_at_log_snr(first))


def check(card: Card, request: Request) -> None:
    """Refuse a request that does not fit the checkpoint or itself.

    Raises:
        BadInput: with the sentence that `unavailable` and the others give.
    """
    _check_label(card, request)
    for name, reason in unavailable(card, request).items():
        # "any" with guidance left as it is runs unconditionally: nobody has to turn a slider back for that.
        soft = card.labels and name in ("guidance", *GUIDED)
        if not soft and name != "forward" and getattr(request, name) != NEUTRAL[name]:
            raise BadInput(reason)
    for reason in (
        solver_problem(card, request.solver),
        grid_choice_problem(card, request, request.grid),
        path_problem(card, request, request.path or card.path),
        _data_problem(card, request),
    ):
        if reason:
            raise BadInput(reason)


def _check_label(card: Card, request: Request) -> None:
    for what, label in (("label", request.label), ("negative class", request.negative)):
        if isinstance(label, int) and card.labels and label >= len(card.labels):
            raise BadInput(f"'{card.name}' has the labels 0 to {len(card.labels) - 1}, found {label} as the {what}")


def _data_problem(card: Card, request: Request) -> str:
    needs_data = request.source == "data" or (request.kind == "forward" and request.source == "noise")
    if needs_data and card.data.dataset not in DATASETS:
        return f"'{card.name}' carries no data set to draw from: give a file as the source"
    if request.kind == "forward" and request.forward == "off":
        return "a forward run needs a forward chain: choose 'fixed' or 'markov'"
    if request.kind == "forward" and request.source == "step":
        return "a forward run starts from data or a file, not from a recorded step"
    return ""
