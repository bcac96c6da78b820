"""Guidance: a denoiser in, a denoiser out. Every kind pushes x̂0 away from what a poorer denoiser says:

    D = D_poor + w·(D_good − D_poor)

where the poorer one does not know the class, is told another class, or is a weaker network.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diffstudio.diffusion.denoiser import Condition, Denoiser, Estimate, estimate, x0_from
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadInput

# Both denoisers at one state: all that the good one knows, and the x̂0 of the poor one.
_Pair = Callable[[Tensor, Level, Condition], tuple[Estimate, Tensor]]


def guided(
    denoise: Denoiser,
    *,
    scale: float,
    null: int,
    negative: int | None = None,
    weak: Denoiser | None = None,
    interval: tuple[float, float] | None = None,
    rescale: float = 0.0,
    prediction: str = "x0",
    sigma_data: float = 0.5,
    split: bool = False,
) -> Denoiser:
    """D = D_poor + w·(D − D_poor), w = scale; the rows of `diffstudio.options.GUIDANCE` are its arguments.

    The poor denoiser is D with the label `null`, which stands for "any" (classifier-free guidance, Ho & Salimans 2022,
    w = their scale + 1), or with the class `negative`, or the denoiser `weak` of the same path and classes, asked for
    the same class (autoguidance, Karras et al. 2024, eq. 4). w = 1 and w = 0 are one of the two alone and cost a single
    pass; otherwise two labels are one call with a batch of 2B, two denoisers two calls. Where there is no class to
    forget (cond is None) and no weak denoiser, D stays as it is.

    interval: (low, high]; outside of these σ = s/a the scale is 1 (Kynkäänniemi et al. 2024, eq. 5).
    rescale: φ, see `rescaled`; `prediction` (with `sigma_data` for edm) names the space in which it
        measures, the network's own as published.
    split: also give the two halves, as the extras "x0_cond" and "x0_free", at every level.

    Raises:
        BadInput: both a negative class and a weak denoiser, or an interval that is empty.
    """
    if weak is not None and negative is not None:
        raise BadInput("autoguidance asks the weak model for the same class: leave the negative class out")
    if interval is not None and not 0 <= interval[0] < interval[1]:
        raise BadInput(f"the guidance interval is {interval[0]:g} to {interval[1]:g}, expected 0 ≤ low < high")
    null = null if negative is None else negative
    pair = _two_labels(denoise, null) if weak is None else _two_denoisers(denoise, weak)

    def guide(x: Tensor, at: Level, cond: Condition) -> Tensor | Estimate:
        if weak is None and cond is None:
            return denoise(x, at, cond)
        w = scale if interval is None or interval[0] < at.sigma <= interval[1] else 1.0
        if w == 1 and not split:
            return denoise(x, at, cond)
        if w == 0 and not split and not rescale:
            return denoise(x, at, torch.full_like(cond, null)) if weak is None else weak(x, at, cond)  # pyright: ignore
        good, x0_poor = pair(x, at, cond)
        x0_hat = good.x0_hat  # at w = 1 the very same numbers, so that asking for the split changes nothing
        if w != 1:
            x0_hat = x0_poor + w * (good.x0_hat - x0_poor)
            if rescale:
                x0_hat = rescaled(x0_hat, good.x0_hat, x, at, rescale, prediction, sigma_data)
        halves = {"x0_cond": good.x0_hat, "x0_free": x0_poor} if split else {}
        return Estimate(x0_hat, {**good.extras, **halves})

    return guide


def rescaled(
    x0_hat: Tensor, x0_cond: Tensor, x: Tensor, at: Level, share: float, prediction: str = "x0", sigma_data: float = 0.5
) -> Tensor:
    """A guided x̂0 whose prediction has the spread of the conditional one, per sample (Lin et al. 2023, eq. 15-16).

    The paper rescales what the network puts out: out′ = (φ·std(out_cond)/std(out) + 1 − φ)·out, φ = share. Every
    prediction is proportional to x̂0 − o, o being the x̂0 that belongs to an output of zero, so this is done here without
    leaving x̂0, for any of them: with "eps" or "v" it is what diffusers' `rescale_noise_cfg` does to ε̂ or v̂.

    x0_hat, x0_cond, x: (B, …); the spread is over all but the first dimension, so it means little for a few numbers.

    Raises:
        ValueError: an unknown prediction, or ε where a = 0.
    """
    zero = x0_from(prediction, torch.zeros_like(x), x, at.a, at.s, sigma_data)
    spread, wanted = _std(x0_hat - zero), _std(x0_cond - zero)
    # No spread: a constant output is left as it is, without asking the device.
    gain = torch.where(spread > 0, wanted / spread, 1.0)
    return zero + (share * gain + 1 - share) * (x0_hat - zero)


def _std(out: Tensor) -> Tensor:
    """Standard deviation of each sample, (B, 1, …)."""
    return out.std(dim=tuple(range(1, out.ndim)), correction=0, keepdim=True)


def _two_labels(denoise: Denoiser, null: int) -> _Pair:
    """The class and the label `null`, in one call of 2B."""

    def pair(x: Tensor, at: Level, cond: Condition) -> tuple[Estimate, Tensor]:
        assert cond is not None
        both = estimate(denoise(torch.cat([x, x]), at, torch.cat([cond, torch.full_like(cond, null)])))
        x0_cond, x0_free = both.x0_hat.chunk(2)
        return Estimate(x0_cond, {name: rows.chunk(2)[0] for name, rows in both.extras.items()}), x0_free

    return pair


def _two_denoisers(denoise: Denoiser, weak: Denoiser) -> _Pair:
    def pair(x: Tensor, at: Level, cond: Condition) -> tuple[Estimate, Tensor]:
        return estimate(denoise(x, at, cond)), estimate(weak(x, at, cond)).x0_hat

    return pair
