"""What a model says of given states: the score, and how likely they are. Imported by the engine when first asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, estimate
from diffstudio.diffusion.likelihood import LogLikelihood, log_likelihood_steps
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import level
from diffstudio.errors import BadInput
from diffstudio.studio.compute.chains import Networks, Stopped, denoiser, place, stoppable
from diffstudio.studio.compute.prepare import each_label, read_data
from diffstudio.studio.request.plan import Plan

POINTS_PART, PART = 4096, 16  # samples of one pass: the gradient keeps every activation of it
MAP_STEPS, MAP_SIGMA = 12, 0.02  # of a density map: what is narrower falls between its points


@dataclass(frozen=True)
class Judged:
    """Progress of a likelihood. found: (N,) rows so far of log p, its standard error and bits per dimension.

    labels: of all samples that are asked for, None where they are not known.
    """

    done: int
    total: int
    found: LogLikelihood | None = None
    labels: tuple[int | None, ...] = ()


def score(plan: Plan, networks: Networks, points: np.ndarray, log_snr: float, stop: Callable[[], bool]) -> np.ndarray:
    """∇ log p_t(x) = (a·x̂0 − x)/s² (Tweedie) at points of the plane; see `Engine.score`."""
    model, path = networks.model, _path(plan, networks)
    at = level(path, path.t_at_log_snr(log_snr))
    x = torch.from_numpy(points.astype(np.float32)).to(model.device)
    with torch.no_grad():
        cond = model.labels(_one_label(plan), len(points))
        x0_hat = estimate(stoppable(denoiser(plan, networks, path), stop)(x, at, cond)).x0_hat
    return ((at.a * x0_hat - x) / at.s**2).cpu().numpy()


def log_density(plan: Plan, networks: Networks, points: np.ndarray, stop: Callable[[], bool]) -> np.ndarray:
    """log p at points of the plane, for a map: (N, 2) → (N,); see `Engine.log_density`."""
    model = networks.model
    x = torch.from_numpy(points.astype(np.float32)).to(model.device)
    cond = model.labels(_one_label(plan), len(points))
    parts = _judge(plan, networks, x, cond, stop, steps=MAP_STEPS, probes=0, sigma_min=MAP_SIGMA, dequantise=False)
    *_, last = parts
    assert last.found is not None
    return last.found.log_p.numpy()


def likelihood(
    plan: Plan, networks: Networks, split: str, steps: int, probes: int, stop: Callable[[], bool]
) -> Iterator[Judged]:
    """log p of the request's data; see `Engine.likelihood`."""
    request, model, exact = plan.request, networks.model, plan.card.meaning.kind.cloud
    cond = each_label(request, len(plan.card.labels)) if request.label == "each" else request.label
    x0, labels = read_data(plan, model, cond, split)
    if x0 is None:
        raise BadInput("there are no data to judge: start from a data sample or a file")
    judged = _judge(
        plan, networks, place(x0, model), model.labels(cond, request.samples), stop,
        steps=steps, probes=0 if exact else probes, dequantise=not exact,
    )  # fmt: skip
    for now in judged:
        yield replace(now, labels=labels)


def _judge(
    plan: Plan, networks: Networks, x: Tensor, cond: Condition, stop: Callable[[], bool], *, steps: int, **how
) -> Iterator[Judged]:
    """In parts, so that memory stays bounded; the rows that are done come with every part."""
    path = _path(plan, networks)
    denoise = stoppable(denoiser(plan, networks, path), stop)
    size = POINTS_PART if plan.card.meaning.kind.cloud else PART
    parts = x.split(size)
    conds = cond.split(size) if cond is not None else [None] * len(parts)
    rows: list[LogLikelihood] = []
    for k, (part, labels) in enumerate(zip(parts, conds, strict=True)):
        seed = plan.request.seed + k * size  # sample i draws from seed + i, in whatever part it is
        try:
            for step in log_likelihood_steps(denoise, path, part, labels, steps=steps, seed=seed, **how):
                if step.result is not None:
                    rows.append(step.result)
                yield Judged(k * steps + step.index, steps * len(parts), _joined(rows) if step.result else None)
        except Stopped:
            return


def _joined(rows: list[LogLikelihood]) -> LogLikelihood:
    return LogLikelihood(
        torch.cat([r.log_p for r in rows]),
        torch.cat([r.standard_error for r in rows]),
        torch.cat([r.bits_per_dim for r in rows]),
        sum(r.nfe for r in rows),
    )


def _one_label(plan: Plan) -> int | None:
    """Points of a plane have no class of their own: "each" is asked as "any"."""
    return plan.request.label if isinstance(plan.request.label, int) else None


def _path(plan: Plan, networks: Networks) -> Path:
    return make_path(plan.request.path) if plan.request.path else networks.model.path
