"""The training loop: a generator, so that the caller decides about progress and stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np
import torch
from torch import Tensor, nn

from diffstudio.checkpoints.card import Card, TrainingData
from diffstudio.data import Dataset, dataset
from diffstudio.diffusion.denoiser import network_time, network_x, target, x0_gain
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.errors import BadInput
from diffstudio.networks import NETWORKS, build
from diffstudio.training.bound import bound, is_first, variances
from diffstudio.training.recipe import Recipe, Schedule


@dataclass(frozen=True)
class Progress:
    """After a step: its number, the running mean of the loss, seconds so far; `saved` names a file just written."""

    step: int
    steps: int
    loss: float
    seconds: float
    saved: FilePath | None = None


def train(recipe: Recipe, out: FilePath, device: str = "cpu") -> Iterator[Progress]:
    """Train a network and write its checkpoints: the last to `out`, those of `save_at` beside it as NAME@STEP.

    Raises:
        NotFound: no such dataset.  BadFile: the network can't take its arguments.  BadInput: the folder of `out` does
        not exist, or weights that are no longer finite.

    The same recipe on the same machine gives the same weights: every random number comes from the recipe's seed.
    """
    source, path, plan = dataset(recipe.dataset), make_path(recipe.path), recipe.training
    card = _card(recipe, source)
    if not out.parent.is_dir():
        raise BadInput(f"can't write {out}: there is no folder {out.parent}")
    build(card, f"recipe '{recipe.name}'")  # refuses arguments that don't fit before anything is computed
    if source.material is not None:
        source = source.material()
    torch.manual_seed(plan.seed)
    args = {key: tuple(v) if isinstance(v, list) else v for key, v in recipe.network_args.items()}
    args |= {"outputs": 2} if recipe.learned_range else {}
    network = NETWORKS[recipe.network](source.shape, len(source.labels), **args).to(device)
    if len(source.shape) == 3 and device == "cpu":
        network = network.to(memory_format=torch.channels_last)  # +15 % on CPU  # pyright: ignore
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.lr, weight_decay=plan.weight_decay, betas=(0.9, 0.99))
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    rng = np.random.default_rng(plan.seed)
    begun, mean_loss = time.monotonic(), math.nan
    for step in range(1, plan.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = plan.lr * _schedule(step, plan)
        loss = _loss(network, recipe, path, _batch(source, path, plan, rng), device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
        optimiser.step()
        _average(averaged, network, min(plan.ema, (1 + step) / (10 + step)))
        value = float(loss.detach())
        mean_loss = value if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        saved = None
        if step == plan.steps or step in plan.save_at:
            saved = out if step == plan.steps else out.with_name(f"{out.stem}@{step}{out.suffix}")
            _save(saved, card, averaged, step, mean_loss)
        yield Progress(step, plan.steps, mean_loss, time.monotonic() - begun, saved)


@dataclass(frozen=True)
class Batch:
    """x0, eps: (B, …) float32; labels, t, a, s: (B,)."""

    x0: np.ndarray
    eps: np.ndarray
    labels: np.ndarray
    t: np.ndarray
    a: np.ndarray
    s: np.ndarray


def _batch(source: Dataset, path: Path, plan: Schedule, rng: np.random.Generator) -> Batch:
    labels = rng.integers(max(1, len(source.labels)), size=plan.batch)
    x0 = source.draw(labels, rng, "train")
    if source.augment is not None:
        x0 = source.augment(x0, rng)
    dropped = rng.uniform(size=plan.batch) < plan.label_dropout
    t = draw_times(path, plan, rng)
    eps = rng.standard_normal(x0.shape, dtype=np.float32)
    return Batch(x0, eps, np.where(dropped, len(source.labels), labels), t, path.a(t), path.s(t))


def draw_times(path: Path, plan: Schedule, rng: np.random.Generator) -> np.ndarray:
    """Times of a batch, one from each of B equal shares of the law (stratified: less variance than independent ones).

    A path with a table is trained at its own integer steps, as published. "logit-normal": Esser et al. 2024, eq. 19.
    """
    u = (rng.permutation(plan.batch) + rng.uniform(size=plan.batch)) / plan.batch
    if plan.times == "logit-normal":
        normal = torch.special.ndtri(torch.from_numpy(np.clip(u, 1e-6, 1 - 1e-6))).numpy()
        t = 1 / (1 + np.exp(-normal))
    else:
        t = u
    return np.ceil(t * path.n) / path.n if path.n else np.clip(t, 1e-5, 1.0)


def _loss(network: nn.Module, recipe: Recipe, path: Path, batch: Batch, device: str) -> Tensor:
    """The mean square of the prediction's error; with a learned range the bound's term beside it (hybrid loss)."""
    prediction, spread = recipe.prediction, recipe.sigma_data
    x0, eps = torch.from_numpy(batch.x0).to(device), torch.from_numpy(batch.eps).to(device)

    def column(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(device).view([-1] + [1] * (x0.ndim - 1))

    a, s = column(batch.a).float(), column(batch.s).float()
    t = torch.from_numpy(network_time(prediction, batch.t, batch.a, batch.s)).float().to(device)
    xt = a * x0 + s * eps
    if xt.ndim == 4 and device == "cpu":
        xt = xt.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(batch.labels).to(device)
    out = network(network_x(prediction, xt, a, s, spread), t, labels)
    out, v = out.chunk(2, dim=1) if recipe.learned_range else (out, None)
    error = out - target(prediction, x0, eps, a, s, spread)
    loss = error.square().mean()
    if v is None:
        return loss
    assert path.n is not None
    steps = [column(values).float() for values in variances(path, batch.t)]
    # The mean is left to the first term: only the variance learns from the bound (Nichol & Dhariwal 2021, eq. 16).
    x0_error = (x0_gain(prediction, a, s, spread) * error).detach()
    return loss + recipe.training.bound * path.n * bound(v, x0_error, *steps, column(is_first(path, batch.t)))


def _schedule(step: int, plan: Schedule) -> float:
    if step < plan.warmup:
        return step / plan.warmup
    return 0.5 * (1 + math.cos(math.pi * (step - plan.warmup) / max(1, plan.steps - plan.warmup)))


@torch.no_grad()
def _average(averaged: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    for name, value in network.state_dict().items():
        averaged[name].lerp_(value, 1 - decay)


def _card(recipe: Recipe, source: Dataset) -> Card:
    return Card(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        modality=source.modality,  # pyright: ignore[reportArgumentType] - pydantic checks it
        shape=source.shape,
        path=recipe.path,
        prediction=recipe.prediction,
        sigma_data=recipe.sigma_data,
        learned_range=recipe.learned_range,
        network=recipe.network,
        network_args=recipe.network_args,
        labels=source.labels,
        data=TrainingData(dataset=source.name, title=source.title, licence=source.licence, credit=source.credit),
        step=0,
        ema=recipe.training.ema,
        seed=recipe.training.seed,
        licence=recipe.licence,
        defaults=recipe.defaults,
        audio=source.audio,
    )


def _save(out: FilePath, card: Card, weights: dict[str, Tensor], step: int, loss: float) -> None:
    from diffstudio.checkpoints.store import save
    from diffstudio.training.thumbnail import thumbnail

    arrays = {name: value.contiguous().cpu().numpy() for name, value in weights.items()}
    card = card.model_copy(update={"step": step, "loss": loss})
    save(out, card.model_copy(update={"thumbnail": thumbnail(card, weights)}), arrays)
