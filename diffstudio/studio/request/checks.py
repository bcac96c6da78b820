"""What goes with what: why a field of a request can't be used with the others, in one sentence each.

The panel disables the control and shows the sentence; a run with such a field is refused with it. One place for both.
"""

from __future__ import annotations

import numpy as np

from diffstudio import options
from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.times import GRIDS, NEEDS_SIGNAL, prediction_problem
from diffstudio.errors import BadInput
from diffstudio.specs import PathSpec, grid_problem
from diffstudio.studio.request.request import Request

# The values that mean "not used": what the panel sends for a control that is disabled.
NEUTRAL = {name: field.get_default(call_default_factory=True) for name, field in Request.model_fields.items()}
# What has a value in every request: where it means nothing it is left alone, nobody has to turn it back.
IGNORED = ("guidance", "forward", "steps")
INTERVAL = ("guidance_interval", "guidance_rescale")  # what only changes guidance


def unavailable(card: Card, request: Request) -> dict[str, str]:
    """Fields of the request that have no meaning with this checkpoint and the other fields: field → why."""
    edits = _of_edits(card, request)
    repeats = request.resample > 1 and "resample" not in edits
    return {
        **_of_labels(card, request),
        **_of_start(card, request),
        **edits,
        **_of_clip(card),
        **_of_text(card),
        **_of_steps(request, repeats),
    }


def usable(card: Card, request: Request) -> Request:
    """The request without what this checkpoint and its other fields leave no meaning for.

    Everything `unavailable` is neutral, and so is a source, solver, grid or path that does not go with the checkpoint.
    """
    if _data_problem(card, request):
        request = request.model_copy(update=_neutral("source"))
    reasons = unavailable(card, request)
    update = {name: NEUTRAL[name] for name in reasons}
    if "steps" in reasons:
        update["steps"] = request.grid_steps
    request = request.model_copy(update=update)
    if solver_problem(card, request.solver):
        own = {"solver": "tokens_ancestral"} if card.discrete else {}
        request = request.model_copy(update=_neutral("solver", "solver_params", "noise") | own)
    if forward_problem(card, request.forward):
        request = request.model_copy(update=_neutral("forward"))
    if grid_choice_problem(card, request, request.grid):
        request = request.model_copy(update=_neutral("grid", "grid_params", "times"))
    if request.path is not None and path_choice_problem(card, request, request.path.name):
        request = request.model_copy(update=_neutral("path"))
    return request


def _neutral(*names: str) -> dict[str, object]:
    return {name: NEUTRAL[name] for name in names}


def _of_labels(card: Card, request: Request) -> dict[str, str]:
    """Classes and guidance."""
    if card.prompts is not None:
        return _of_prompts(card, request)
    out: dict[str, str] = {}
    if not card.labels:
        out["label"] = f"'{card.name}' knows no classes: leave the label out"
        out["negative"] = f"'{card.name}' knows no classes: leave the negative class out"
    elif request.label is None:
        out["negative"] = "a negative class is what guidance leads away from: choose a class to lead to first"
    elif request.guidance == 1 and not request.record_split and card.any_label:
        out["negative"] = "guidance of 1 leads away from nothing: choose another strength before a negative class"
    if request.guidance_model is not None:
        out["negative"] = "a weaker checkpoint is led away from already: give it or a negative class"
    if _leads_nowhere(card, request):
        only = f"'{card.name}' was never trained without a class: give a negative class to lead away from"
        out |= dict.fromkeys(("guidance", *INTERVAL, "record_split"), only)
    elif request.guidance_model is None and (not card.labels or request.label is None):
        nothing = "guidance pulls towards a class: choose one first"
        if not card.labels:
            nothing = f"'{card.name}' knows no classes, so there is nothing that guidance could lead to: leave it out"
        out |= dict.fromkeys(("guidance", *INTERVAL, "record_split"), nothing)
    elif request.guidance == 1:
        out |= dict.fromkeys(INTERVAL, "guidance of 1 is none: choose another strength first")
    return out


def _of_prompts(card: Card, request: Request) -> dict[str, str]:
    """The same of a model that is told what to draw."""
    out = {
        "label": f"'{card.name}' draws what a prompt says, and knows no classes: give a prompt",
        "negative": f"'{card.name}' is led away from a prompt, not from a class: give a negative prompt",
    }
    if request.guidance_model is not None:
        out["negative_prompt"] = "a weaker checkpoint is led away from already: give it or a negative prompt"
    elif request.guidance == 1 and not request.record_split:
        nothing = "guidance of 1 leads away from nothing: choose another strength before a negative prompt"
        out["negative_prompt"] = nothing
    if request.guidance == 1:
        out |= dict.fromkeys(INTERVAL, "guidance of 1 is none: choose another strength first")
    return out


def _leads_nowhere(card: Card, request: Request) -> bool:
    """Whether guidance would lead away from "any class", which the network does not know."""
    has_class = bool(card.labels) and request.label is not None
    return has_class and not card.any_label and request.negative is None and request.guidance_model is None


def _of_start(card: Card, request: Request) -> dict[str, str]:
    """What the chain starts from, and the forward chain."""
    out: dict[str, str] = {}
    if request.source != "file":
        own = "only a picture of your own is fitted or inverted: give a file as the source"
        out |= dict.fromkeys(("source_fit", "source_invert"), own)
    if request.source == "step":
        out["forward"] = "a run from a recorded step has no forward chain: start from noise, data or a file"
        out["kind"] = "a forward run starts from data or a file, not from a recorded step: start from one of these"
    elif request.source != "file" and card.data.dataset not in DATASETS:
        out["forward"] = f"'{card.name}' carries no data set to noise: give a file as the source"
        out["kind"] = out["forward"]
    elif request.forward == "off":
        out["kind"] = "a forward run needs a forward chain: choose 'fixed' or 'markov'"
    if request.source != "noise":
        for name, what in (("interpolate", "interpolation"), ("variation", "a variation")):
            out[name] = f"{what} chooses the noise that a run from noise starts with: start from noise"
    elif request.samples < 2:
        out["interpolate"] = "interpolation needs at least two samples, the two ends: ask for more"
    if request.interpolate is not None and "interpolate" not in out:
        out["variation"] = "interpolation chooses the noise already: give it or a variation"
    if request.variation == 0 or "variation" in out:
        out["variation_seed"] = "this is the seed of the variations: choose first how far they go"
    return out


def _of_edits(card: Card, request: Request) -> dict[str, str]:
    """What needs data to start from."""
    out: dict[str, str] = {}
    if request.kind == "forward":
        only = "a forward run only adds noise, all the way: leave the {} out"
        out |= {name: only.format(name) for name in ("strength", "mask")}
    elif not request.from_data:
        out["strength"] = "the strength says how far data are noised: start from a data sample or a file"
        out["mask"] = "a mask keeps a part of the data: start from a data sample or a file"
    if not card.meaning.kind.masked:
        out["mask"] = f"a mask is a picture, and '{card.name}' makes none: leave the mask out"
    if request.mask is None or "mask" in out:
        out["resample"] = "repeating steps harmonises a repainted region with the rest: give a mask first"
    return out


def _of_clip(card: Card) -> dict[str, str]:
    if card.meaning.kind.ranged:
        return {}
    reason = f"clipping is for data in [−1, 1], and {card.modality} have no such range: leave it out"
    return dict.fromkeys(("clip", "clip_params"), reason)


def _of_text(card: Card) -> dict[str, str]:
    """What is told in words, what tokens have, and what they have not."""
    out = _of_told(card)
    if card.text is None or not card.discrete:
        return out
    whole = f"'{card.name}' draws tokens, between which there is nothing: leave it out"
    own = f"'{card.name}' loses its tokens by its own process: leave the path out"
    return out | dict.fromkeys(("interpolate", "variation", "variation_seed"), whole) | {"path": own}


def _of_told(card: Card) -> dict[str, str]:
    """Prompts, and what goes with them."""
    out: dict[str, str] = {}
    if card.text is None and card.prompts is None:
        out["prompt"] = (
            f"a prompt says what to draw, or fixes letters of a text, and '{card.name}' is told none: leave it out"
        )
    if card.prompts is None:
        out["negative_prompt"] = f"'{card.name}' is not told in words what to draw: leave the negative prompt out"
    if card.prompts is None or not card.prompts.distilled:
        out["distilled_guidance"] = f"'{card.name}' is not told a strength of guidance: leave it out"
    return out


def _of_steps(request: Request, repeats: bool) -> dict[str, str]:
    """How the steps are made."""
    out: dict[str, str] = {}
    row = options.SOLVERS[request.solver]
    if not row.stochastic:
        out["noise"] = f"{row.label} draws no noise: choose a stochastic solver first"
    elif repeats:
        out["noise"] = "a step that is repeated draws fresh noise each time: repeat none, or leave the noise out"
    if request.times is not None:
        out["steps"] = f"your own list of times has {request.grid_steps:,} steps: change the list instead"
    return out


def solver_problem(card: Card, name: str) -> str:
    """Why a solver can't run this checkpoint, "" if it can."""
    row = options.SOLVERS[name]
    if (row.needs == "tokens") != card.discrete:
        draws, other = ("tokens", "numbers") if card.discrete else ("numbers", "tokens")
        return f"{row.label} steps through {other}, and the states of '{card.name}' are {draws}: choose another solver"
    if name == "tokens_surest" and card.text is not None and card.text.process != "masked":
        return f"{row.label} reveals masked letters, and '{card.name}' has none: choose Ancestral (tokens)"
    if options.SOLVERS[name].needs == "range" and not card.learned_range:
        return (
            f"{options.SOLVERS[name].label} needs a network that has learned its variance; '{card.name}' has not: "
            "choose another solver"
        )
    return ""


def forward_problem(card: Card, name: str) -> str:
    """Why a way of the forward chain can't be chosen, "" if it can."""
    if card.discrete and name in ("invert", "invert_heun"):
        return f"inversion runs an equation of numbers backwards, and '{card.name}' draws tokens: choose 'fixed'"
    return ""


def likelihood_problem(card: Card) -> str:
    """Why nobody can say how likely data are under a checkpoint, "" if somebody can."""
    if card.text is None:
        return ""
    return f"a likelihood follows an equation of numbers, and '{card.name}' makes text: its card has bits per character"


def grid_choice_problem(card: Card, request: Request, name: str) -> str:
    """Why a grid can't be chosen on the request's path, whatever its numbers, "" if it can."""
    path = request.path or card.path
    times = (1.0, 0.0) if options.GRIDS[name].needs == "times" else None
    return grid_problem(name, path.name, path.training_steps, times=times, shape=card.shape)


def grid_numbers_problem(card: Card, request: Request, path: PathSpec) -> str:
    """Why the request's own grid can't be laid out on a path with its steps, its parameters and its list of times."""
    return grid_problem(
        request.grid,
        path.name,
        path.training_steps,
        request.grid_steps,
        params=request.grid_params,
        times=request.times,
        shape=card.shape,
    )


def path_choice_problem(card: Card, request: Request, name: str) -> str:
    """Why a path can't be chosen with the request's grid, judged by the path's default numbers; "" if it can."""
    needs_more = options.PATHS[name].needs is not None  # its own betas, that only the request itself has
    return "" if needs_more else path_problem(card, request, PathSpec(name=name))


def path_problem(card: Card, request: Request, spec: PathSpec) -> str:
    """Why the checkpoint can't be sampled along a path, "" if it can: its first level must be one it can predict at."""
    if card.prediction not in NEEDS_SIGNAL:
        return ""
    path, trained, t = make_path(spec), make_path(card.path), 1.0
    # The other grids start at t = 1, so they need not be laid out.
    if options.GRIDS[request.grid].needs in ("table", "times") and not grid_numbers_problem(card, request, spec):
        own = {} if request.times is None else {"times": request.times}
        t = GRIDS[request.grid](path, request.grid_steps, **own, **request.grid_params)[0]
    first = float(path.log_snr(np.float64(t)))  # pyright: ignore
    return prediction_problem(card.prediction, trained, t if spec == card.path else trained.t_at_log_snr(first))


def check(card: Card, request: Request) -> None:
    """Refuse a request that does not fit the checkpoint or itself.

    Raises:
        BadInput: with the sentence that `unavailable` and the others give.
    """
    _check_labels(card, request)
    for name, reason in unavailable(card, request).items():
        ignored = name in IGNORED and (name != "guidance" or card.labels)
        if not ignored and getattr(request, name) != NEUTRAL[name]:
            raise BadInput(reason)
    path = request.path or card.path
    for reason in (
        solver_problem(card, request.solver),
        grid_numbers_problem(card, request, path),
        path_problem(card, request, path),
        forward_problem(card, request.forward),
        _data_problem(card, request),
    ):
        if reason:
            raise BadInput(reason)


def _check_labels(card: Card, request: Request) -> None:
    if card.labels and not card.any_label and request.label is None:
        raise BadInput(f"'{card.name}' knows its {len(card.labels)} classes alone, not \"any\": choose one, or each")
    if _leads_nowhere(card, request) and (request.guidance != 1 or request.record_split):
        raise BadInput(f"'{card.name}' was never trained without a class: give guidance a negative class, or 1")
    for what, label in (("label", request.label), ("negative class", request.negative)):
        if isinstance(label, int) and card.labels and label >= len(card.labels):
            raise BadInput(f"'{card.name}' has the labels 0 to {len(card.labels) - 1}, found {label} as the {what}")
    if request.negative is not None and request.negative == request.label:
        raise BadInput(f"the negative class is {request.negative}, the class itself: choose another to lead away from")


def _data_problem(card: Card, request: Request) -> str:
    if request.source == "data" and card.data.dataset not in DATASETS:
        return f"'{card.name}' carries no data set to draw from: give a file as the source"
    return ""
