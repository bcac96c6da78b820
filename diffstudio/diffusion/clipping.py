"""Bounds for x̂0, as wrappers: a denoiser in, a denoiser out. Around guidance, which is what leaves the data's range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate
from diffstudio.diffusion.times import Level


def unclipped(denoise: Denoiser) -> Denoiser:
    """The denoiser itself."""
    return denoise


def clipped(denoise: Denoiser, limit: float = 1.0) -> Denoiser:
    """x̂0 cut to [−limit, limit] (Ho et al. 2020, in their code)."""
    return _bounded(denoise, lambda x0_hat: x0_hat.clamp(-limit, limit))


def dynamically_thresholded(denoise: Denoiser, percentile: float = 0.995, most: float = 100.0) -> Denoiser:
    """x̂0 cut to [−q, q] and divided by q, q the percentile of |x̂0| in each sample, at least 1 (Saharia et al. 2022).

    most: an upper bound of q; at 1 this is `clipped`.
    """

    def thresholded(x0_hat: Tensor) -> Tensor:
        rank = [-1] + [1] * (x0_hat.ndim - 1)
        q = _percentile(x0_hat.abs().flatten(1), percentile).clamp(1.0, most).view(rank)
        return x0_hat.clamp(-q, q) / q

    return _bounded(denoise, thresholded)


CLIPS: dict[str, Callable[..., Denoiser]] = {
    "none": unclipped,
    "static": clipped,
    "dynamic": dynamically_thresholded,
}


def _bounded(denoise: Denoiser, bound: Callable[[Tensor], Tensor]) -> Denoiser:
    def bounded(x: Tensor, at: Level, cond: Condition) -> Estimate:
        found = estimate(denoise(x, at, cond))
        return replace(found, x0_hat=bound(found.x0_hat))

    return bounded


def _percentile(values: Tensor, share: float) -> Tensor:
    """The value in each row below which that share lies, linear between neighbours. (B, N) → (B,)."""
    # torch.quantile refuses more than 16 million values.
    place = share * (values.shape[1] - 1)
    low = min(int(place), values.shape[1] - 2) if values.shape[1] > 1 else 0
    ordered = values.sort(dim=1).values
    return ordered[:, low].lerp(ordered[:, min(low + 1, values.shape[1] - 1)], place - low)
