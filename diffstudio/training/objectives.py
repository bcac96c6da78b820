"""What a training makes small: the error of a prediction in noise, or the surprise at the tokens of a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from diffstudio.checkpoints.card import Card
from diffstudio.data import Dataset
from diffstudio.diffusion.denoiser import network_time, network_x, target, x0_gain
from diffstudio.diffusion.paths import Path
from diffstudio.training.bound import bound, is_first, variances
from diffstudio.training.recipe import Recipe, Schedule

Objective = Callable[[nn.Module, np.random.Generator, str], Tensor]


def objective(recipe: Recipe, card: Card, source: Dataset, path: Path) -> Objective:
    """The loss of a new batch: called with the network, the run's random numbers and the device."""

    def of_noise(network: nn.Module, rng: np.random.Generator, device: str) -> Tensor:
        return noise_loss(network, recipe, path, noise_batch(source, path, recipe.training, rng), device)

    def of_tokens(network: nn.Module, rng: np.random.Generator, device: str) -> Tensor:
        return token_loss(network, token_batch(card, source, path, recipe.training, rng), device)

    return of_noise if card.text is None else of_tokens


@dataclass(frozen=True)
class NoiseBatch:
    """x0, eps: (B, …) float32; labels, t, a, s: (B,)."""

    x0: np.ndarray
    eps: np.ndarray
    labels: np.ndarray
    t: np.ndarray
    a: np.ndarray
    s: np.ndarray


def noise_batch(source: Dataset, path: Path, plan: Schedule, rng: np.random.Generator) -> NoiseBatch:
    labels = rng.integers(max(1, len(source.labels)), size=plan.batch)
    x0 = source.draw(labels, rng, "train")
    if source.augment is not None:
        x0 = source.augment(x0, rng)
    dropped = rng.uniform(size=plan.batch) < plan.label_dropout
    t = draw_times(path, plan, rng)
    eps = rng.standard_normal(x0.shape, dtype=np.float32)
    return NoiseBatch(x0, eps, np.where(dropped, len(source.labels), labels), t, path.a(t), path.s(t))


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


def noise_loss(network: nn.Module, recipe: Recipe, path: Path, batch: NoiseBatch, device: str) -> Tensor:
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
    if recipe.training.smoothness:
        loss = loss + recipe.training.smoothness * roughness(error)
    if v is None:
        return loss
    assert path.n is not None
    small, large, share = (column(values).float() for values in variances(path, batch.t))
    # The mean is left to the first term: only the variance learns from the bound (Nichol & Dhariwal 2021, eq. 16).
    x0_error = (x0_gain(prediction, a, s, spread) * error).detach()
    kl = bound(v, x0_error, small, large, share, column(is_first(path, batch.t)))
    return loss + recipe.training.bound * path.n * kl


def roughness(error: Tensor) -> Tensor:
    """The mean square of the second difference over frames, (B, T, …), as a share of what independent frames have.

    The mean of x0 given x_t makes every quadratic form of the error least, so that beside the plain loss this changes
    nothing of what is best; what a small network still lacks it then lacks in all frames alike.
    """
    return error.diff(n=2, dim=1).square().mean() / (1 + 4 + 1)


@dataclass(frozen=True)
class TokenBatch:
    """tokens: (B, L) int64, the text.  xt: (B, C, L) float32, what is left of it.  asked: (B, L), the cells that the
    network is asked for.  t: (B,)."""

    tokens: np.ndarray
    xt: np.ndarray
    asked: np.ndarray
    t: np.ndarray


def token_batch(card: Card, source: Dataset, path: Path, plan: Schedule, rng: np.random.Generator) -> TokenBatch:
    """Texts at times of their own, noised by the card's process."""
    text = card.text
    assert text is not None
    x0 = source.draw(np.zeros(plan.batch, np.int64), rng, "train")
    t = draw_times(path, plan, rng)
    tokens, everywhere = x0[:, 0].astype(np.int64), np.ones_like(x0[:, 0], bool)
    a, s = path.a(t)[:, None, None], path.s(t)[:, None, None]
    if text.process == "embedding":
        vectors = np.asarray(text.embedding, np.float32)[tokens].transpose(0, 2, 1)
        noise = rng.standard_normal(vectors.shape, dtype=np.float32)
        return TokenBatch(tokens, (a * vectors + s * noise).astype(np.float32), everywhere, t)
    lost = rng.uniform(size=x0.shape) < s
    if text.process == "uniform":
        other = rng.integers(len(text.vocabulary), size=x0.shape).astype(np.float32)
        return TokenBatch(tokens, np.where(lost, other, x0), everywhere, t)
    lost[np.arange(len(lost)), 0, rng.integers(x0.shape[2], size=len(lost))] = True  # a text that is whole asks nothing
    return TokenBatch(tokens, np.where(lost, np.float32(text.mask), x0), lost[:, 0], t)


def token_loss(network: nn.Module, batch: TokenBatch, device: str) -> Tensor:
    """The mean cross-entropy of the cells that are asked for, in nats.

    The bound of a masked text weighs each cell by 1/t; the plain mean is another weighting of the same terms, and the
    one that small networks learn from.
    """
    logits = network(torch.from_numpy(batch.xt).to(device), torch.from_numpy(batch.t).float().to(device), None)
    tokens = torch.from_numpy(np.where(batch.asked, batch.tokens, -1)).to(device)
    return functional.cross_entropy(logits.float(), tokens, ignore_index=-1)
