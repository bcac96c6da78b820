"""Everything random or read from a file, before the first step of a run. Imported by the engine alone, when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from diffstudio import data, options
from diffstudio.diffusion import edit
from diffstudio.diffusion.brownian import BrownianNoise
from diffstudio.diffusion.noise import Noise, SampleNoise
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import Level, level, levels
from diffstudio.errors import BadInput
from diffstudio.modalities import SourceInfo
from diffstudio.networks.model import Model
from diffstudio.studio.masks import in_latents, mask_of, placing_of
from diffstudio.studio.request.plan import Plan, each_label
from diffstudio.studio.request.request import Request
from diffstudio.studio.sources import read_source, remarks_of
from diffstudio.traces.checked import open_checked

FORWARD_STREAM, MASK_STREAM = 1, 4  # of a seed, independent of the reverse chain's and of the likelihood's 2 and 3


@dataclass(frozen=True)
class Prepared:
    """What a run starts from.

    grid: levels of the reverse chain, from noise to data.  eps: (B, …), the first noise of each sample.
    noise: what the solver draws from.  x0: (B, …), the data of the forward chain, or None.
    x_start: where a run from a recorded step begins.  mask: broadcasts to x0, 1 where it is drawn anew, or None.
    drawn_anew: the same of what is seen, as `masks.mask_of`.  notes: what was done to the source's file.
    """

    path: Path
    grid: list[Level]
    noise: Noise
    eps: Tensor
    x0: Tensor | None
    x_start: Tensor | None
    mask: Tensor | None
    labels: tuple[int | None, ...]
    cond: int | tuple[int, ...] | None  # what the network is told: one label, any, or one each
    drawn_anew: np.ndarray | None = None
    notes: tuple[str, ...] = ()


class Data(NamedTuple):
    """x0: (B, …) of the forward chain, or None.  labels: of each sample.  info: of the file that it was read from."""

    x0: Tensor | None
    labels: tuple[int | None, ...]
    info: SourceInfo | None = None


def prepare(plan: Plan, model: Model) -> Prepared:
    """Draw and read what the run starts from.

    Raises:
        BadInput, BadFile: the source or the mask can't be used.
    """
    request, card = plan.request, plan.card
    path = make_path(request.path) if request.path else model.path
    x_start, t_start = _recorded_step(plan, path) if request.source == "step" else (None, request.t_start)
    grid = levels(
        path,
        request.steps_run,
        request.grid,
        t_start,
        params=request.grid_params,
        times=request.run_times,
        shape=card.shape,
    )
    first = SampleNoise(request.seed, request.samples, card.shape)
    eps = _first_noise(request, first, path, card.shape)
    cond = each_label(request, len(card.labels)) if request.label == "each" else request.label
    x0, labels, info = read_data(plan, model, cond)
    drawn_anew = _drawn_anew(plan, x0, info)
    mask = None
    if drawn_anew is not None:
        mask = torch.from_numpy(in_latents(drawn_anew, card.shape) if card.decoded else drawn_anew)
    notes = remarks_of(info, request.samples)
    noise = _noise(request, first, card.shape)
    return Prepared(path, grid, noise, eps, x0, x_start, mask, labels, cond, drawn_anew, notes)


def _drawn_anew(plan: Plan, x0: Tensor | None, info: SourceInfo | None) -> np.ndarray | None:
    """What of the data is drawn anew, as it is seen; None without a mask."""
    if not plan.request.masked or x0 is None:
        return None
    found = mask_of(plan.card, plan.request, x0.numpy(), placing_of(info, plan.request))
    if not plan.card.decoded:
        return found
    return np.ascontiguousarray(np.broadcast_to(found, (1, *plan.card.decoded[1:])))


def _first_noise(request: Request, first: SampleNoise, path: Path, shape: tuple[int, ...]) -> Tensor:
    """(B, …): of the seeds, between two seeds, or near one seed."""
    own = first.draw(path.theta)
    count = request.samples
    if request.interpolate is not None:
        other = SampleNoise(request.interpolate, 1, shape).draw(path.theta)
        return edit.spherical(own[:1].expand_as(own), other.expand_as(own), torch.linspace(0, 1, count))
    if request.variation > 0:
        others = SampleNoise(request.variation_seed, count, shape).draw(path.theta)
        return edit.variation(own[:1].expand_as(own), others, request.variation)
    return own


def _noise(request: Request, first: SampleNoise, shape: tuple[int, ...]) -> Noise:
    way = request.noise or options.SOLVERS[request.solver].noise
    if request.resample > 1:
        way = "fresh"  # a step that is repeated must not draw the same noise again
    return BrownianNoise(request.seed, request.samples, shape) if way == "brownian" else first


def read_data(plan: Plan, model: Model, cond: int | tuple[int, ...] | None, split: str = "train") -> Data:
    """x_0 of the forward chain, where there is one, and the label of each sample. Raises: BadInput, BadFile."""
    request, count = plan.request, plan.request.samples
    labels = cond if isinstance(cond, tuple) else (cond,) * count
    if request.source == "file":
        found = read_source(FilePath(request.source_file or ""), plan.card.meaning, request.taking)
        rows = _chosen(found.required(), request.source_sample, str(request.source_file))
        return Data(_in_turn(rows, plan, model), labels, found.info)
    if not (plan.has_forward or request.source == "data"):
        return Data(None, labels)
    if request.source == "data" and request.source_sample is not None:
        chosen = labels[0] if request.label is not None else None
        row, label = data.one(plan.card.data.dataset, request.source_sample, chosen, split)
        rows, drawn = np.repeat(row[None], count, 0), [label] * count
    else:
        rows, drawn = data.sample(plan.card.data.dataset, labels, range(request.seed, request.seed + count), split)
    meaning = plan.card.meaning
    rows = meaning.kind.encode(meaning, rows)
    own = request.label is None and request.source == "data"
    return Data(torch.from_numpy(np.ascontiguousarray(rows)), tuple(drawn) if own else labels)


def _in_turn(rows: np.ndarray, plan: Plan, model: Model) -> Tensor:
    """A state for each sample, on the CPU."""
    request = plan.request
    # Fewer pictures than samples: they are used in turn, each with its own noise.
    turn = np.arange(request.samples) % len(rows)
    found = torch.from_numpy(np.array(rows[: request.samples]))  # a copy: a trace's own can't be written to
    if tuple(found.shape[1:]) != tuple(plan.card.shape):  # pictures of a latent model
        found = model.encode(found)
    return found[torch.from_numpy(turn)]


def _chosen(rows: np.ndarray, index: int | None, where: str) -> np.ndarray:
    """Sample `index` of (N, …) alone, (1, …), or all of them."""
    if index is None:
        return rows
    if index >= len(rows):
        raise BadInput(f"{where} has the samples 0 to {len(rows) - 1:,}, found {index:,}")
    return rows[index : index + 1]


def _recorded_step(plan: Plan, path: Path) -> tuple[Tensor, float]:
    """The state of a recorded step, rescaled to this run's path at equal log-SNR, and its time there."""
    request = plan.request
    with open_checked(FilePath(request.source_file or "")) as trace:
        k = request.source_step or 0
        if k >= len(trace):
            raise BadInput(f"{trace.path} has {len(trace)} steps, found step {k}")
        if tuple(trace.sample_shape) != tuple(plan.card.shape):
            raise BadInput(f"that step is of shape {trace.sample_shape}, '{plan.card.name}' needs {plan.card.shape}")
        if request.source_sample is None and trace.batch != request.samples:
            raise BadInput(f"that step has {trace.batch} samples, found {request.samples}: ask for {trace.batch}")
        if trace.scalar(k, "s") == 0:
            raise BadInput("that step is the clean end of its chain: choose an earlier one to start from")
        x = _chosen(trace.array(k, "xt"), request.source_sample, str(trace.path))
        x = x.repeat(request.samples, 0) if request.source_sample is not None else x.copy()  # torch shares the memory
        a, s, log_snr = (trace.scalar(k, name) for name in ("a", "s", "log_snr"))
    own = level(path, path.t_at_log_snr(log_snr))
    scale = 1.0 if plan.card.discrete else (own.a + own.s) / (a + s)
    return torch.from_numpy(x) * scale, own.t
