"""log p through the probability-flow ODE against the closed form of a Gaussian and of a mixture."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstudio.diffusion.likelihood import log_likelihood
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Gaussian, Mixture, path_of

PATHS = ("flow", "vp_cosine", "vp_linear", "ve")
SIGMA = 0.01  # the likelihood is that of the data with noise of this σ
STEPS = 60


def densities() -> list[Row]:
    """The largest error in nats, the trace computed exactly."""
    x = torch.linspace(-2, 2, 21, dtype=torch.float64)[:, None]
    rows = []
    for name, truth in (("Gaussian", Gaussian()), ("mixture", Mixture())):
        for path in PATHS:
            found = log_likelihood(truth.denoise, path_of(path), x, steps=STEPS, sigma_min=SIGMA)
            error = (found.log_p - _log_p(truth, x)).abs().max().item()
            rows.append(Row("likelihood", f"{name}, {path}", error, 1e-3, note=f"nats, {found.nfe} calls"))
    return rows


def _log_p(truth: Gaussian | Mixture, x: Tensor) -> Tensor:
    """Of x_0 + σ·ε, (B,)."""
    variance = truth.std**2 + SIGMA**2
    centres = [truth.mean] if isinstance(truth, Gaussian) else [-truth.centre, truth.centre]
    parts = [-0.5 * (x[:, 0] - c) ** 2 / variance - 0.5 * math.log(2 * math.pi * variance) for c in centres]
    return torch.logsumexp(torch.stack(parts), 0) - math.log(len(centres))
