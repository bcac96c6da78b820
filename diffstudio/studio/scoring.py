"""What a model says of given states: the score, and log p. Imported by the engine alone, when it is first asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from diffstudio.diffusion.denoiser import estimate
from diffstudio.diffusion.paths import Path, make_path
from diffstudio.diffusion.times import level
from diffstudio.errors import BadInput
from diffstudio.studio.chains import Networks, denoiser, stoppable
from diffstudio.studio.plan import Plan


def score(plan: Plan, networks: Networks, points: np.ndarray, log_snr: float, stop: Callable[[], bool]) -> np.ndarray:
    """∇ log p_t(x) = (a·x̂0 − x)/s² (Tweedie) at points of the plane; see `Engine.score`."""
    model, path = networks.model, _path(plan, networks)
    at = level(path, path.t_at_log_snr(log_snr))
    if at.s == 0:
        raise BadInput("the score is not defined at the data itself: choose an earlier step")
    x = torch.from_numpy(points.astype(np.float32)).to(model.device)
    with torch.no_grad():
        label = None if plan.request.label == "each" else plan.request.label
        cond = model.labels(label, len(points))
        x0_hat = estimate(stoppable(denoiser(plan, networks, path), stop)(x, at, cond)).x0_hat
    return ((at.a * x0_hat - x) / at.s**2).cpu().numpy()


def _path(plan: Plan, networks: Networks) -> Path:
    return make_path(plan.request.path) if plan.request.path else networks.model.path
