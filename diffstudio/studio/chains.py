"""A plan and a loaded model become the Steps of both chains. Imported by the engine alone, when it first runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np
import torch
from torch import Tensor

from diffstudio import data
from diffstudio.diffusion import chain
from diffstudio.diffusion.chain import Step
from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate, on_path
from diffstudio.diffusion.noise import SampleNoise
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import Level, level, levels
from diffstudio.errors import BadInput
from diffstudio.networks.model import Model
from diffstudio.studio.plan import Plan
from diffstudio.studio.request import Request
from diffstudio.studio.sources import load_source
from diffstudio.traces.reader import Trace


class Stopped(Exception):
    """The user stopped the run."""


@dataclass(frozen=True)
class Prepared:
    """Everything random or read from a file, before the first step.

    grid: levels of the reverse chain, from noise to data.  eps: (B, …), the first noise of each sample.
    x0: (B, …), the data of the forward chain, or None.  x_start: where a run from a recorded step begins.
    """

    path: Path
    grid: list[Level]
    noise: SampleNoise
    eps: Tensor
    x0: Tensor | None
    x_start: Tensor | None
    labels: tuple[int | None, ...]
    cond: int | tuple[int, ...] | None  # what the network is told: one label, any, or one each


def prepare(plan: Plan, model: Model) -> Prepared:
    """Draw and read what the run starts from.

    Raises:
        BadInput, BadFile: the source can't be used.
    """
    request, card = plan.request, plan.card
    path = make_path(request.path) if request.path else model.path
    x_start, t_start, count = None, 1.0, request.samples
    if request.source == "step":
        x_start, t_start = _recorded_step(plan, path)
    noise = SampleNoise(request.seed, count, card.shape)
    eps = noise.draw(path.theta)
    cond = each_label(request, len(card.labels)) if request.label == "each" else request.label
    x0, labels = None, cond if isinstance(cond, tuple) else (cond,) * count
    if request.source == "file":
        x0 = _from_file(FilePath(request.source_file or ""), plan)
    elif any(c.name == "forward" for c in plan.chains) or request.source == "data":
        seeds = range(request.seed, request.seed + count)
        rows, drawn = data.sample(card.data.dataset, labels, seeds)
        x0 = torch.from_numpy(rows)
        labels = tuple(drawn) if request.label is None and request.source == "data" else labels
    return Prepared(path, levels(path, request.steps, request.grid, t_start), noise, eps, x0, x_start, labels, cond)


def each_label(request: Request, count: int) -> tuple[int, ...]:
    """The classes in turn; sample i of seed s has class (s + i) mod count, as it has the picture of seed s + i."""
    return tuple((request.seed + i) % count for i in range(request.samples))


def chains(plan: Plan, model: Model, prepared: Prepared, stop: Callable[[], bool]) -> Iterator[Step]:
    """The Steps of the forward chain, where the plan has one, then of the reverse chain.

    Raises:
        Stopped: before a network call, once `stop` is true.
    """
    request, path = plan.request, prepared.path
    x_noise: Tensor | None = None
    if prepared.x0 is not None:
        recorded = any(c.name == "forward" for c in plan.chains)
        for step in _forward(plan, prepared, prepared.x0):
            if recorded:
                if stop():
                    raise Stopped
                yield step
            x_noise = step.xt
    if request.kind == "forward":
        return
    if prepared.x_start is not None:
        x = prepared.x_start
    elif request.source == "noise" or x_noise is None:
        x = prepared.grid[0].s * prepared.eps
    else:
        x = x_noise
    yield from chain.reverse(
        _stoppable(_denoiser(plan, model, path), stop),
        path,
        prepared.grid,
        _place(x, model),
        prepared.noise,
        solver=request.solver,
        cond=model.labels(prepared.cond, request.samples),
        params=dict(request.solver_params),
    )


def _forward(plan: Plan, prepared: Prepared, x0: Tensor) -> Iterator[Step]:
    upwards = prepared.grid[::-1]
    if plan.request.forward == "markov":
        noise = SampleNoise(plan.request.seed, plan.request.samples, plan.card.shape, stream=1)
        return chain.forward_markov(x0, upwards, noise, prepared.path.theta)
    return chain.forward_fixed(x0, upwards, prepared.eps)


def _denoiser(plan: Plan, model: Model, path: Path) -> Denoiser:
    # "any" is the unconditional model: guidance would only compute it twice.
    guidance = plan.request.guidance if plan.request.label is not None else 1.0
    guided = model.guided(guidance)
    return guided if plan.request.path in (None, plan.card.path) else on_path(guided, model.path)


def _stoppable(denoise: Denoiser, stop: Callable[[], bool]) -> Denoiser:
    def asked(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if stop():
            raise Stopped
        return denoise(x, at, cond)

    return asked


def _place(x: Tensor, model: Model) -> Tensor:
    x = x.to(model.device)
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 and x.device.type == "cpu" else x


def _from_file(file: FilePath, plan: Plan) -> Tensor:
    request = plan.request
    rows = load_source(file, plan.card.shape, plan.card.modality, request.source_fit, request.source_invert)
    # Fewer pictures than samples: they are used in turn, each with its own noise.
    turn = np.arange(request.samples) % len(rows)
    return torch.from_numpy(np.ascontiguousarray(rows[turn]))


def _recorded_step(plan: Plan, path: Path) -> tuple[Tensor, float]:
    """The state of a recorded step, rescaled to this run's path at equal log-SNR, and its time there."""
    request = plan.request
    with Trace.open(FilePath(request.source_file or "")) as trace:
        k = request.source_step or 0
        if k >= len(trace):
            raise BadInput(f"{trace.path} has {len(trace)} steps, found step {k}")
        if tuple(trace.sample_shape) != tuple(plan.card.shape):
            raise BadInput(f"that step is of shape {trace.sample_shape}, '{plan.card.name}' needs {plan.card.shape}")
        if trace.batch != request.samples:
            raise BadInput(f"that step has {trace.batch} samples, found {request.samples}: ask for {trace.batch}")
        if trace.scalar(k, "s") == 0:
            raise BadInput("that step is the clean end of its chain: choose an earlier one to start from")
        x = trace.array(k, "xt").copy()  # torch shares the memory
        a, s, log_snr = (trace.scalar(k, name) for name in ("a", "s", "log_snr"))
    own = level(path, path.t_at_log_snr(log_snr))
    return torch.from_numpy(x) * ((own.a + own.s) / (a + s)), own.t


def score(plan: Plan, model: Model, points: np.ndarray, log_snr: float, stop: Callable[[], bool]) -> np.ndarray:
    """The score at points of the plane; see `Engine.score`."""
    path = make_path(plan.request.path) if plan.request.path else model.path
    at = level(path, path.t_at_log_snr(log_snr))
    x = torch.from_numpy(points.astype(np.float32)).to(model.device)
    with torch.no_grad():
        label = None if plan.request.label == "each" else plan.request.label
        cond = model.labels(label, len(points))
        x0_hat = estimate(_stoppable(_denoiser(plan, model, path), stop)(x, at, cond)).x0_hat
    return ((at.a * x0_hat - x) / at.s**2).cpu().numpy()
