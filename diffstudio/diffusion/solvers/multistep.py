"""DEIS: Adams-Bashforth for the probability-flow ODE in ε."""

from __future__ import annotations

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext, blend
from diffstudio.diffusion.solvers.first_order import unified
from diffstudio.diffusion.solvers.integrals import history, is_finite, log_ratio, weights


def deis(step: StepContext, order: float = 2) -> Tensor:
    """x′ = (a′/a)·x − s′h·∫₀¹ e^{h(1−θ)}·P(θ) dθ, P the polynomial through the last ε̂ (Zhang & Chen 2022, tAB-DEIS).

    The polynomial is in λ, as in diffusers ("logrho"). The first steps use as many values as there are, and the very
    first, of order 1, holds a chain with 3 or 4 values at order 2 as well, though with smaller errors, unless it is as
    good as none, from nearly pure noise: then 3 values are of order 3.
    """
    at, to = step.at, step.to
    if not is_finite(at, to):
        return unified(step)
    nodes, values = history(step, int(order))
    h = log_ratio(to) - log_ratio(at)
    states = [(at, step.x, values[0])]
    states += [(past.level, past.x, past.x0_hat) for past in reversed(step.past[len(step.past) - len(nodes) + 1 :])]
    c, terms = to.a / at.a, []
    for w, (where, x, x0_hat) in zip(weights(nodes, -h), states, strict=True):
        # ε̂ = (x − a·x̂0)/s
        gain = -to.s * h * w / where.s
        terms += [(gain, x), (-gain * where.a, x0_hat)]
    return blend(c + terms[0][0], step.x, *terms[1:])
