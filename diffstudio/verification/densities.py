"""log p through the probability-flow ODE against the closed form of a Gaussian and of a mixture."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from diffstudio.diffusion.likelihood import log_likelihood
from diffstudio.diffusion.paths import Path
from diffstudio.diffusion.times import level
from diffstudio.verification.row import Row
from diffstudio.verification.truths import Gaussian, Mixture, log_normal, path_of

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
            error = (found.log_p - _log_p(truth, path_of(path), x)).abs().max().item()
            rows.append(Row("likelihood", f"{name}, {path}", error, 1e-3, note=f"nats, {found.nfe} calls"))
    return rows


def _log_p(truth: Gaussian | Mixture, path: Path, x: Tensor) -> Tensor:
    """Of x_0 + σ·ε where the chain starts from N(0, s²), (B,).

    The flow carries p_start to p_end, so that the prior N(0, s²) in the place of p_end changes p_start by their ratio
    at the end: nothing where a = 0, but up to 0.2 nats on a path whose signal is not gone at t = 1.
    """
    start, end = level(path, path.t_at_log_snr(-2 * math.log(SIGMA))), level(path, 1.0)
    xt = start.a * x
    x_end = truth.flow(xt, start, end)
    log_p = truth.log_density(xt, start) + math.log(start.a)
    return (log_p + log_normal(x_end, 0.0, end.s) - truth.log_density(x_end, end))[:, 0]
