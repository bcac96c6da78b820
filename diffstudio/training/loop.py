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
from diffstudio.checkpoints.store import load_weights
from diffstudio.data import Dataset, dataset
from diffstudio.data.own_text import own_text
from diffstudio.diffusion.noise import generator_seed
from diffstudio.diffusion.paths import make_path
from diffstudio.errors import BadInput
from diffstudio.networks import NETWORKS, build
from diffstudio.networks.model import fit_weights
from diffstudio.training.objectives import objective
from diffstudio.training.optimisers import Optimisers
from diffstudio.training.recipe import Recipe, Schedule, checkpoint_at
from diffstudio.user_files import is_folder


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
    source, path, plan = _source(recipe), make_path(recipe.path), recipe.training
    card = _card(recipe, source)
    if not is_folder(out.parent):
        raise BadInput(f"can't write {out}: there is no folder {out.parent}")
    build(card, f"recipe '{recipe.name}'")  # refuses arguments that don't fit before anything is computed
    if source.material is not None:
        source = source.material()
    torch.manual_seed(generator_seed(plan.seed))
    args = {key: tuple(v) if isinstance(v, list) else v for key, v in recipe.network_args.items()}
    args |= {"outputs": 2} if recipe.learned_range else {}
    args |= {"vocabulary": len(card.text.vocabulary)} if card.text else {}
    network = NETWORKS[recipe.network](card.shape, len(source.labels), **args)
    if plan.start:
        fit_weights(network, load_weights(FilePath(plan.start)), plan.start)
    network = network.to(device)
    if len(source.shape) >= 3 and device == "cpu":
        network = network.to(memory_format=torch.channels_last)  # +15 % on CPU  # pyright: ignore
    optimisers = Optimisers(network, plan)
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    rng = np.random.default_rng(plan.seed)
    lossy = objective(recipe, card, source, path)
    begun, mean_loss = time.monotonic(), math.nan
    for step in range(1, plan.steps + 1):
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=plan.precision == "bfloat16"):
            loss = lossy(network, rng, device)
        optimisers.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), plan.clip)
        optimisers.step(_schedule(step, plan))
        _average(averaged, network, min(plan.ema, (1 + step) / (10 + step)))
        value = float(loss.detach())
        mean_loss = value if math.isnan(mean_loss) else 0.98 * mean_loss + 0.02 * value
        saved = None
        if step == plan.steps or step in plan.save_at:
            saved = out if step == plan.steps else checkpoint_at(out, step)
            _save(saved, card, averaged, step, mean_loss)
        yield Progress(step, plan.steps, mean_loss, time.monotonic() - begun, saved)


def _source(recipe: Recipe) -> Dataset:
    """The recipe's dataset, or the user's own text in its form."""
    source = dataset(recipe.dataset)
    return source if not recipe.corpus else own_text(FilePath(recipe.corpus), source)


def _schedule(step: int, plan: Schedule) -> float:
    if step < plan.warmup:
        return step / plan.warmup
    return 0.5 * (1 + math.cos(math.pi * (step - plan.warmup) / max(1, plan.steps - plan.warmup)))


@torch.no_grad()
def _average(averaged: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    for name, value in network.state_dict().items():
        averaged[name].lerp_(value, 1 - decay)


def _card(recipe: Recipe, source: Dataset) -> Card:
    text = None if recipe.text is None else recipe.text.spec(source.vocabulary, recipe.training.seed)
    return Card(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        modality=source.modality,  # pyright: ignore[reportArgumentType] - pydantic checks it
        shape=source.shape if text is None or text.discrete else (len(text.embedding[0]), *source.shape[1:]),
        path=recipe.path,
        prediction=recipe.prediction,
        sigma_data=recipe.sigma_data,
        learned_range=recipe.learned_range,
        text=text,
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
