"""Bounds for x̂0, as wrappers: a denoiser in, a denoiser out. Around guidance, which is what leaves the data's range.

ε̂ = (x − a·x̂0)/s follows the bounded x̂0, as in the code of DDPM and ADM. With keep_eps the steps of DDIM and of
ancestral sampling keep the ε̂ of the x̂0 before it was bounded, as diffusers' DDIMScheduler does unless it is told
otherwise: the unbounded x̂0 is the extra `UNBOUNDED`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from diffstudio.diffusion.denoiser import UNBOUNDED, Condition, Denoiser, Estimate, estimate
from diffstudio.diffusion.times import Level


def unclipped(denoise: Denoiser) -> Denoiser:
    """The denoiser itself."""
    return denoise


def clipped(denoise: Denoiser, limit: float = 1.0, keep_eps: float = 0) -> Denoiser:
    """x̂0 cut to [−limit, limit] (Ho et al. 2020, in their code). keep_eps: 1 keeps the ε̂ of the uncut x̂0."""
    return _bounded(denoise, lambda x0_hat: x0_hat.clamp(-limit, limit), keep_eps)


def dynamically_thresholded(
    denoise: Denoiser, percentile: float = 0.995, most: float = 100.0, keep_eps: float = 0
) -> Denoiser:
    """x̂0 cut to [−q, q] and divided by q, q the percentile of |x̂0| in each sample, at least 1 (Saharia et al. 2022).

    most: an upper bound of q; at 1 this is `clipped`. keep_eps: as there.
    """

    def thresholded(x0_hat: Tensor) -> Tensor:
        rank = [-1] + [1] * (x0_hat.ndim - 1)
        q = _percentile(x0_hat.abs().flatten(1), percentile).clamp(1.0, most).view(rank)
        return x0_hat.clamp(-q, q) / q

    return _bounded(denoise, thresholded, keep_eps)


CLIPS: dict[str, Callable[..., Denoiser]] = {
    "none": unclipped,
    "static": clipped,
    "dynamic": dynamically_thresholded,
}


def _bounded(denoise: Denoiser, bound: Callable[[Tensor], Tensor], keep_eps: float) -> Denoiser:
    def bounded(x: Tensor, at: Level, cond: Condition) -> Estimate:
        found = estimate(denoise(x, at, cond))
        kept = {UNBOUNDED: found.x0_hat} if keep_eps else {}
        return replace(found, x0_hat=bound(found.x0_hat), extras={**found.extras, **kept})

    return bounded


def _percentile(values: Tensor, share: float) -> Tensor:
    """The value in each row below which that share lies, linear between neighbours. (B, N) → (B,)."""
    # torch.quantile refuses more than 16 million values.
    place = share * (values.shape[1] - 1)
    low = min(int(place), values.shape[1] - 2) if values.shape[1] > 1 else 0
    ordered = values.sort(dim=1).values
    return ordered[:, low].lerp(ordered[:, min(low + 1, values.shape[1] - 1)], place - low)
