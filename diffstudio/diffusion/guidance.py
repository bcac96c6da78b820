"""Guidance: a denoiser in, a denoiser out."""

from __future__ import annotations

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate
from diffstudio.diffusion.times import Level


def classifier_free(denoise: Denoiser, guidance_scale: float, null: int) -> Denoiser:
    """D = D_u + w·(D_c − D_u), w = guidance_scale (Ho & Salimans 2022, with w = their scale + 1).

    w = 1 is the conditional denoiser alone and w = 0 the unconditional one: both cost a single pass. Otherwise the two
    passes are one call with a batch of 2B. `null` is the label that stands for "any".
    """

    def guided(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if cond is None or guidance_scale == 1:
            return denoise(x, at, cond)
        free = torch.full_like(cond, null)
        if guidance_scale == 0:
            return denoise(x, at, free)
        both = estimate(denoise(torch.cat([x, x]), at, torch.cat([cond, free])))
        x0_cond, x0_free = both.x0_hat.chunk(2)
        extras = {name: rows.chunk(2)[0] for name, rows in both.extras.items()}
        return Estimate(x0_free + guidance_scale * (x0_cond - x0_free), extras)

    return guided
