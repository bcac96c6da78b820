"""Distributions that are known exactly, in the place of a network: a card can name them, and there is nothing to train.

They are no function of t: instead of a `forward` they have the distribution, whose denoiser is used as it is.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from diffstudio.checkpoints.card import Card
from diffstudio.data import DATASETS
from diffstudio.data.finite import finite_part
from diffstudio.diffusion import exact
from diffstudio.diffusion.denoiser import Denoiser, Network, clock, from_network
from diffstudio.diffusion.paths import make_path
from diffstudio.diffusion.tokens import embedding_denoiser, token_denoiser
from diffstudio.networks.limits import limit
from diffstudio.specs import TextSpec

Known = TypeVar("Known", exact.Mixture, exact.FiniteData)


class ExactMixture(nn.Module):
    """Gaussians; their weights, means, covariances F·Fᵀ + floor and classes are what the file holds.

    components: how many Gaussians; rank: columns of each F, 0 for round ones.
    """

    weights: Tensor
    means: Tensor
    floors: Tensor
    factors: Tensor | None
    labels: Tensor | None

    def __init__(self, shape: tuple[int, ...], labels: int, components: int, rank: int = 0) -> None:
        super().__init__()
        limit("components", components, 4096)
        size = int(np.prod(shape))
        if rank:
            limit("rank", rank, min(size, 1024))
        self.any_label = labels
        self.register_buffer("weights", torch.ones(components))
        self.register_buffer("means", torch.zeros(components, size))
        self.register_buffer("floors", torch.ones(components))
        self.register_buffer("factors", torch.zeros(components, size, rank) if rank else None)
        self.register_buffer("labels", torch.zeros(components) if labels else None)

    def distribution(self, device: torch.device) -> exact.Mixture:
        """The mixture, on that device.

        Raises:
            ValueError: weights or variances that are none, or a class without a Gaussian.
        """
        # The factors are decomposed on the CPU, in float64 whatever the device can do.
        weights, means, floors = (found.double().cpu() for found in (self.weights, self.means, self.floors))
        factors = means.new_zeros(*means.shape, 0) if self.factors is None else self.factors.double().cpu()
        labels = None if self.labels is None else self.labels.round().long().cpu()
        full = factors.shape[2] == factors.shape[1]
        if not bool((weights > 0).all()) or not bool((floors >= 0).all() if full else (floors > 0).all()):
            raise ValueError("the weights and variances of its Gaussians must be above 0")
        if labels is not None and set(labels.tolist()) != set(range(self.any_label)):
            raise ValueError(f"its Gaussians must be of every class from 0 to {self.any_label - 1} and of no other")
        known = exact.factored(weights, means, factors, floors, labels, self.any_label)
        return _placed(known, device)


class ExactData(nn.Module):
    """The optimal denoiser of a finite part of one of our data sets; the file holds no weights.

    dataset: a name in `diffstudio.data`.
    size: points of each class, drawn with `seed`; 0 is all that a finite data set has.
    """

    def __init__(self, shape: tuple[int, ...], labels: int, dataset: str, size: int = 0, seed: int = 0) -> None:
        super().__init__()
        if dataset not in DATASETS:
            raise ValueError(f"dataset is {dataset!r}, expected one of {', '.join(DATASETS)}")
        self.source = DATASETS[dataset]
        if tuple(shape) != self.source.shape or labels != len(self.source.labels):
            raise ValueError(
                f"the card is of shape {tuple(shape)} with {labels} classes, "
                f"expected {self.source.shape} with {len(self.source.labels)} as '{dataset}' has"
            )
        if size or self.source.every is None:
            limit("size", size, 20_000)
        if type(seed) is not int or seed < 0:
            raise ValueError(f"seed is {seed!r}, expected a whole number from 0")
        self.size, self.seed = size, seed

    def distribution(self, device: torch.device) -> exact.FiniteData:
        """The data of the card, on that device."""
        data, labels = finite_part(self.source, self.size, self.seed)
        rows = torch.from_numpy(data).double().flatten(1)
        return _placed(exact.finite(rows, torch.from_numpy(labels), len(self.source.labels)), device)


def _placed(known: Known, device: torch.device) -> Known:
    """The same distribution on a device, in the highest precision that it has."""
    floating = torch.float32 if device.type == "mps" else torch.float64
    moved = {}
    for field in dataclasses.fields(known):
        value = getattr(known, field.name)
        if isinstance(value, Tensor):
            moved[field.name] = value.to(device, floating if value.is_floating_point() else value.dtype)
    return dataclasses.replace(known, **moved)


def _of_text(network: nn.Module | Network, text: TextSpec, device: torch.device) -> Denoiser:
    if text.discrete:
        return token_denoiser(network, len(text.vocabulary), text.process, device)
    return embedding_denoiser(network, torch.tensor(text.embedding, device=device))


def as_denoiser(network: nn.Module | Network, card: Card, device: torch.device) -> Denoiser:
    """The denoiser of the card's network, or of what stands in its place.

    Raises:
        ValueError: an exact distribution that is none, or a time that the path does not have.
    """
    if isinstance(network, ExactMixture | ExactData):
        return network.distribution(device).denoise
    if card.text is not None:
        return _of_text(network, card.text, device)
    return from_network(
        network,
        card.prediction,
        sigma_data=card.sigma_data,
        learned_range=card.learned_range,
        time=clock(card.time, make_path(card.path)),
    )
