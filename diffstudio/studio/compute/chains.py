"""A plan and a loaded model become the Steps of both chains. Imported by the engine alone, when it first runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from diffstudio.diffusion import chain, edit
from diffstudio.diffusion.chain import Step
from diffstudio.diffusion.clipping import CLIPS
from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, on_path
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import Path
from diffstudio.modalities.text import states_of
from diffstudio.modalities.text_file import read_prompt
from diffstudio.networks.model import Model
from diffstudio.studio.compute import token_steps
from diffstudio.studio.compute.prepare import FORWARD_STREAM, MASK_STREAM, Prepared
from diffstudio.studio.request.plan import Plan


class Stopped(Exception):
    """The user stopped the run."""


@dataclass(frozen=True)
class Networks:
    """The loaded checkpoints of a run: the model, and the weaker one of autoguidance."""

    model: Model
    weak: Model | None = None


def chains(plan: Plan, networks: Networks, prepared: Prepared, stop: Callable[[], bool]) -> Iterator[Step]:
    """The Steps of the forward chain, where the plan has one, then of the reverse chain.

    Raises:
        Stopped: before a network call, once `stop` is true.
    """
    request, model, tokens = plan.request, networks.model, plan.card.discrete
    denoise = stoppable(model.denoiser if tokens else denoiser(plan, networks, prepared.path), stop)
    cond = model.labels(prepared.cond, request.samples)
    noised: Tensor | None = None
    if prepared.x0 is not None:
        forward = token_steps.forward(plan, prepared, prepared.x0) if tokens else None
        for step in forward or _forward(plan, prepared, prepared.x0, denoise, model, cond):
            if plan.has_forward:
                if stop():
                    raise Stopped
                yield step
            noised = step.xt
    if request.kind == "forward":
        return
    if tokens:
        yield from token_steps.reverse(plan, denoise, prepared, noised)
        return
    yield from chain.reverse(
        denoise,
        prepared.path,
        prepared.grid,
        place(_start(plan, prepared, noised), model),
        prepared.noise,
        solver=request.solver,
        cond=cond,
        params=dict(request.solver_params),
        project=_projection(plan, prepared, model),
        resample=request.resample,
    )


def denoiser(plan: Plan, networks: Networks, path: Path) -> Denoiser:
    """The run's denoiser: guided, on the run's own path, its x̂0 clipped where that is asked for."""
    request, model, weak = plan.request, networks.model, networks.weak
    # "any" is the unconditional model: guidance would only compute it twice.
    told = request.label is not None or plan.card.prompts is not None
    scale = request.guidance if told or weak is not None else 1.0
    found = model.guided(
        scale,
        negative=request.negative,
        weak=weak,
        interval=request.guidance_interval,
        rescale=request.guidance_rescale,
        split=request.record_split,
    )
    found = found if request.path in (None, plan.card.path) else on_path(found, model.path)
    return CLIPS[request.clip](found, **request.clip_params)


def _start(plan: Plan, prepared: Prepared, noised: Tensor | None) -> Tensor:
    """x_T: of a recorded step, of noised data, or pure noise."""
    if prepared.x_start is not None:
        return prepared.x_start
    if plan.request.from_data and noised is not None:
        return noised
    return prepared.grid[0].s * prepared.eps


def _forward(
    plan: Plan, prepared: Prepared, x0: Tensor, denoise: Denoiser, model: Model, cond: Condition
) -> Iterator[Step]:
    request, upwards = plan.request, prepared.grid[::-1]
    if request.forward in ("invert", "invert_heun"):
        solver = "heun" if request.forward == "invert_heun" else "ddim"
        return chain.invert(denoise, prepared.path, upwards, place(x0, model), solver=solver, cond=cond)
    if request.forward == "markov":
        noise = SampleNoise(request.seed, request.samples, plan.card.shape, stream=FORWARD_STREAM)
        return chain.forward_markov(x0, upwards, noise, prepared.path.theta)
    return chain.forward_fixed(x0, upwards, prepared.eps)


def _projection(plan: Plan, prepared: Prepared, model: Model):
    """What puts the known region of an inpainting, or the prompt of a text, back at every level; None without one."""
    if plan.request.prompt and plan.card.text is not None:
        tokens, fixed = read_prompt(plan.request.prompt, plan.card.text, plan.card.shape[1])
        known = torch.from_numpy(states_of(tokens[None], plan.card.text)).to(model.device)
        free = torch.from_numpy(~fixed).to(model.device, known.dtype)
        noise = SampleNoise(plan.request.seed, plan.request.samples, plan.card.shape, stream=MASK_STREAM)
        return edit.known_region(known, free, noise, prepared.path.theta)
    if prepared.mask is None or prepared.x0 is None:
        return None
    noise = SampleNoise(plan.request.seed, plan.request.samples, plan.card.shape, stream=MASK_STREAM)
    return edit.known_region(prepared.x0.to(model.device), prepared.mask.to(model.device), noise, prepared.path.theta)


def stoppable(denoise: Denoiser, stop: Callable[[], bool]) -> Denoiser:
    """The denoiser, that raises Stopped instead of being called once `stop` is true."""

    def asked(x: Tensor, at, cond: Condition) -> Tensor | Estimate:
        if stop():
            raise Stopped
        return denoise(x, at, cond)

    return asked


def place(x: Tensor, model: Model) -> Tensor:
    """x on the model's device, pictures in the layout that is fastest there."""
    x = x.to(model.device)
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 and x.device.type == "cpu" else x
