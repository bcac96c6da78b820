"""Editing by the chain: a region that is known, and noises between noises.

Each is a small function beside `chain.reverse`: what it starts from, what it does to x_t. A start in the middle
(SDEdit, Meng et al. 2022: noise data to a level, x_t = a·x_0 + s·ε, and run the chain from there) needs none: it is a
grid from that level.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from diffstudio.diffusion.noise import Law, SampleNoise
from diffstudio.diffusion.times import Level
from diffstudio.errors import BadInput

NEARLY_PARALLEL = 1e-4  # sin Ω, below which two noises differ too little to have a plane of their own


def known_region(
    x0: Tensor, mask: Tensor, noise: SampleNoise, law: Law = "gaussian"
) -> Callable[[Tensor, Level], Tensor]:
    """Inpainting: a function (x_t, level) → x_t that puts the known region back, noised to that level.

    x′ = mask·x + (1 − mask)·(a·x_0 + s·ε) with fresh ε each time (RePaint, Lugmayr et al. 2022, eq. 8); at the data,
    where s = 0, the known numbers are x_0 exactly. Give it to `chain.reverse` as `project`.

    x0: (B, …).  mask: broadcasts to x0; 1 is painted anew, 0 is kept, between them both are mixed.
    noise: a stream for this use alone, so that the chain draws what it would draw without it.

    Raises:
        BadInput: a mask of another size, or with values that are not between 0 and 1.
    """
    try:
        fits = torch.broadcast_shapes(mask.shape, x0.shape) == x0.shape
    except RuntimeError:
        fits = False
    if not fits:
        raise BadInput(f"the mask is of shape {tuple(mask.shape)}, expected one that fits {tuple(x0.shape)}")
    if not bool(((mask >= 0) & (mask <= 1)).all()):  # also refuses NaN
        raise BadInput("the mask has values that are not between 0 and 1")
    mask = mask.to(x0)

    def project(x: Tensor, at: Level) -> Tensor:
        known = at.a * x0
        if at.s > 0:
            known = known + at.s * noise.draw(law).to(x0.device, x0.dtype)
        # Not a weighted sum where the mask is 0: there x may be anything, even not finite.
        return torch.where(mask == 0, known, mask * x + (1 - mask) * known)

    return project


def spherical(eps: Tensor, other: Tensor, weight: float | Tensor) -> Tensor:
    """Between two noises along the great circle, sample by sample: 0 is `eps`, 1 is `other` (Shoemake 1985).

        (sin((1 − w)·Ω)·ε + sin(w·Ω)·ε′)/sin Ω,   cos Ω = ε·ε′/(‖ε‖·‖ε′‖)

    The straight line between them would pass through noise of too small a norm, which no chain starts from. Noises that
    are nearly parallel, and opposite ones, which no plane joins, are joined by that line.

    eps, other: (B, …); weight: one, or one for each sample, (B,).
    """
    each = (-1, *[1] * (eps.ndim - 1))
    w = torch.as_tensor(weight, dtype=eps.dtype, device=eps.device).view(each)
    one, two = (normalize(rows.flatten(1), dim=1) for rows in (eps, other))
    # Ω by Kahan's formula: the arccosine loses half of its digits where the two are nearly parallel or opposite.
    angle = 2 * torch.atan2((one - two).norm(dim=1), (one + two).norm(dim=1)).view(each)
    sine = torch.sin(angle)
    flat = sine < NEARLY_PARALLEL
    safe = torch.where(flat, 1.0, sine)
    first = torch.where(flat, 1 - w, torch.sin((1 - w) * angle) / safe)
    second = torch.where(flat, w, torch.sin(w * angle) / safe)
    return first * eps + second * other


def variation(eps: Tensor, other: Tensor, strength: float | Tensor) -> Tensor:
    """The noise of a seed, moved by `strength` towards that of another seed: a variation of the sample.

    What other tools call variation seed and strength (their "subseed"): a spherical interpolation. 0 is the sample
    itself, 1 the other's.

    Raises:
        BadInput: a strength that is not from 0 to 1.
    """
    if not bool(((torch.as_tensor(strength) >= 0) & (torch.as_tensor(strength) <= 1)).all()):
        raise BadInput(f"the variation strength is {strength}, expected 0 to 1")
    return spherical(eps, other, strength)
