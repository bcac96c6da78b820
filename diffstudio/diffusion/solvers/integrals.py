"""The integrals of an exponential integrator, in λ = log(a/s), which grows towards the data.

The probability-flow ODE solves exactly to (Lu et al. 2022, DPM-Solver++, prop. 4.1; in ε: Zhang & Chen 2022, DEIS)

    x′ = (s′/s)·x + a′·h·∫₀¹ e^{h(θ−1)}·x̂0(θ) dθ  =  (a′/a)·x − s′·h·∫₀¹ e^{h(1−θ)}·ε̂(θ) dθ,   h = λ′ − λ,

with θ the share of the step in λ. A multistep method puts the polynomial through known values under the integral.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from diffstudio.diffusion.solvers.context import StepContext
from diffstudio.diffusion.times import Level


def log_ratio(at: Level) -> float:
    """λ = log(a/s)."""
    return 0.5 * at.log_snr


def is_finite(at: Level, to: Level) -> bool:
    """Whether h is finite: neither level is an end of the path (a = 0 or s = 0)."""
    return min(at.a, at.s, to.a, to.s) > 0


def moments(h: float, count: int) -> list[float]:
    """∫₀¹ e^{h(θ−1)}·θⁿ dθ for n = 0 … count − 1; with −h the weight is e^{h(1−θ)}."""
    if abs(h) <= 1:
        # n!·Σ_k (−h)^k/(n + k + 1)!: the recursion below would cancel.
        return [
            math.fsum((-h) ** k * math.factorial(n) / math.factorial(n + k + 1) for k in range(20))
            for n in range(count)
        ]
    found = [-math.expm1(-h) / h]
    for n in range(1, count):
        found.append((1 - n * found[-1]) / h)  # by parts
    return found


def weights(nodes: Sequence[float], h: float) -> list[float]:
    """w_i = ∫₀¹ e^{h(θ−1)}·L_i(θ) dθ with the Lagrange polynomials L_i of the nodes θ_i."""
    integrals = moments(h, len(nodes))
    found = []
    for i, node in enumerate(nodes):
        polynomial = [1.0]  # of L_i, lowest power first
        for other in (*nodes[:i], *nodes[i + 1 :]):
            raised = [0.0, *polynomial]
            polynomial = [
                (up - other * low) / (node - other) for up, low in zip(raised, [*polynomial, 0.0], strict=True)
            ]
        found.append(math.fsum(c * m for c, m in zip(polynomial, integrals, strict=True)))
    return found


def history(step: StepContext, count: int) -> tuple[list[float], list[Tensor]]:
    """(θ_i, x̂0_i) of this state and of the newest before it, at most `count` in all, newest first.

    Earlier states where a = 0 lie infinitely far off and are left out.
    """
    at, h = log_ratio(step.at), log_ratio(step.to) - log_ratio(step.at)
    nodes, values = [0.0], [step.x0_hat]
    for past in reversed(step.past[-count + 1 :] if count > 1 else ()):
        if past.level.a == 0:
            break
        nodes.append((log_ratio(past.level) - at) / h)
        values.append(past.x0_hat)
    return nodes, values
