"""The term of the variational bound that teaches a network its variance (Nichol & Dhariwal 2021, section 3.1)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from diffstudio.diffusion.paths import Path

Array = np.ndarray


def variances(path: Path, t: Array) -> tuple[Array, Array, Array]:
    """β̃ and β of the step from t to t − 1/n, and what x̂0 counts for in its mean, a′·β/s²: each (B,).

    Of the first step β̃ is 0: it is given that of the second, as published.

    Raises:
        ValueError: the path has no training steps.
    """
    if path.n is None:
        raise ValueError(f"path '{path.name}' has no integer training steps")

    def of(t: Array) -> tuple[Array, Array, Array]:
        before = np.maximum(t - 1 / path.n, 0.0)
        a, s, a_to, s_to = path.a(t), path.s(t), path.a(before), path.s(before)
        large = s**2 - (a / a_to * s_to) ** 2
        return s_to**2 / s**2 * large, large, a_to * large / s**2

    small, large, share = of(t)
    second, _, _ = of(np.full_like(t, 2 / path.n))
    return np.where(is_first(path, t), second, small), large, share


def is_first(path: Path, t: Array) -> Array:
    """Whether a step goes to the data: (B,)."""
    assert path.n is not None
    return np.round(t * path.n) <= 1


def bound(v: Tensor, error: Tensor, small: Tensor, large: Tensor, share: Tensor, first: Tensor) -> Tensor:
    """KL(q(x′|x, x_0) ‖ p(x′|x)) of one step, in nats for each number of a state; the mean over the batch.

    p has the mean of x̂0 and the variance exp(r·log β + (1 − r)·log β̃), r = (v + 1)/2 (eq. 15). The step to the data
    has the −log density of x_0 instead: the data need not be grey levels.

    v, error: (B, …), the network's range and x_0 − x̂0; the others broadcast over them.
    """
    r = (v + 1) / 2
    log_small = small.log()
    log_variance = r * large.log() + (1 - r) * log_small
    away, inverse = (share * error).square(), (-log_variance).exp()
    divergence = 0.5 * (log_variance - log_small + (small + away) * inverse - 1)
    surprise = 0.5 * (math.log(2 * math.pi) + log_variance + away * inverse)
    return torch.where(first, surprise, divergence).mean()
