"""UniPC: a predictor and, once the network was asked at the new place, a corrector that costs no call."""

from __future__ import annotations

import dataclasses
import math

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, blend
from diffstudio.diffusion.solvers.first_order import unified
from diffstudio.diffusion.solvers.integrals import history, is_finite, log_ratio, weights


def unipc(step: StepContext, order: float = 2, variant: float = 2) -> Tensor:
    """UniPC-p for x̂0 (Zhao et al. 2023, algorithms 5 and 8): correct x with the x̂0 found there, then predict x′.

    Predictor: x′ = (s′/s)·x + a′h·∫₀¹ e^{h(θ−1)}·P(θ) dθ, P through the last p values. Corrector: the same with the
    new value as well. Where the paper leaves one unknown (predictor of 2, corrector of 1) its weight is B(h)/2; B is
    h in variant 1 (bh1) and 1 − e^{−h} in variant 2 (bh2); elsewhere B cancels. The recorded x is the predicted one.
    Order p + 1; the first step, of order 1 with its correction, holds a chain at order 3 unless it is as good as none,
    from nearly pure noise.
    """
    step = _corrected(step, variant)
    if not is_finite(step.at, step.to):
        step.memory.pop("unipc", None)
        return unified(step)
    nodes, values = history(step, int(order))
    step.memory["unipc"] = step.x, nodes, values, step.at, step.to
    h = log_ratio(step.to) - log_ratio(step.at)
    if len(nodes) == 2:
        trend = 0.5 * _b(h, variant) / -nodes[1]
        w = [-math.expm1(-h) + trend, -trend]
    else:
        w = [h * each for each in weights(nodes, h)]
    terms = ((step.to.a * each, value) for each, value in zip(w, values, strict=True))
    return blend(step.to.s / step.at.s, step.x, *terms)


def _b(h: float, variant: float) -> float:
    """B(h) of the paper, its sign left out."""
    return h if variant == 1 else -math.expm1(-h)


def _corrected(step: StepContext, variant: float) -> StepContext:
    """The step from the corrected x; unchanged where the step before was none of a predictor."""
    if "unipc" not in step.memory:
        return step
    x, nodes, values, before, at = step.memory["unipc"]
    h = log_ratio(at) - log_ratio(before)
    if len(nodes) == 1:
        gain = 0.5 * _b(h, variant)
        w = [gain, -math.expm1(-h) - gain]
    else:
        w = [h * each for each in weights([1.0, *nodes], h)]
    terms = ((at.a * each, value) for each, value in zip(w, [step.x0_hat, *values], strict=True))
    return dataclasses.replace(step, x=blend(at.s / before.s, x, *terms))
