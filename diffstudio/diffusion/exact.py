"""Exact denoisers: distributions whose E[x_0 | x_t] is known, on any path by its a and s alone.

With x_t = a·x_0 + s·ε a Gaussian mixture stays one, and a finite set of data becomes one with a Gaussian of spread s
around each point. All is computed in the precision of what the distribution holds (float64, so that small s is safe)
and given back in that of x; everything can be differentiated in x. s must be above 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition
from diffstudio.diffusion.times import Level

LOG_2PI = math.log(2 * math.pi)
CHUNK_ELEMENTS = 1 << 22  # distances held at a time: 32 MiB


class Distribution(Protocol):
    """A distribution of data that is known entirely. Labels select a part of it; `any_label` or None is the whole."""

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        """E[x_0 | x_t = x, label]: the denoiser that a perfect network would be. x: (B, …), cond: (B,) → (B, …)."""
        ...

    def log_density(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        """log p(x_t = x | label) in nats: (B, …) → (B,)."""
        ...


def score(known: Distribution, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
    """∇ log p(x_t) = (a·E[x_0 | x_t] − x_t)/s² (Tweedie's formula): (B, …) → (B, …)."""
    return (at.a * known.denoise(x, at, cond) - x) / at.s**2


@dataclass(frozen=True)
class Mixture:
    """Σ_k w_k·N(mean_k, Σ_k) with Σ_k = U_k·diag(v_k)·U_kᵀ + f_k·(1 − U_k·U_kᵀ): R main axes, the rest alike.

    weights: (K,), positive; means: (K, D); axes U: (K, D, R), orthonormal; variances v: (K, R); floors f: (K,).
    labels: (K,), the class of each component, or None. A class has its components alone, in their proportions.
    R = 0 is isotropic, R = D any covariance, between them probabilistic PCA (Tipping & Bishop 1999).
    """

    weights: Tensor
    means: Tensor
    axes: Tensor
    variances: Tensor
    floors: Tensor
    labels: Tensor | None = None
    any_label: int = 0

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        along, across, rest = self._parts(x, at)
        share = torch.softmax(self._log_joint(along, across, rest, at, cond), dim=1)
        # E[x_0 | x_t, k] = mean + a·Σ·(a²·Σ + s²)⁻¹·(x − a·mean), axis by axis
        gain_along = at.a * self.variances / (at.a**2 * self.variances + at.s**2)
        gain_across = at.a * self.floors / (at.a**2 * self.floors + at.s**2)
        x0_hat = share @ self.means
        x0_hat = x0_hat + torch.einsum("bkr,kdr->bd", share[:, :, None] * gain_along * along, self.axes)
        x0_hat = x0_hat + torch.einsum("bk,bkd->bd", share * gain_across, across)
        return x0_hat.to(x.dtype).view_as(x)

    def log_density(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        along, across, rest = self._parts(x, at)
        return torch.logsumexp(self._log_joint(along, across, rest, at, cond), dim=1).to(x.dtype)

    def _parts(self, x: Tensor, at: Level) -> tuple[Tensor, Tensor, int]:
        """x − a·mean along the main axes (B, K, R), what is left of it (B, K, D), and in how many dimensions."""
        apart = x.flatten(1).to(self.means.dtype)[:, None] - at.a * self.means
        along = torch.einsum("bkd,kdr->bkr", apart, self.axes)
        across = apart - torch.einsum("bkr,kdr->bkd", along, self.axes)
        return along, across, self.means.shape[1] - self.axes.shape[2]

    def _log_joint(self, along: Tensor, across: Tensor, rest: int, at: Level, cond: Condition) -> Tensor:
        """log w_k + log N(x; a·mean_k, a²·Σ_k + s²), −∞ for components of other classes: (B, K)."""
        variances = at.a**2 * self.variances + at.s**2
        found = -0.5 * ((along**2 / variances).sum(2) + variances.log().sum(1) + self.means.shape[1] * LOG_2PI)
        if rest:
            floors = at.a**2 * self.floors + at.s**2
            found = found - 0.5 * ((across**2).sum(2) / floors + rest * floors.log())
        weights = self.weights.expand_as(found)
        if self.labels is not None and cond is not None:
            wanted = cond[:, None]
            weights = torch.where((self.labels == wanted) | (wanted == self.any_label), weights, 0.0)
        return found + (weights / weights.sum(1, keepdim=True)).log()


def factored(
    weights: Tensor, means: Tensor, factors: Tensor, floors: Tensor, labels: Tensor | None = None, any_label: int = 0
) -> Mixture:
    """A mixture with Σ_k = F_k·F_kᵀ + floor_k. factors F: (K, D, R), R ≤ D; floors: (K,)."""
    axes, singular, _ = torch.linalg.svd(factors, full_matrices=False)
    return Mixture(weights, means, axes, singular**2 + floors[:, None], floors, labels, any_label)


@dataclass(frozen=True)
class FiniteData:
    """The distribution that a training set is, each of its points with the same weight; made by `finite`.

    Its denoiser is the optimum of the training loss: a softmax over the data by their distance to x_t. To sample with
    it gives points of the set and nothing else.

    data: (N, D), sorted by class.  squares: (N,), ‖x_i‖².
    labels: (N,), or None.  bounds: class c is data[bounds[c]:bounds[c + 1]]; the label after the last class is "any".
    """

    data: Tensor
    squares: Tensor
    labels: Tensor | None = None
    bounds: tuple[int, ...] = ()

    def denoise(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        rows = x.flatten(1).to(self.data.dtype)
        found = torch.empty_like(rows)
        for index, part, chosen in self._parts(cond, len(rows), rows.device):
            logits = self._logits(rows[index], at, part, chosen)
            # The differences need float64; the weights that come of them only the precision of x, which is faster.
            share = torch.softmax((logits - logits.detach().amax(1, keepdim=True)).to(x.dtype), dim=1)
            found[index] = share.to(rows.dtype) @ self.data[part]
        return found.to(x.dtype).view_as(x)

    def log_density(self, x: Tensor, at: Level, cond: Condition = None) -> Tensor:
        rows = x.flatten(1).to(self.data.dtype)
        found = torch.empty_like(rows[:, 0])
        for index, part, chosen in self._parts(cond, len(rows), rows.device):
            logits = self._logits(rows[index], at, part, chosen)
            count = logits.shape[1] if chosen is None else chosen.sum(1)
            found[index] = torch.logsumexp(logits, dim=1) - torch.as_tensor(count, dtype=rows.dtype).log()
        away = rows.square().sum(1) / (2 * at.s**2)  # the part of the distance that all points share
        return (found - away - 0.5 * rows.shape[1] * (LOG_2PI + 2 * math.log(at.s))).to(x.dtype)

    def _logits(self, rows: Tensor, at: Level, part: slice, chosen: Tensor | None) -> Tensor:
        """−‖x − a·x_i‖²/(2s²) without ‖x‖², which all data share; −∞ where not chosen: (b, n)."""
        away = (-0.5 * (at.a / at.s) ** 2) * self.squares[part]
        logits = torch.addmm(away, rows * (at.a / at.s**2), self.data[part].T)
        return logits if chosen is None else logits.masked_fill(~chosen, -math.inf)

    def _parts(
        self, cond: Condition, samples: int, device: torch.device
    ) -> Iterator[tuple[Tensor, slice, Tensor | None]]:
        """Which samples go with which of the data, in parts that memory allows: their rows, a slice, and a mask in it.

        On the CPU each class is computed with its own data. Another device would have to be asked which classes there
        are: there all data are used, behind a mask (b, N).
        """
        every, whole = torch.arange(samples, device=device), slice(0, len(self.data))
        size = max(1, CHUNK_ELEMENTS // len(self.data))
        if self.labels is None or cond is None:
            for index in every.split(size):
                yield index, whole, None
        elif not _waits(device):
            for label in cond.unique().tolist():
                part = whole if label == len(self.bounds) - 1 else slice(self.bounds[label], self.bounds[label + 1])
                for index in every[cond == label].split(size):
                    yield index, part, None
        else:
            for index in every.split(size):
                wanted = cond[index, None]
                yield index, whole, (self.labels == wanted) | (wanted == len(self.bounds) - 1)


def _waits(device: torch.device) -> bool:
    """Whether a question to the device makes the chain wait for it."""
    return device.type != "cpu"


def finite(data: Tensor, labels: Tensor | None = None, classes: int = 0) -> FiniteData:
    """A finite set of data. data: (N, D); labels: (N,), each below `classes`, in any order."""
    if labels is None:
        return FiniteData(data, data.square().sum(1))
    order = torch.argsort(labels, stable=True)
    data, labels = data[order], labels[order]
    bounds = torch.searchsorted(labels, torch.arange(classes + 1, device=labels.device)).tolist()
    return FiniteData(data, data.square().sum(1), labels, tuple(bounds))
